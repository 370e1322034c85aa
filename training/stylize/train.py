"""Train the stylizer: `python -m training.stylize.train --data DATA --room ROOM`.

The room holds what training makes: targets.pt, encoder.pt, stylizer.pt (weights of stylizer and
encoder, averaged weights, optimiser, step) and stylizer.csv (losses). Started again, training goes
on where the file stands. The encoder must have had its first lessons (see encoder.py).

On a machine of several cores one process per core is faster than several threads:
`OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 -m training.stylize.train ...`; each process then
makes its own batch and they share their gradients.
"""

import argparse
import csv
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F

from training.stylize.batches import MARGIN, Batch, Batches
from training.stylize.losses import (
    content_loss,
    displacement,
    drawing_distance,
    excess,
    gram_distance,
    grid,
    palette,
    palette_distance,
    pyramid_grams,
)
from training.stylize.network import SCALE_INDEX, Layout, Pair, StyleEncoder
from training.stylize.perception import Features, Perception
from training.stylize.targets import build_targets, load_targets

LEVEL_WEIGHTS = (1.0, 0.5, 0.5)
"""Weights of the style distance at sizes 1, 1/2 and 1/4."""


RATE_MAX = 3e-3
"""Learning rate that no weight goes beyond."""

BIAS_SUM = 300
"""Inputs that a bias counts as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train; each is a flag of the command.

    Attributes:
        steps: how many steps the whole training has.
        batch: pictures in a step.
        side: pixels, side of the windows that are judged.
        rate: learning rate at its highest, times the inputs that a unit sums over.
        seed: where all random choices start.
        pool: style pictures in the pool.
        content: the content distance that the style weight is balanced for.
        steady: weight of the loss that keeps strokes on a moved photo.
        threads: CPU threads.
    """

    steps: int = 4200
    batch: int = 4
    side: int = 192
    rate: float = 0.22
    seed: int = 20
    pool: int = 420
    content: float = 0.32
    steady: float = 8.0
    threads: int = 2


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the stylizer.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints and logs")
    parser.add_argument("--layout", default="", help="e.g. core=5,broad=96; see network.Layout")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    flags = vars(parser.parse_args())
    data, room, words = flags.pop("data"), flags.pop("room"), flags.pop("layout")
    pairs = [word.partition("=") for word in words.split(",") if word]
    layout = replace(Layout(), **{name: int(value) for name, _, value in pairs})
    train(data, room, layout, Recipe(**flags))


def train(data: Path, room: Path, layout: Layout, recipe: Recipe) -> None:
    """Train until recipe.steps are done, saving every few minutes."""
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    room.mkdir(parents=True, exist_ok=True)
    eye = Perception(data / "teachers" / "vgg19_distilled16x_e5.pth")
    cache = room / "targets.pt"
    if not cache.exists():
        build_targets(data, eye, cache, recipe.pool, recipe.seed)
    rank = join()
    batches = Batches(
        data, load_targets(cache), recipe.batch, recipe.side, recipe.seed + 1000 * rank
    )
    run = Run(room / "stylizer.pt", layout, recipe)
    with ThreadPoolExecutor(max_workers=1) as hands, Journal(room / "stylizer.csv") as journal:
        coming = hands.submit(batches.make, run.step)
        while run.step < recipe.steps:
            batch = coming.result()
            coming = hands.submit(batches.make, run.step + 1)
            losses = run.advance(eye, batch)
            if rank:
                continue
            journal.note(run.step, losses)
            if run.step % 250 == 0 or run.step == recipe.steps:
                run.save()


def join() -> int:
    """Meet the other processes of a torchrun, if there are any, and return this one's number."""
    if not distributed.is_torchelastic_launched():
        return 0
    distributed.init_process_group("gloo")
    return distributed.get_rank()


