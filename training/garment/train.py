"""Train the garment network: `python -m training.garment.train --data DATA --room ROOM`.

The room holds masks.npz (see masks.py), garment.pt (weights, their running average, optimiser,
step) and garment.csv. Started again, training goes on where the file stands.
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
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.landmarks import HEAT_SIDE, SIDE
from training.checkpoints import copied, follow, write_whole
from training.garment.batches import UNKNOWN, Material, Sample, load_photos, make_sample
from training.garment.network import GarmentNetwork
from training.parts.people import load_photos as load_grounds
from training.parts.train import rate_at

AVERAGE_KEPT: Final = 0.997
HEAT_WIDTH: Final = 1.3
"""Of the spot around a landmark, in cells of the heat map."""

HELD_EVERY: Final = 12
"""One garment photo in so many is kept out of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train; each is a flag of the command.

    Attributes:
        steps: how many steps the whole training has.
        batch: pictures in a step.
        rate: learning rate at its highest.
        seed: where all random choices start.
    """

    steps: int = 2500
    batch: int = 12
    rate: float = 2e-3
    seed: int = 7


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the garment network.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints and logs")
    parser.add_argument("--seen", type=Path, required=True, help="seen.npz of training.parts")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    flags = vars(parser.parse_args())
    material = load_material(flags.pop("data"), flags["room"], flags.pop("seen"))
    train(material, flags.pop("room"), Recipe(**flags))


def load_material(data: Path, room: Path, seen: Path) -> Material:
    """Read garment photos that train, and photos to lie garments on."""
    peopled = set(np.load(seen)["photos with people"].tolist())
    photos = [
        photo
        for number, photo in enumerate(load_photos(data, room / "masks.npz"))
        if number % HELD_EVERY or photo.kinds == ("other",)
    ]
    return Material(photos, load_grounds(data, SIDE, peopled))


def train(material: Material, room: Path, recipe: Recipe) -> None:
    """Train until recipe.steps are done, saving every few minutes."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(recipe.seed)
    run = Run(room / "garment.pt", recipe)
    started = time.monotonic()
    with (room / "garment.csv").open("a", newline="") as file:
        journal = csv.writer(file)
        while run.step < recipe.steps:
            random = np.random.default_rng((recipe.seed, run.step))
            samples = [make_sample(material, random) for _ in range(recipe.batch)]
            losses = run.advance(samples)
            if run.step % 20 == 0:
                seconds = round(time.monotonic() - started, 1)
                journal.writerow([run.step, seconds, *(round(loss, 4) for loss in losses)])
                file.flush()
            if run.step % 100 == 0 or run.step == recipe.steps:
                run.save()


class Run:
    """A training under way: the network, its running average, the optimiser, the step."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path = path
        self.recipe = recipe
        self.step = 0
        self.network = GarmentNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=1e-2, betas=(0.9, 0.98)
        )
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.average = state["step"], state["average"]
        else:
            # A heat map is cold nearly everywhere: to begin there saves many steps.
            nn.init.constant_(self.network.heat.bias, -5.0)
            self.average = copied(self.network)

    def advance(self, samples: list[Sample]) -> list[float]:
        """Take one step and return the losses of mask, landmarks, kind and count."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * rate_at(self.step, self.recipe.steps)
        images = torch.from_numpy(np.stack([sample.image for sample in samples]))
        images = images.permute(0, 3, 1, 2).float().div_(255)
        with torch.autocast("cpu", torch.bfloat16):
            answers = self.network(images.contiguous(memory_format=torch.channels_last))
        mask, heat, kind, count = (answer.float() for answer in answers)
        losses = [
            mask_loss(mask[:, 0], samples),
            heat_loss(heat, samples),
            kind_loss(kind, samples),
            F.cross_entropy(count, torch.tensor([sample.count for sample in samples])),
        ]
        self.optimiser.zero_grad()
        total = losses[0] + 0.5 * losses[1] + losses[2] + losses[3]
        total.backward()  # type: ignore[no-untyped-call]
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


def mask_loss(logits: Tensor, samples: list[Sample]) -> Tensor:
    """Return cross entropy and dice where the mask is known."""
    true = torch.from_numpy(np.stack([sample.mask for sample in samples]))
    counts = (true != UNKNOWN).float()
    aim = (true == 1).float()
    entropy = F.binary_cross_entropy_with_logits(logits, aim, reduction="none")
    share = logits.sigmoid() * counts
    dice = 1 - (2 * (share * aim).sum() + 1) / (share.sum() + (aim * counts).sum() + 1)
    return (entropy * counts).sum() / counts.sum().clamp(min=1) + 0.5 * dice


def heat_loss(logits: Tensor, samples: list[Sample]) -> Tensor:
    """Return the distance to spots around the landmarks that are known, focal like CornerNet's."""
    aim = torch.from_numpy(np.stack([spots(sample) for sample in samples]))
    known = torch.from_numpy(np.stack([sample.known for sample in samples])) >= 0
    share = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    near = (aim > 0.97).float()
    hot = near * (1 - share) ** 2 * torch.log(share)
    cold = (1 - near) * (1 - aim) ** 4 * share**2 * torch.log(1 - share)
    weight = known[:, :, None, None].float()
    return -((hot + cold) * weight).sum() / (near * weight).sum().clamp(min=1)


def spots(sample: Sample) -> NDArray[np.float32]:
    """Draw 20x64x64 spots of 1 at the landmarks."""
    step = SIDE / HEAT_SIDE
    cells = np.arange(HEAT_SIDE, dtype=np.float32)
    places = np.rint((sample.places + 0.5) / step - 0.5)
    across = np.exp(-((cells[None] - places[:, :1]) ** 2) / (2 * HEAT_WIDTH**2))
    down = np.exp(-((cells[None] - places[:, 1:]) ** 2) / (2 * HEAT_WIDTH**2))
    heat = down[:, :, None] * across[:, None, :] * (sample.known == 1)[:, None, None]
    return np.asarray(heat, np.float32)


def kind_loss(logits: Tensor, samples: list[Sample]) -> Tensor:
    """Return the negative logarithm of the share that the possible kinds have together."""
    possible = torch.from_numpy(np.stack([sample.kinds for sample in samples]))
    counts = possible.any(dim=1)
    if not counts.any():
        return logits.sum() * 0
    shares = logits[counts].log_softmax(dim=1)
    return -shares.masked_fill(~possible[counts], -1e9).logsumexp(dim=1).mean()


if __name__ == "__main__":
    main()
