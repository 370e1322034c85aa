"""Hints: photos on which we noted by eye, on a grid of 5x5, what is how near.

`hints.txt` has one photo a line, its rows of digits first: 0 is sky or the farthest, 9 the nearest,
a dot what can't be said. A photo of fives alone shows something flat: a page, a wall, clouds.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

FILE = Path(__file__).parent / "hints.txt"
CELLS = 5
NOTHING = 255
EVEN = 5
PAIRS = 800
STEP_MIN = 2
SOFTNESS = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One photo and what we noted.

    Attributes:
        photo: HxWx3 uint8 RGB.
        levels: 5x5 uint8, 0..9 or NOTHING.
    """

    photo: NDArray[np.uint8]
    levels: NDArray[np.uint8]


def load_hints(photos: Path) -> list[Hint]:
    """Read the photos of the hints, at most 512 pixels a side."""
    return [load_hint(photos, line) for line in FILE.read_text().splitlines()]


def load_hint(photos: Path, line: str) -> Hint:
    """Read the photo of one line."""
    *rows, name = line.split(maxsplit=CELLS)
    pixels = cv2.imread(str(photos / name), cv2.IMREAD_COLOR)
    if pixels is None:
        message = f"{name} is not a picture"
        raise ValueError(message)
    scale = min(1.0, 512 / max(pixels.shape[:2]))
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    levels = [[NOTHING if digit == "." else int(digit) for digit in row] for row in rows]
    return Hint(
        photo=np.ascontiguousarray(small[:, :, ::-1], np.uint8), levels=np.array(levels, np.uint8)
    )


def draw_hints(
    hints: list[Hint], count: int, shape: tuple[int, int], random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return windows of photos [N,3,H,W] 0..1, mirrored and in another light, and their levels.

    Levels are [N,H/2,W/2], NOTHING near the border of a cell, where ours may be off.
    """
    pictures, levels = [], []
    half = (shape[1] // 2, shape[0] // 2)
    for index in random.choice(len(hints), count, replace=False):
        picture, level = window(hints[int(index)], random)
        picture = cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_AREA)
        picture = (picture.astype(np.float32) / 255) ** np.exp(random.normal() * 0.25)
        picture = picture * np.exp(random.normal(size=3) * 0.1)
        level = cv2.resize(level, half, interpolation=cv2.INTER_NEAREST)
        if random.random() < 0.5:
            picture, level = picture[:, ::-1], level[:, ::-1]
        pictures.append(np.clip(picture, 0, 1).astype(np.float32))
        levels.append(np.ascontiguousarray(level))
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked, torch.from_numpy(np.stack(levels))


def window(hint: Hint, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a random window of a photo and the levels in it, both at the photo's size."""
    height, width = hint.photo.shape[:2]
    known = hint.levels.copy()
    level = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    if (known != EVEN).any():
        down, right = (np.arange(extent) * CELLS / extent % 1 for extent in (height, width))
        near = np.abs(down - 0.5) > 0.4, np.abs(right - 0.5) > 0.4
        level[near[0]] = NOTHING
        level[:, near[1]] = NOTHING
    rows, columns = (round(random.uniform(0.6, 1.0) * extent) for extent in (height, width))
    top, left = int(random.integers(height - rows + 1)), int(random.integers(width - columns + 1))
    part = (slice(top, top + rows), slice(left, left + columns))
    return hint.photo[part], level[part]


def hint_loss(found: Tensor, levels: Tensor) -> Tensor:
    """Compare places two by two, and ask flat photos for even answers and sky for nothing.

    Args:
        found: [N,1,h,w] 0..1 inverse depth.
        levels: [N,h,w] 0..9 or NOTHING.
    """
    near, noted = found.flatten(1), levels.flatten(1).float()
    places = torch.randint(near.shape[1], (len(near), 2 * PAIRS))
    (first, second), (one, other) = (
        each.gather(1, places).chunk(2, dim=1) for each in (near, noted)
    )
    apart = one - other
    counted = (apart.abs() >= STEP_MIN) & (one != NOTHING) & (other != NOTHING)
    wrong = F.softplus(-torch.sign(apart) * (first - second) / SOFTNESS)
    order = (wrong * counted).sum() / counted.sum().clamp(min=1)
    flat = (noted == EVEN).all(dim=1)
    even = near[flat].std(dim=1).mean() if flat.any() else found.new_zeros(())
    sky = noted == 0
    return order + even + (near * sky).sum() / sky.sum().clamp(min=1)