def share(values: list[Tensor]) -> None:
    """Replace each tensor by its mean over the processes."""
    if not distributed.is_initialized():
        return
    packed = torch.cat([value.flatten() for value in values])
    distributed.all_reduce(packed)
    packed /= distributed.get_world_size()
    pieces = torch.split(packed, [value.numel() for value in values])
    for value, piece in zip(values, pieces, strict=True):
        value.copy_(piece.view_as(value))


class Run:
    """A training under way: networks, their running average, optimiser, content weight, step."""

    def __init__(self, path: Path, layout: Layout, recipe: Recipe) -> None:
        self.path = path
        self.recipe = recipe
        self.step = 0
        self.content_weight = 0.25
        self.pair = Pair(layout)
        self.optimiser = torch.optim.Adam(rated(self.pair, recipe.rate), betas=(0.9, 0.99))
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.pair.load_state_dict(state["pair"])
            self.optimiser.load_state_dict(state["optimiser"])
            for group, fresh in zip(
                self.optimiser.param_groups, rated(self.pair, recipe.rate), strict=True
            ):
                group["peak"] = fresh["peak"]
            self.step, self.content_weight = state["step"], state["content_weight"]
            self.average = state["average"]
        else:
            taught = torch.load(path.parent / "encoder.pt", weights_only=True)
            self.pair.encoder.load_state_dict(taught)
            self.average = {k: v.clone() for k, v in self.pair.state_dict().items()}

    def advance(self, eye: Perception, batch: Batch) -> dict[str, float]:
        """Take one step and return its losses by name."""
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_at(self.step, self.recipe)
        losses = judge(self.pair, eye, batch)
        total = (
            losses["style"]
            + 5 * losses["palette"]
            + self.content_weight * losses["content"]
            + 0.6 * losses["drawing"]
            + self.recipe.steady * losses["unsteady"]
            + 20 * losses["excess"]
            + 10 * losses["grid"]
            + 0.03 * losses["reading"]
        )
        self.optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        weights = list(self.pair.parameters())
        for weight in weights:
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        figures = torch.stack([loss.detach() for loss in losses.values()])
        share([*(weight.grad for weight in weights if weight.grad is not None), figures])
        nn.utils.clip_grad_norm_(self.pair.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        found = dict(zip(losses, figures.tolist(), strict=True))
        if found["content"] > 0:
            # A slow controller: the style is as strong as the wanted content distance allows.
            push = np.clip(found["content"] / self.recipe.content - 1, -0.5, 0.5)
            self.content_weight = float(np.clip(self.content_weight * np.exp(0.01 * push), 0.1, 8))
        self.remember()
        return found | {"weight": self.content_weight, "rate": rate_at(self.step, self.recipe)}

    @torch.no_grad()
    def remember(self) -> None:
        """Move the running average of the weights towards the weights."""
        keep = min(0.998, (1 + self.step) / (10 + self.step))
        for name, value in self.pair.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)

    def save(self) -> None:
        """Write everything needed to go on, in one move."""
        state = {
            "pair": self.pair.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "content_weight": self.content_weight,
            "layout": {
                field.name: getattr(self.pair.stylizer.layout, field.name)
                for field in fields(Layout)
            },
        }
        fresh = self.path.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.path)


def rated(pair: Pair, rate: float) -> list[dict[str, Any]]:
    """Return each weight with its highest learning rate, which falls with what a unit sums over.

    Features after a ReLU all point one way; with one rate for all, a step of Adam moves the sum of
    hundreds of them together, and a network without normalisation swings instead of learning.
    """
    groups = []
    for weight in pair.parameters():
        summed = weight[0].numel() if weight.ndim > 1 else BIAS_SUM
        peak = min(RATE_MAX, rate / summed)
        groups.append({"params": [weight], "lr": peak, "peak": peak})
    return groups


def rate_at(step: int, recipe: Recipe) -> float:
    """Return the share of the learning rate: a short rise, then half a cosine to a fiftieth."""
    rise = min(1.0, (step + 1) / 100)
    fall = 0.5 * (1 + np.cos(np.pi * min(1.0, step / recipe.steps)))
    return float(rise * (0.02 + 0.98 * fall))


