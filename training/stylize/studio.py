"""Studio photos: rendered people before plain walls, where a rim around a figure would be seen."""

from pathlib import Path

import cv2
import numpy as np

from training.stylize.data import Picture, picture

ROWS, COLUMNS = 768, 640
"""Pixels: the size of a studio photo."""

PEOPLE_STEP = 3
"""One of so many cut-out people is taken; the pictures are ordered, so that kinds are mixed."""


def studio_photos(data: Path, count: int, random: np.random.Generator) -> list[Picture]:
    """Return photos of rendered people (`people/NNNNN.png`, RGBA) before walls of one colour."""
    paths = [path for path in sorted((data / "people").glob("*.png")) if "_" not in path.stem]
    return [studio_photo(path, random) for path in paths[::PEOPLE_STEP][:count]]


def studio_photo(path: Path, random: np.random.Generator) -> Picture:
    """Return one person, from knees to head or whole, before a wall."""
    figure = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if figure is None or figure.shape[2] != 4:
        message = f"{path} is not a picture with opacity"
        raise ValueError(message)
    figure = cv2.cvtColor(figure, cv2.COLOR_BGRA2RGBA)
    height = round(ROWS * random.uniform(0.9, 1.7))
    width = round(figure.shape[1] * height / figure.shape[0])
    figure = cv2.resize(figure, (width, height), interpolation=cv2.INTER_CUBIC)
    drawn = wall(random)
    left = COLUMNS // 2 - width // 2 + int(random.integers(-60, 60))
    rows, first = min(ROWS, height), max(0, left)
    columns = min(COLUMNS, left + width) - first
    part = figure[:rows, first - left : first - left + columns].astype(np.float32)
    share = part[..., 3:] / 255
    place = drawn[ROWS - rows :, first : first + columns]
    place += (part[..., :3] - place) * share
    return picture(drawn + random.normal(0, random.uniform(0.3, 3), drawn.shape))


def wall(random: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return a wall [ROWS,COLUMNS,3] 0..255 of one colour, unevenly lit."""
    colour = random.uniform(60, 245) + random.normal(0, 18, 3)
    light = cv2.resize(random.uniform(0.85, 1.1, (3, 3)), (COLUMNS, ROWS))
    return np.clip(light[..., None] * colour, 0, 255).astype(np.float32)
