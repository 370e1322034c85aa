"""Train the sketching network: `python -m training.inpaint.train --data DATA --room ROOM`.

The room holds inpaint.pt (weights, their running average, optimiser, minutes spent, step) and
inpaint.csv. Started again, training goes on where the file stands; the learning rate falls with the
share of the minutes that is spent. Nothing is labelled: photos with holes are their own answer.
"""

import argparse
import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from services.chassis.raster.cpu import CpuRaster
from services.vision.proposals import propose, smooth
from training.checkpoints import copied, follow, write_whole
from training.inpaint.holes import Holes
from training.inpaint.losses import losses_of
from training.inpaint.network import Sketching
from training.inpaint.pictures import Floats, Pictures
from training.stylize.perception import Perception

SAVE_SECONDS = 120
NOTE_STEPS = 25
AVERAGE_KEPT = 0.999
WARM_STEPS = 100
GRADIENT_MOST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Pictures with holes, for a step.

    Attributes:
        ways: [N,9,H,W] 0..1, the holes filled smoothly, along rows and along columns.
        trusts: [N,3,H,W], logits of how far each of these is to be trusted.
        truths: [N,3,H,W] 0..1.
        holes: [N,1,H,W] 0..1.
    """

    ways: Tensor
    trusts: Tensor
    truths: Tensor
    holes: Tensor


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the sketching network.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints and logs")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=5)
    flags = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(flags.seed)
    flags.room.mkdir(parents=True, exist_ok=True)
    training = Training(flags.room, flags.rate, flags.minutes, flags.data)
    training.run(Material(flags.data, flags.seed), flags.batch)


class Material:
    """What training looks at: pictures, and holes in them."""

    def __init__(self, data: Path, seed: int) -> None:
        self._pictures, self._holes, self._seed = Pictures(data), Holes(data), seed
        self._raster = CpuRaster(1)
        cv2.setNumThreads(1)

    def batch(self, step: int, size: int) -> Batch:
        """Return the pictures of a step: the same ones for the same step."""
        random = np.random.default_rng((self._seed, step))
        truths = [self._pictures.draw(random) for _ in range(size)]
        return as_batch(truths, [self._holes.draw(random) for _ in range(size)], self._raster)


def as_batch(truths: list[Floats], holes: list[Floats], raster: CpuRaster) -> Batch:
    """Prepare pictures HxWx3 0..1 and holes HxW 0..1 as a service does."""
    ways, trusts = [], []
    for truth, hole in zip(truths, holes, strict=True):
        dark = np.rint(truth * (1 - hole)[:, :, None] * 255).astype(np.uint8)
        given = propose(smooth(dark, hole, raster), hole)
        ways.append(np.concatenate([given.smooth, given.across, given.down], axis=2))
        trusts.append(given.trust)
    return Batch(
        ways=planes(np.stack(ways).astype(np.float32) / 255),
        trusts=torch.from_numpy(np.stack(trusts)),
        truths=planes(np.stack(truths)),
        holes=torch.from_numpy(np.stack(holes))[:, None],
    )


def planes(pictures: Floats) -> Tensor:
    """Return [N,C,H,W] of NxHxWxC."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


class Training:
    """One training and what it keeps."""

    def __init__(self, room: Path, rate: float, minutes: float, data: Path) -> None:
        self._room, self._rate, self._minutes = room, rate, minutes
        self._perception = Perception(data / "teachers" / "vgg19_distilled16x_e5.pth")
        self.network = Sketching().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copied(self.network)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=rate, weight_decay=0.01, betas=(0.9, 0.98)
        )
        self.spent, self.step = 0.0, 0
        self._file = room / "inpaint.pt"
        if self._file.exists():
            self._load()

    def run(self, material: Material, size: int) -> None:
        """Train until the minutes are spent."""
        saved = last = time.monotonic()
        sums: dict[str, float] = {}
        while self.spent < self._minutes:
            for name, value in self._learn(material.batch(self.step, size)).items():
                sums[name] = sums.get(name, 0.0) + value / NOTE_STEPS
            now = time.monotonic()
            self.spent += (now - last) / 60
            last = now
            if self.step % NOTE_STEPS == 0:
                self._note(sums)
                sums.clear()
            if now - saved > SAVE_SECONDS:
                self._save()
                saved = now
        self._save()

    def _learn(self, batch: Batch) -> dict[str, float]:
        """Take one step and return the parts of the loss."""
        self.network.train()
        share = min(1.0, self.spent / self._minutes)
        warm = min(1.0, (self.step + 1) / WARM_STEPS)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate * warm * (0.505 + 0.495 * math.cos(math.pi * share))
        ways = batch.ways.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            filling = self.network(ways, batch.trusts, batch.holes)
        losses = losses_of(filling, batch.truths, batch.holes, self._perception)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_MOST)
        self.optimiser.step()
        self.step += 1
        follow(self.average, self.network, self.step, AVERAGE_KEPT)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _note(self, means: dict[str, float]) -> None:
        """Append a line to the log."""
        with (self._room / "inpaint.csv").open("a", newline="") as file:
            values = [f"{value:.4f}" for value in means.values()]
            csv.writer(file).writerow([self.step, f"{self.spent:.2f}", *values])

    def _save(self) -> None:
        """Write everything needed to go on, in one move."""
        kept = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "spent": self.spent,
            "step": self.step,
        }
        write_whole(kept, self._file)

    def _load(self) -> None:
        kept = torch.load(self._file, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.average, self.spent, self.step = kept["average"], kept["spent"], kept["step"]


if __name__ == "__main__":
    main()
