"""Holes to learn from: what people and things leave, strokes, boxes and blobs."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from services.vision.sketch import SIDE

Floats: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]
Random: TypeAlias = np.random.Generator

SHARE_LEAST, SHARE_MOST = 0.05, 0.45
"""Of the picture that a hole takes."""

OUTLINE_SIDE = 160
"""Rows that outlines of people are kept at."""

STANDING_SHARE = 0.5
"""Of people who reach down to the picture's lower border."""

TRIES = 20


class Holes:
    """Draws holes; each is SIDExSIDE float32, 1 where the picture is missing."""

    def __init__(self, data: Path) -> None:
        """Read the outlines of the rendered people below a data folder."""
        names = sorted(path for path in (data / "people").glob("*.png") if "_" not in path.name)
        self._outlines = [read_outline(path) for path in names]
        self._kinds: tuple[tuple[Callable[[Random], Floats], float], ...] = (
            (self._person, 0.62),
            (self._group, 0.18),
            (strokes, 0.04),
            (box, 0.06),
            (blob, 0.10),
        )

    def draw(self, random: Random) -> Floats:
        """Return a hole of SHARE_LEAST to SHARE_MOST of the picture."""
        shares = [share for _, share in self._kinds]
        for _ in range(TRIES):
            kind = self._kinds[int(random.choice(len(shares), p=shares))][0]
            hole = widened(kind(random), int(random.integers(0, 4)))
            if SHARE_LEAST <= hole.mean() <= SHARE_MOST:
                return hole
        return box(random)

    def _person(self, random: Random) -> Floats:
        """Return somebody's outline, as a rule upright and near the middle."""
        outline = self._outlines[int(random.integers(len(self._outlines)))]
        height = random.uniform(0.45, 1.1) * SIDE
        # Pictures are squeezed to a square, and people with them.
        width = height * outline.shape[1] / outline.shape[0] * np.exp(random.normal() * 0.4)
        turn = np.deg2rad(random.normal() * (8 if random.random() < 0.8 else 60))
        across, down = random.normal(0.5, 0.16), random.normal(0.58, 0.14)
        if random.random() < STANDING_SHARE:
            down = max(down, 1 - height / SIDE / 2)
        middle = across * SIDE, down * SIDE
        return laid(outline, (height, width), turn, middle)

    def _group(self, random: Random) -> Floats:
        """Return two or three people's outlines in one."""
        return np.max([self._person(random) for _ in range(int(random.integers(2, 4)))], axis=0)


def read_outline(path: Path) -> Pixels:
    """Read somebody's mask, cut to its hull."""
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[:, :, 3]
    rows, columns = np.flatnonzero(mask.max(axis=1) > 99), np.flatnonzero(mask.max(axis=0) > 99)
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = OUTLINE_SIDE / cut.shape[0]
    size = (max(8, round(cut.shape[1] * scale)), OUTLINE_SIDE)
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)


def laid(
    outline: Pixels, size: tuple[float, float], turn: float, middle: tuple[float, float]
) -> Floats:
    """Lay a mask into the picture: scaled to height and width, turned, its middle at x and y."""
    down, right = size[0] / outline.shape[0], size[1] / outline.shape[1]
    matrix = np.array(
        [
            [np.cos(turn) * right, -np.sin(turn) * down, 0],
            [np.sin(turn) * right, np.cos(turn) * down, 0],
        ]
    )
    centre = np.array([outline.shape[1] / 2, outline.shape[0] / 2])
    matrix[:, 2] = np.array(middle) - matrix[:, :2] @ centre
    mask = cv2.warpAffine(outline, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(mask, np.float32) / 255


def widened(hole: Floats, reach: int) -> Floats:
    """Widen a hole by so many pixels."""
    if reach == 0:
        return hole
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(hole, disc), np.float32)


def strokes(random: Random) -> Floats:
    """Return a few wandering strokes."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(random.integers(1, 5))):
        place = random.uniform(0, SIDE, 2)
        angle = random.uniform(0, 2 * np.pi)
        width = int(random.integers(4, 18))
        for _ in range(int(random.integers(2, 9))):
            angle += random.normal() * 0.7
            ahead = random.uniform(8, 36) * np.array([np.cos(angle), np.sin(angle)])
            ends = [tuple(np.int32(each).tolist()) for each in (place, place + ahead)]
            cv2.line(mask, ends[0], ends[1], 255, width, cv2.LINE_AA)
            place = place + ahead
    return mask.astype(np.float32) / 255


def box(random: Random) -> Floats:
    """Return one box."""
    hole = np.zeros((SIDE, SIDE), np.float32)
    rows, columns = random.integers(SIDE // 5, SIDE * 2 // 3, 2)
    top, left = (int(random.integers(0, SIDE - extent + 1)) for extent in (rows, columns))
    hole[top : top + rows, left : left + columns] = 1
    return hole


def blob(random: Random) -> Floats:
    """Return what is high in smooth noise."""
    cells = int(random.integers(3, 7))
    noise = random.normal(size=(cells, cells)).astype(np.float32)
    smooth = cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    level = np.quantile(smooth, 1 - random.uniform(0.08, 0.4))
    return np.clip((smooth - level) * 8 + 0.5, 0, 1).astype(np.float32)