def judge(pair: Pair, eye: Perception, batch: Batch) -> dict[str, Tensor]:
    """Return the losses of one batch by name, each a mean over the pictures it concerns."""
    codes, reading = read_codes(pair.encoder, batch)
    with torch.autocast("cpu", torch.bfloat16):
        drawn = pair.stylizer(batch.photos, codes).float()
        moved = pair.stylizer(batch.moved, codes[:1]).float()
    inner = drawn[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]
    # The eye sees what a viewer would; what left the limits is brought back by `excess` alone.
    seen = inner.clamp(0, 1)
    grams, features = pyramid_grams(eye, seen)
    with torch.no_grad():
        wanted = eye(batch.references)
        wanted_grams = batch.grams.clone()
        if batch.paired.any():
            wanted_grams[batch.paired] = pyramid_grams(eye, batch.references[batch.paired])[0]
    distances = gram_distance(grams, wanted_grams)
    style = distances @ torch.tensor(LEVEL_WEIGHTS)
    content = content_loss(features, wanted)
    free = (~batch.paired).float()
    return {
        "style": style.mean(),
        "palette": (palette_distance(palette(seen), batch.palettes) * free).mean(),
        "content": (content * free).sum() / free.sum().clamp_min(1),
        "drawing": (content * (1 - free)).mean() + drawing(seen, features, wanted, batch),
        "unsteady": displacement(drawn[0], moved[0], batch.shift),
        "excess": excess(inner),
        "grid": grid(inner),
        "reading": reading,
        "gram": (distances[:, 0].detach() * free).sum() / free.sum().clamp_min(1),
    }


def read_codes(encoder: StyleEncoder, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the codes [N,CODE_SIZE], where there are views as the encoder reads them.

    The second value is how far those are from the codes computed from Gram matrices: they may
    leave them where that draws better, but not far, since named styles keep theirs.
    """
    if not batch.viewed.any():
        return batch.codes, torch.zeros(())
    read = encoder(batch.views)
    wanted = batch.codes[batch.viewed]
    codes = batch.codes.clone()
    codes[batch.viewed] = torch.cat([read[:, :SCALE_INDEX], wanted[:, SCALE_INDEX:]], dim=1)
    return codes, F.mse_loss(read[:, :SCALE_INDEX], wanted[:, :SCALE_INDEX])


def drawing(seen: Tensor, features: Features, wanted: Features, batch: Batch) -> Tensor:
    """Return how far the paired pictures are from their targets, as a share of the batch."""
    if not batch.paired.any():
        return torch.zeros(())
    chosen = batch.paired
    distances = drawing_distance(
        seen[chosen],
        [layer[chosen] for layer in features],
        batch.references[chosen],
        [layer[chosen] for layer in wanted],
    )
    return distances.sum() / len(chosen)


class Journal:
    """Losses, averaged over 50 steps, as lines of a CSV file and on the terminal."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", newline="")
        self.writer = csv.writer(self.file)
        self.rows: list[dict[str, float]] = []
        self.since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def note(self, step: int, losses: dict[str, float]) -> None:
        """Take one step's losses; every 50 steps write their means."""
        self.rows.append(losses)
        if len(self.rows) < 50:
            return
        means = {name: float(np.mean([row[name] for row in self.rows])) for name in losses}
        means["seconds"] = (time.monotonic() - self.since) / len(self.rows)
        if self.file.tell() == 0:
            self.writer.writerow(["step", *means])
        self.writer.writerow([step + 1, *(f"{value:.5f}" for value in means.values())])
        self.file.flush()
        print(
            step + 1, " ".join(f"{name} {value:.4f}" for name, value in means.items()), flush=True
        )
        self.rows, self.since = [], time.monotonic()


if __name__ == "__main__":
    main()
