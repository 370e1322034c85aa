"""Train the depth network: `python -m training.depth.train --data DATA --room ROOM`.

The room holds `scenes/` as `training.depth.scenes` made it; training adds depth.pt (weights,
averaged weights, optimiser, minutes spent) and depth.csv. Started again, it goes on where the file
stands; the learning rate falls with the share of the minutes that is spent.
"""

import argparse
import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from training.checkpoints import write_whole
from training.depth.hints import Hint, draw_hints, hint_loss, load_hints
from training.depth.losses import depth_losses
from training.depth.network import DepthNetwork

SAVE_SECONDS = 120
EMA_DECAY = 0.998

SIZES = {
    (192, 256): (96, 128),
    (256, 192): (128, 96),
    (224, 224): (128, 128),
    (160, 288): (96, 160),
}
"""What pictures of each shape are scaled to: at this size the network sees."""

WARM_STEPS = 150

CUT_SHARES = (0.6, 1.0)
"""How much of a picture's height and width a step sees."""

HINTS = 8
"""Photos in each step, beside the scenes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Scenes of one shape, in files that are read as they are needed."""

    pictures: NDArray[np.uint8]
    depths: NDArray[np.uint16]
    kinds: NDArray[np.uint8]


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the depth network.")
    parser.add_argument("--data", type=Path, required=True, help="folder of photos")
    parser.add_argument("--room", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(flags.seed)
    hints = load_hints(flags.data / "photos")
    Training(flags.room, flags.rate, flags.minutes).run(flags.batch, hints, flags.seed)


def load_shelves(folder: Path) -> list[Shelf]:
    """Open all files of scenes."""
    return [
        Shelf(
            pictures=np.load(path, mmap_mode="r"),
            depths=np.load(path.with_name(path.name.replace("pictures", "depths")), mmap_mode="r"),
            kinds=np.load(path.with_name(path.name.replace("pictures", "kinds")), mmap_mode="r"),
        )
        for path in sorted(folder.glob("*_pictures.npy"))
    ]


def draw_batch(
    shelves: list[Shelf], size: int, random: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures [N,3,H,W] 0..1, inverse depths and kinds [N,1,h,w], some mirrored."""
    shares = np.array([len(shelf.pictures) for shelf in shelves], np.float64)
    shelf = shelves[int(random.choice(len(shelves), p=shares / shares.sum()))]
    chosen = np.sort(random.choice(len(shelf.pictures), size, replace=False))
    arrays = [shelf.pictures[chosen], shelf.depths[chosen], shelf.kinds[chosen]]
    flipped = random.random(size) < 0.5
    for array in arrays:
        array[flipped] = array[flipped, :, ::-1]
    pictures = torch.from_numpy(arrays[0]).permute(0, 3, 1, 2).float() / 255
    depths = torch.from_numpy(arrays[1].astype(np.float32) / 65535)[:, None]
    return pictures, depths, torch.from_numpy(arrays[2])[:, None]


def cut(
    pictures: Tensor,
    depths: Tensor,
    kinds: Tensor,
    size: tuple[int, int],
    random: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return a random window of each picture at another size, in another light.

    Inverse depth is again a share of the nearest in the window.
    """
    half = (size[0] // 2, size[1] // 2)
    parts = []
    for index in range(len(pictures)):
        share = random.uniform(*CUT_SHARES)
        rows, columns = (max(8, round(share * extent)) for extent in depths.shape[2:])
        top = int(random.integers(depths.shape[2] - rows + 1))
        left = int(random.integers(depths.shape[3] - columns + 1))
        small = (
            slice(index, index + 1),
            slice(None),
            slice(top, top + rows),
            slice(left, left + columns),
        )
        large = (
            *small[:2],
            slice(2 * top, 2 * (top + rows)),
            slice(2 * left, 2 * (left + columns)),
        )
        light = torch.from_numpy(
            np.exp(random.normal(size=(1, 3, 1, 1)) * 0.1 + random.normal() * 0.15)
        )
        parts.append(
            (
                (F.interpolate(pictures[large], size, mode="area") * light.float()).clamp(0, 1),
                F.interpolate(depths[small], half, mode="nearest"),
                F.interpolate(kinds[small], half, mode="nearest"),
            )
        )
    pictures, depths, kinds = (torch.cat(each) for each in zip(*parts, strict=True))
    nearest = depths.flatten(1).quantile(0.995, dim=1)[:, None, None, None].clamp(min=1e-4)
    return pictures, (depths / nearest).clamp(max=1), kinds


def follow(average: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
    """Move an average towards a value, faster at the start."""
    share = 1 - min(EMA_DECAY, (1 + int(count)) / (10 + int(count)))
    return average + share * (value - average) if average.is_floating_point() else value


class Training:
    """One training and what it keeps."""

    def __init__(self, room: Path, rate: float, minutes: float) -> None:
        self._room, self._rate, self._minutes = room, rate, minutes
        self.network = DepthNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(self.network, avg_fn=follow, use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=0.02)
        self.spent, self.step = 0.0, 0
        self._file = room / "depth.pt"
        if self._file.exists():
            self._load()

    def run(self, batch: int, hints: list[Hint], seed: int) -> None:
        """Train until the minutes are spent."""
        shelves = load_shelves(self._room / "scenes")
        random = np.random.default_rng(seed + self.step)
        saved = last = time.monotonic()
        sums: dict[str, float] = {}
        while self.spent < self._minutes:
            pictures, depths, kinds = draw_batch(shelves, batch, random)
            shape = (pictures.shape[2], pictures.shape[3])
            size = SIZES[shape]
            pictures, depths, kinds = cut(pictures, depths, kinds, size, random)
            photos, levels = draw_hints(hints, HINTS, size, random)
            losses = self._learn(torch.cat([pictures, photos]), depths, kinds, levels)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            now = time.monotonic()
            self.spent += (now - last) / 60
            last = now
            if self.step % 50 == 0:
                self._note({name: value / 50 for name, value in sums.items()})
                sums.clear()
            if now - saved > SAVE_SECONDS:
                self._save()
                saved = now
        self._save()

    def _learn(
        self, pictures: Tensor, depths: Tensor, kinds: Tensor, levels: Tensor
    ) -> dict[str, float]:
        """Take one step on scenes and, at the end of the pictures, photos; return the losses."""
        self.network.train()
        share = min(1.0, self.spent / self._minutes)
        warm = min(1.0, (self.step + 1) / WARM_STEPS)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate * warm * (0.51 + 0.49 * math.cos(math.pi * share))
        with torch.autocast("cpu", torch.bfloat16):
            answers = self.network.answers(pictures.to(memory_format=torch.channels_last))
        answers = answers.float()
        losses = depth_losses(answers[: len(depths)], depths, kinds)
        losses["hint"] = 0.8 * hint_loss(torch.sigmoid(answers[len(depths) :, :1]), levels)
        self.optimiser.zero_grad(set_to_none=True)
        sum(losses.values()).backward()  # type: ignore[union-attr]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _note(self, means: dict[str, float]) -> None:
        """Append a line to the log."""
        with (self._room / "depth.csv").open("a") as file:
            values = [f"{value:.4f}" for value in means.values()]
            csv.writer(file).writerow([self.step, f"{self.spent:.2f}", *values])

    def _save(self) -> None:
        kept = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "spent": self.spent,
            "step": self.step,
        }
        write_whole(kept, self._file)

    def _load(self) -> None:
        kept = torch.load(self._file, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.average.load_state_dict(kept["average"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.spent, self.step = kept["spent"], kept["step"]


if __name__ == "__main__":
    main()
