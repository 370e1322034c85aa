"""Spreading what is known of a picture smoothly over what is not.

A pyramid of means, from fine to coarse and back: Gortler et al., "The Lumigraph" (1996), 3.4.
"""

import numpy as np
from numpy.typing import NDArray

from services.chassis.raster import Lens, Raster


def spread(values: NDArray[np.float32], known: NDArray[np.bool_], raster: Raster | Lens) -> None:
    """Fill the unknown places of hxwx3 values, in place; zero where nothing at all is known.

    Args:
        values: hxwx3 float32.
        known: hxw.
        raster: scales.
    """
    if known.all():
        return
    share = known[:, :, None].astype(np.float32)
    coarse = means(np.concatenate([values * share, share], axis=2), raster)
    values[~known] = coarse[~known]


def means(weighted: NDArray[np.float32], raster: Raster | Lens) -> NDArray[np.float32]:
    """Return hxwx3 means of what is known: of each pixel where it is, of its surroundings else.

    Args:
        weighted: hxwx4, values times their weight, and the weight in 0..1.
        raster: scales.
    """
    height, width = weighted.shape[:2]
    weight = weighted[:, :, 3:]
    own = weighted[:, :, :3] / np.maximum(weight, np.float32(1e-6))
    if height == width == 1:
        return np.asarray(own)
    half = np.empty(((height + 1) // 2, (width + 1) // 2, 4), np.float32)
    raster.resize(weighted, half)
    around = np.empty((height, width, 3), np.float32)
    raster.resize(means(half, raster), around)
    return np.asarray(around + (own - around) * np.minimum(weight, 1))
