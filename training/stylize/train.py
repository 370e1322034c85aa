"""Train the stylizer: `python -m training.stylize.train PHASE --data DATA --room ROOM`.

Two phases, one after the other: `copy` learns to draw what the teacher and the mediums' filters
drew; `paint` goes on from there towards the style pictures themselves, with codes that the
encoder read.

The room holds what training makes: stylizer.pt (weights, averaged weights, optimiser, step) and
stylizer.csv (losses). Started again, training goes on where the file stands. It must hold the
lessons (see lessons.py) and, for `paint`, the codes that the encoder reads (see encoder.py).
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.checkpoints import copied, follow, write_whole
from training.stylize.batches import MARGIN, Batch, Batches
from training.stylize.journal import Journal
from training.stylize.lessons import Lessons, load_lessons
from training.stylize.losses import (
    content_loss,
    displacement,
    drawing_distance,
    excess,
    glow,
    gram_distance,
    grid,
    palette,
    palette_distance,
    pyramid_grams,
)
from training.stylize.mediums import MEDIUMS
from training.stylize.network import Layout, Pair
from training.stylize.perception import Perception
from training.stylize.styles import PAINTINGS

AVERAGE_KEPT = 0.995
LEVEL_WEIGHTS = (1.0, 0.7, 0.5)
"""Weights of the style distance at sizes 1, 1/2 and 1/4."""

PALETTE_WEIGHT = 12.0
"""Weight of the distance to the style's colours beside that of its Gram matrices."""

NAMED_RATE = 5.0
"""Learning rate of the named styles' codes over that of the other weights."""

CODE_NOISE = 0.05
"""Standard deviation added to codes, so that codes nearby mean styles nearby."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train in one phase; each is a flag of the command.

    Attributes:
        steps: how many steps the phase has.
        batch: pictures in a step.
        side: pixels, side of the windows that are judged; with the margins a multiple of 16.
        rate: learning rate at its highest.
        seed: where all random choices start.
        copy: weight of the distance to the lesson's picture; 1 for mediums in any case.
        style: weight of the distance to the style picture.
        content: the content distance that its weight is balanced for.
        steady: weight of the loss that keeps strokes on a moved photo.
        grid: weight of the loss on patterns in step with the cells of the network.
        glow: weight of the loss on glows around figures.
        known: how often a lesson in a named painting's style is taken, against any other.
        read: 1 if codes of style pictures are those that the encoder reads, 0 if the teacher's.
        threads: CPU threads.
    """

    steps: int
    batch: int
    side: int
    rate: float
    seed: int
    copy: float
    style: float
    content: float = 0.24
    steady: float = 0.0
    grid: float = 5.0
    glow: float = 0.0
    known: float = 1.0
    read: int = 0
    threads: int = 1


PHASES = {
    "copy": Recipe(steps=1500, batch=6, side=192, rate=1e-3, seed=20, copy=1.0, style=0.0),
    "paint": Recipe(
        steps=2500,
        batch=2,
        side=352,
        rate=6e-4,
        seed=40,
        copy=0.3,
        style=1.0,
        steady=6.0,
        grid=40.0,
        glow=15.0,
        read=1,
    ),
}
"""What each phase is by default."""


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the stylizer.")
    phases = parser.add_subparsers(dest="phase", required=True)
    for phase, recipe in PHASES.items():
        flags = phases.add_parser(phase)
        flags.add_argument("--data", type=Path, required=True, help="root of the material")
        flags.add_argument("--room", type=Path, required=True, help="folder of lessons, results")
        for field in fields(Recipe):
            usual = getattr(recipe, field.name)
            flags.add_argument(f"--{field.name}", type=type(usual), default=usual)
    found = vars(parser.parse_args())
    train(found.pop("phase"), found.pop("data"), found.pop("room"), Recipe(**found))


def train(phase: str, data: Path, room: Path, recipe: Recipe) -> None:
    """Train until the phase's steps are done, saving every few minutes."""
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    eye = Perception(data / "teachers" / "vgg19_distilled16x_e5.pth")
    lessons = load_lessons(room)
    if recipe.read:
        read = torch.load(room / "codes.pt", weights_only=True)
        lessons = replace(lessons, codes=read["codes"], summaries=read["summaries"])
    batches = Batches(lessons, recipe.batch, recipe.side, recipe.seed, recipe.known)
    run = Run(room, phase, lessons, recipe)
    with ThreadPoolExecutor(max_workers=1) as hands, Journal(room / "stylizer.csv") as journal:
        coming = hands.submit(batches.make, run.step)
        while run.step < recipe.steps:
            batch = coming.result()
            coming = hands.submit(batches.make, run.step + 1)
            journal.note(run.step, run.advance(eye, batch))
            if run.step % 100 == 0 or run.step == recipe.steps:
                run.save()


