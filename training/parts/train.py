"""Train the parts network: `python -m training.parts.train --data DATA --room ROOM`.

The room holds seen.npz (see people.py), parts.pt (weights, their running average, optimiser, step)
and parts.csv. Started again, training goes on where the file stands.
"""

import argparse
import csv
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.checkpoints import copied, follow, write_whole
from training.parts.batches import Sample, make_sample
from training.parts.network import PartsNetwork
from training.parts.people import load_people, load_peopled, load_photos
from training.parts.real import load_real

BODY_WEIGHTS: Final = (0.4, 0.8, 0.6, 1.2, 1.2, 1.4, 1.4, 2, 2, 1, 1, 1.1, 1.1, 1.5, 1.5)
"""Of the classes in the loss: small parts count more."""

WEAR_WEIGHTS: Final = (0.4, 0.8, 0.9, 1.4, 1, 1.3, 1.4, 1)
DICE_WEIGHT: Final = 0.6
REAL_SHARE: Final = 0.15
"""Of the samples, once there are labelled photos."""

UNKNOWN: Final = 255
AVERAGE_KEPT: Final = 0.997


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train; each is a flag of the command.

    Attributes:
        steps: how many steps the whole training has.
        batch: pictures in a step.
        rate: learning rate at its highest.
        seed: where all random choices start.
    """

    steps: int = 3000
    batch: int = 8
    rate: float = 2e-3
    seed: int = 6


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the parts network.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints and logs")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    flags = vars(parser.parse_args())
    train(flags.pop("data"), flags.pop("room"), Recipe(**flags))


def train(data: Path, room: Path, recipe: Recipe) -> None:
    """Train until recipe.steps are done, saving every few minutes."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(recipe.seed)
    people = [person for person in load_people(data, room / "seen.npz") if not person.is_held]
    photos = load_photos(data, 256, load_peopled(room / "seen.npz"))
    real = load_real(room / "real.npz") if (room / "real.npz").exists() else []
    run = Run(room / "parts.pt", recipe)
    started = time.monotonic()
    with (room / "parts.csv").open("a", newline="") as file:
        journal = csv.writer(file)
        while run.step < recipe.steps:
            random = np.random.default_rng((recipe.seed, run.step))
            samples = [
                make_sample(
                    real if real and random.random() < REAL_SHARE else people, photos, random
                )
                for _ in range(recipe.batch)
            ]
            losses = run.advance(*as_tensors(samples))
            if run.step % 20 == 0:
                seconds = round(time.monotonic() - started, 1)
                journal.writerow([run.step, seconds, *(round(loss, 4) for loss in losses)])
                file.flush()
            if run.step % 100 == 0 or run.step == recipe.steps:
                run.save()


def as_tensors(samples: list[Sample]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return images in 0..1, guides, and labels of body and wear."""
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))
    images = images.permute(0, 3, 1, 2).float().div_(255)
    guides = torch.from_numpy(np.stack([sample.guide for sample in samples]))
    body = torch.from_numpy(np.stack([sample.body for sample in samples])).long()
    wear = torch.from_numpy(np.stack([sample.wear for sample in samples])).long()
    return images.contiguous(memory_format=torch.channels_last), guides, body, wear


class Run:
    """A training under way: the network, its running average, the optimiser, the step."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path = path
        self.recipe = recipe
        self.step = 0
        self.network = PartsNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=1e-2, betas=(0.9, 0.98)
        )
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.average = state["step"], state["average"]
        else:
            self.average = copied(self.network)

    def advance(self, images: Tensor, guides: Tensor, body: Tensor, wear: Tensor) -> list[float]:
        """Take one step and return the losses of body and wear."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * rate_at(self.step, self.recipe.steps)
        with torch.autocast("cpu", torch.bfloat16):
            body_logits, wear_logits = self.network(images, guides)
        losses = [
            loss_of(body_logits.float(), body, BODY_WEIGHTS),
            loss_of(wear_logits.float(), wear, WEAR_WEIGHTS),
        ]
        self.optimiser.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        follow(self.average, self.network, self.step, AVERAGE_KEPT)
        return [loss.item() for loss in losses]

    def save(self) -> None:
        """Write everything needed to go on, in one move."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        write_whole(state, self.path)


def rate_at(step: int, steps: int) -> float:
    """Return the share of the highest rate: a short rise, then a fall to a hundredth."""
    rise = min(1.0, (step + 1) / 100)
    fall = 0.5 * (1 + float(np.cos(np.pi * min(1.0, step / steps))))
    return rise * (0.01 + 0.99 * fall)


def loss_of(logits: Tensor, labels: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Return weighted cross entropy, plus what the classes of the batch fail to cover (dice)."""
    share_of = torch.tensor(weights, dtype=torch.float32)
    entropy = F.cross_entropy(logits, labels, share_of, ignore_index=UNKNOWN)
    known = (labels != UNKNOWN)[:, None]
    shares = logits.softmax(dim=1) * known
    true = F.one_hot(labels.masked_fill(~known[:, 0], 0), len(weights)).permute(0, 3, 1, 2) * known
    common = (shares * true).sum(dim=(0, 2, 3))
    total = (shares + true).sum(dim=(0, 2, 3))
    present = true.sum(dim=(0, 2, 3)) > 0
    dice = 1 - (2 * common + 1) / (total + 1)
    return entropy + DICE_WEIGHT * dice[present].mean()


if __name__ == "__main__":
    main()
