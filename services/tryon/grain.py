"""Noise as fine and as strong as that of the photo, so that what is made up looks taken."""

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.canvas import Chosen, Pixels

GRAIN_MAX = 1.2


def grain(pixels: Pixels, seen: Chosen, shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Make noise as fine and as strong as that of what is seen.

    Args:
        pixels: HxWx3.
        seen: HxW, the smooth surface whose noise it is to be.
        shape: rows and columns of the answer.
        seed: chooses it.
    """
    strength = GRAIN_MAX
    if seen.any():
        window = canvas.bounds(seen, 2)
        grey = pixels[window].mean(axis=2, dtype=np.float32)
        fine = np.abs(grey - canvas.blurred(grey, 1.5))[seen[window]]
        strength = min(float(np.median(fine)) * 1.48, GRAIN_MAX)
    noise = np.random.default_rng(seed).standard_normal(shape[:2], np.float32)
    return np.asarray(canvas.blurred(noise, 0.6) * 2.0 * strength, np.float32)
