"""Noise as fine and as strong as that of the photo, so that what is made up looks taken."""

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.canvas import Chosen, Pixels

GRAIN_MAX = 1.2
# One pixel of so many is measured.
SAMPLED = 5
# Rows and columns after which the noise comes again; too faint for that to be seen.
TILE = 256


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
        grey = canvas.grey(pixels[window])
        fine = np.abs(grey - canvas.blurred(grey, 1.5))[seen[window]][::SAMPLED]
        strength = min(float(np.median(fine)) * 1.48, GRAIN_MAX)
    noise = np.random.default_rng(seed).standard_normal((TILE, TILE), np.float32)
    tile = canvas.blurred(noise, 0.6) * np.float32(2.0 * strength)
    times = -(-shape[0] // TILE), -(-shape[1] // TILE)
    return np.tile(tile, times)[: shape[0], : shape[1]]
