"""Pictures to cut holes into: windows of photos, and drawings in which large shapes meet."""

from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from services.vision.sketch import SIDE
from training.stylize.data import (
    JUDGING_FOLDER,
    TRAINING_FOLDERS,
    read,
    resized,
    training_paths,
)

Floats: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]
Random: TypeAlias = np.random.Generator

SHORT_SIDE = 320
"""Pixels that photos are kept at: the smallest windows of it have SIDE pixels."""

DRAWN_SHARE = 0.18
"""Of the pictures."""

WINDOW_LEAST = 0.4
"""A window's least height and width, of the photo's."""


class Pictures:
    """Photos in memory, and what is drawn with their textures."""

    def __init__(self, data: Path) -> None:
        """Read the photos below a data folder that are there to learn from."""
        self._photos = [resized(read(path), SHORT_SIDE) for path in training_paths(data)]

    def draw(self, random: Random) -> Floats:
        """Return SIDExSIDEx3 0..1 RGB."""
        whole = self._drawn(random) if random.random() < DRAWN_SHARE else self._window(random)
        light = np.exp(random.normal() * 0.18 + random.normal(size=3) * 0.06)
        grey = whole.mean(axis=2, keepdims=True)
        coloured = grey + (whole - grey) * random.uniform(0.5, 1.2)
        return np.clip(coloured * light, 0, 1).astype(np.float32)

    def _window(self, random: Random) -> Floats:
        """Return a window of a photo, squeezed to a square, mirrored half of the time."""
        photo = self._photos[int(random.integers(len(self._photos)))]
        extents = [round(random.uniform(WINDOW_LEAST, 1.0) * side) for side in photo.shape[:2]]
        starts = [
            int(random.integers(side - extent + 1))
            for side, extent in zip(photo.shape[:2], extents, strict=True)
        ]
        window = photo[starts[0] : starts[0] + extents[0], starts[1] : starts[1] + extents[1]]
        small = cv2.resize(window, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        if random.random() < 0.5:
            small = small[:, ::-1]
        return np.asarray(small, np.float32) / 255

    def _drawn(self, random: Random) -> Floats:
        """Return fields of colour and texture that meet along straight lines, as horizons do."""
        picture = self._field(random)
        for _ in range(int(random.integers(1, 4))):
            softness = random.choice([0.6, 1.0, 3.0], p=[0.6, 0.25, 0.15])
            share = np.clip(line(random) / softness + 0.5, 0, 1)[:, :, None]
            picture = picture + (self._field(random) - picture) * share
        grain = random.normal(size=picture.shape[:2]) * 0.02 * random.random()
        return np.asarray(picture + grain[:, :, None], np.float32)

    def _field(self, random: Random) -> Floats:
        """Return a slope from one colour to another, some of them textured."""
        colours = random.uniform(0.05, 0.95, (2, 3))
        grey = colours.mean(axis=1, keepdims=True)
        colours = grey + (colours - grey) * random.uniform(0.1, 1.0)
        colours[1] = colours[0] + (colours[1] - colours[0]) * random.uniform(0, 0.6)
        along = np.clip(line(random) / SIDE + 0.5, 0, 1)[:, :, None]
        field = colours[0] + (colours[1] - colours[0]) * along
        if random.random() < 0.6:
            texture = self._window(random)
            field = field + (texture - texture.mean(axis=(0, 1))) * random.uniform(0.1, 0.7)
        return np.asarray(field, np.float32)


def held_paths(data: Path) -> list[Path]:
    """Return the photos that nothing is learnt from, in a fixed order."""
    folders = (*TRAINING_FOLDERS, JUDGING_FOLDER)
    paths = [path for folder in folders for path in sorted((data / folder).glob("*.jpg"))]
    learning = set(training_paths(data))
    return [path for path in paths if path not in learning]


def line(random: Random) -> Floats:
    """Return the distance of each pixel from a line, in pixels; most lines are nearly level."""
    angle = random.normal() * 0.06 if random.random() < 0.6 else random.uniform(0, np.pi)
    down, right = (
        np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - random.uniform(0.2, 0.8, (2, 1, 1)) * SIDE
    )
    return np.asarray(down * np.cos(angle) + right * np.sin(angle), np.float32)
