"""Pictures to cover surfaces with, and noise to make them of."""

from dataclasses import dataclass

import cv2
import numpy as np

from training.depth.canvas import Floats, Random

TEXTURE_SIDE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Texture:
    """A picture to cover surfaces with, at three sharpnesses.

    Attributes:
        levels: TEXTURE_SIDE squares x3 float32 0..1; each is four times softer than the one before.
        metres: its extent on a surface.
    """

    levels: tuple[Floats, Floats, Floats]
    metres: float

    def at(self, along: Floats, across: Floats, texels: Floats) -> Floats:
        """Look up HxWx3 colours at places in metres; `texels` is how many one pixel spans."""
        places = [fold(axis / self.metres) for axis in (along, across)]
        level = np.clip(np.log2(np.maximum(texels / self.metres, 1.0)) / 2, 0, 2)[:, :, None]
        looked = [
            cv2.remap(picture, places[0], places[1], cv2.INTER_LINEAR) for picture in self.levels
        ]
        low = looked[0] + (looked[1] - looked[0]) * np.minimum(level, 1)
        return np.asarray(low + (looked[2] - low) * np.maximum(level - 1, 0))


def fold(place: Floats) -> Floats:
    """Repeat a texture by mirroring: any number to 0..TEXTURE_SIDE - 1."""
    wave = np.abs(np.mod(place, 2) - 1)
    return np.ascontiguousarray(wave * (TEXTURE_SIDE - 1), np.float32)


def soften(picture: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the three sharpnesses of a texture."""
    four = cv2.GaussianBlur(picture, (0, 0), 2.5, borderType=cv2.BORDER_REFLECT)
    sixteen = cv2.GaussianBlur(picture, (0, 0), 12, borderType=cv2.BORDER_REFLECT)
    return picture, np.asarray(four), np.asarray(sixteen)


def noise(size: tuple[int, int], random: Random, cells: float, falloff: float = 0.5) -> Floats:
    """Return HxW fractal noise around 0, about -1..1, with `cells` bumps along the longer side."""
    total = np.zeros(size, np.float32)
    share = 1.0
    while cells < max(size) / 2:
        scale = cells / max(size)
        rows, columns = (max(2, round(extent * scale) + 1) for extent in size)
        coarse = random.normal(size=(rows, columns)).astype(np.float32)
        total += share * cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
        cells *= 2.3
        share *= falloff
    return total * np.float32(0.6)
