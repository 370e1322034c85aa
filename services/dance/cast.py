"""The shadow that a photo's person casts on the ground, which must not stay when they dance away.

A shadow keeps the ground's tint and takes some of its light. What is darker than the ground beside
it, of the same tint and connected to the feet, is taken for one.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.pixels import blur, grow, resized, touching
from services.dance.skeleton import LEGS, Skeleton

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

# Shadows are soft: they are looked for where a leg is so many pixels long.
LEG_PIXELS = 96
# The ground beside the feet, in leg lengths: above and below the ankles, and to both sides.
ABOVE, BELOW, BESIDE = 0.4, 0.45, 1.3
# The light of a row is that of its brighter part.
LIT_PERCENTILE = 70.0
# What is darker than the ground by this, in logarithms, is in a shadow; of a tint that differs by
# no more.
DARKER_MIN = 0.1
TINT_MAX = 0.12
# Grain that is smoothed away, how near the feet a shadow begins, and its soft edge, in leg lengths.
GRAIN_SHARE, NEAR_SHARE, EDGE_SHARE = 0.02, 0.1, 0.05
# What is larger than this, in squares of a leg, is dark ground and no shadow.
AREA_MAX = 0.45
# Added before logarithms: the noise of black.
BLACK = 8.0
# Where so little of the person is, the ground is seen.
SEEN = 26


def cast_shadow(photo: Pixels, mask: Mask, skeleton: Skeleton) -> Mask:
    """Find the shadow on the ground around the feet of a person who stands.

    Args:
        photo: HxWx3 uint8 RGB.
        mask: HxW, 255 where the person is.
        skeleton: the person's.

    Returns:
        HxW uint8, 255 in the shadow, 0 elsewhere; nothing where no legs are seen.
    """
    if skeleton.missing & set(LEGS):
        return np.zeros(mask.shape, np.uint8)
    step = max(1.0, skeleton.leg / LEG_PIXELS)
    size = (max(1, round(mask.shape[0] / step)), max(1, round(mask.shape[1] / step)))
    leg = skeleton.leg / step
    feet = skeleton.limbs[list(LEGS), 2:].reshape(-1, 2) / step
    (left, top), (right, bottom) = feet.min(axis=0), feet.max(axis=0)
    rows = slice(max(0, round(top - ABOVE * leg)), max(0, round(bottom + BELOW * leg)))
    columns = slice(max(0, round(left - BESIDE * leg)), max(0, round(right + BESIDE * leg)))
    small = resized(photo, size)[rows, columns].astype(np.float32)
    body = grow(np.asarray(resized(mask, size)[rows, columns], np.uint8), EDGE_SHARE * leg)
    found = np.zeros(size, np.uint8)
    if body.size:
        near = np.zeros(body.shape, np.uint8)
        near[
            np.clip(np.rint(feet[:, 1]).astype(int) - rows.start, 0, body.shape[0] - 1),
            np.clip(np.rint(feet[:, 0]).astype(int) - columns.start, 0, body.shape[1] - 1),
        ] = 255
        dark = darker(small, body < SEEN, GRAIN_SHARE * leg)
        shadow = touching(dark, grow(near, NEAR_SHARE * leg))
        if np.count_nonzero(shadow) < AREA_MAX * leg**2:
            found[rows, columns] = grow(shadow, EDGE_SHARE * leg)
    return np.asarray(resized(found, (mask.shape[0], mask.shape[1])) >= 128, np.uint8) * np.uint8(
        255
    )


def darker(ground: Floats, free: NDArray[np.bool_], grain: float) -> Mask:
    """Tell where hxwx3 of ground is darker than the rest of its row, and of the same tint.

    What is not free, the person, counts as dark: a shadow goes on beneath.
    """
    colours = np.log(ground + BLACK)
    light = colours.mean(axis=2)
    tint = colours - light[:, :, None]
    usual_light, usual_tint = np.zeros((len(ground), 1)), np.zeros((len(ground), 1, 3))
    known = np.flatnonzero(free.sum(axis=1) > free.shape[1] // 4)
    if not known.size:
        return np.zeros(free.shape, np.uint8)
    for row in known:
        usual_light[row] = np.percentile(light[row][free[row]], LIT_PERCENTILE)
        usual_tint[row, 0] = np.median(tint[row][free[row]], axis=0)
    missing = np.setdiff1d(np.arange(len(ground)), known)
    nearest = known[np.abs(missing[:, None] - known).argmin(axis=1)] if missing.size else missing
    usual_light[missing], usual_tint[missing] = usual_light[nearest], usual_tint[nearest]
    lack = blur((usual_light - light).astype(np.float32), grain)
    apart = blur(np.abs(tint - usual_tint).max(axis=2).astype(np.float32), grain)
    dark = (lack > DARKER_MIN) & (apart < TINT_MAX) | ~free
    return np.asarray(dark, np.uint8) * np.uint8(255)