class Run:
    """A phase under way: networks, their running average, optimiser, content weight, step."""

    def __init__(self, room: Path, phase: str, lessons: Lessons, recipe: Recipe) -> None:
        self.path = room / "stylizer.pt"
        self.phase = phase
        self.recipe = recipe
        self.step = 0
        self.content_weight = 0.25
        self.pair = Pair(Layout(), len(PAINTINGS) + len(MEDIUMS))
        state = torch.load(self.path, weights_only=True) if self.path.exists() else None
        if state is None:
            start_codes(self.pair, lessons)
        else:
            self.pair.load_state_dict(state["pair"])
        going_on = state is not None and state["phase"] == phase
        self.optimiser = torch.optim.Adam(
            [
                {"params": self.pair.stylizer.parameters()},
                {"params": [self.pair.named], "times": NAMED_RATE},
                {"params": self.pair.correction.parameters()},
            ],
            betas=(0.9, 0.99),
        )
        self.average = copied(self.pair)
        if going_on:
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.content_weight = state["step"], state["content_weight"]
            self.average = state["average"]

    def advance(self, eye: Perception, batch: Batch) -> dict[str, float]:
        """Take one step and return its losses by name."""
        rate = self.recipe.rate * rate_at(self.step, self.recipe)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group.get("times", 1.0)
        losses = judge(self.pair, eye, batch, self.recipe)
        recipe = self.recipe
        total = (
            losses["copy"]
            + recipe.style * (losses["style"] + PALETTE_WEIGHT * losses["palette"])
            + recipe.style * self.content_weight * losses["content"]
            + recipe.steady * losses["unsteady"]
            + 20 * losses["excess"]
            + recipe.grid * losses["grid"]
            + recipe.glow * losses["glow"]
        )
        self.optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.pair.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        found = {name: loss.item() for name, loss in losses.items()}
        if found["content"] > 0:
            # A slow controller: the style is as strong as the wanted content distance allows.
            push = np.clip(found["content"] / self.recipe.content - 1, -0.5, 0.5)
            self.content_weight = float(np.clip(self.content_weight * np.exp(0.01 * push), 0.05, 8))
        follow(self.average, self.pair, self.step, AVERAGE_KEPT)
        return found | {"weight": self.content_weight, "rate": rate}

    def save(self) -> None:
        """Write everything needed to go on, in one move."""
        state = {
            "pair": self.pair.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "phase": self.phase,
            "step": self.step,
            "content_weight": self.content_weight,
        }
        write_whole(state, self.path)


@torch.no_grad()
def start_codes(pair: Pair, lessons: Lessons) -> None:
    """Give the named styles their first codes: the paintings theirs, the mediums any."""
    spread = lessons.codes.std(dim=0)
    pair.named.copy_(torch.randn(pair.named.shape) * spread)
    pair.named[: len(PAINTINGS)] = lessons.codes[: len(PAINTINGS)]


def rate_at(step: int, recipe: Recipe) -> float:
    """Return the share of the learning rate: a short rise, then half a cosine to a twentieth."""
    rise = min(1.0, (step + 1) / 50)
    fall = 0.5 * (1 + np.cos(np.pi * min(1.0, step / recipe.steps)))
    return float(rise * (0.05 + 0.95 * fall))


def judge(pair: Pair, eye: Perception, batch: Batch, recipe: Recipe) -> dict[str, Tensor]:
    """Return the losses of one batch by name, each a mean over the pictures it concerns."""
    codes = codes_of(pair, batch)
    with torch.autocast("cpu", torch.bfloat16):
        drawn = pair.stylizer(batch.photos, batch.thumbnails, codes).float()
    inner = slice(MARGIN, -MARGIN)
    # The eye sees what a viewer would; what left the limits is brought back by `excess` alone.
    seen = drawn[:, :, inner, inner].clamp(0, 1)
    grams, features = pyramid_grams(eye, seen)
    levels = torch.tensor(LEVEL_WEIGHTS)
    with torch.no_grad():
        wanted = batch.pictures[:, :, inner, inner]
        wanted_grams, wanted_features = pyramid_grams(eye, wanted)
    copies = (
        drawing_distance(seen, features, wanted, wanted_features)
        + gram_distance(grams, wanted_grams) @ levels
        + 3 * palette_distance(palette(seen), palette(wanted))
    )
    shares = torch.where(batch.styled, recipe.copy, 1.0)
    nothing = torch.zeros(())
    losses = {
        "copy": (copies * shares).mean(),
        "style": nothing,
        "palette": nothing,
        "content": nothing,
        "unsteady": nothing,
        "excess": excess(drawn),
        "grid": grid(seen),
        "glow": glow(seen, batch.photos[:, :, inner, inner]),
    }
    free = batch.styled.float()
    if recipe.style and free.any():
        with torch.no_grad():
            photo = eye(batch.photos[:, :, inner, inner])
        losses["style"] = ((gram_distance(grams, batch.grams) @ levels) * free).mean()
        losses["palette"] = (palette_distance(palette(seen), batch.palettes) * free).mean()
        losses["content"] = (content_loss(features, photo) * free).sum() / free.sum()
    if recipe.steady:
        with torch.autocast("cpu", torch.bfloat16):
            moved = pair.stylizer(batch.moved, batch.view, codes[:1]).float()
        losses["unsteady"] = displacement(drawn[0], moved[0], batch.shift)
    return losses


def codes_of(pair: Pair, batch: Batch) -> Tensor:
    """Return the codes [N,CODE_SIZE]: the named styles' own, or the lesson's with some noise."""
    read = batch.codes + pair.correction(batch.summaries)
    codes = read + torch.randn_like(read) * CODE_NOISE
    known = batch.named >= 0
    return torch.where(known[:, None], pair.named[batch.named.clamp_min(0)], codes)


if __name__ == "__main__":
    main()
