"""The trunk's sides: what they can't look like, and how they go on where an arm hid them."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.regions import Share, ramp
from services.dance.skeleton import ARMS, Skeleton

Pixels: TypeAlias = NDArray[np.uint8]

# A trunk's outline has no bump shorter than this, over the torso's length.
BUMP_SHARE = 0.45
# Its sides go on below the hips for so much of it.
HIPS_SHARE = 0.12
# They go on in a mirror for so much where an arm hid what they are like.
MIRROR_SHARE = 0.3
# A side is smoothed over so many rows, an odd number.
EDGE_ROWS = 15


def without_bumps(trunk: Share, skeleton: Skeleton, shoulders: float, soft: float) -> Share:
    """Return where the trunk may be: without bumps at its sides that no trunk has.

    Between an arm and the trunk a mask easily takes shadow and ground for the person.

    Args:
        trunk: HxW, 0..255, what is seen of it.
        skeleton: the person's.
        shoulders: how far down the shoulders' discs reach.
        soft: width of a soft edge, in pixels.

    Returns:
        HxW, 0..1.
    """
    solid = trunk >= 128
    columns = np.arange(trunk.shape[1], dtype=np.float32)
    rows = np.arange(trunk.shape[0])
    share = np.clip((rows - skeleton.neck[1]) / max(skeleton.torso, 1.0), 0.0, 1.0)[:, None]
    middle = skeleton.neck[0] + share * (skeleton.pelvis[0] - skeleton.neck[0])
    aside = columns - middle.astype(np.float32)
    extent = max(2, round(BUMP_SHARE * skeleton.torso))
    allowed = np.ones(trunk.shape, np.float32)
    between = (rows > shoulders) & (rows < skeleton.pelvis[1] + HIPS_SHARE * skeleton.torso)
    for side in (-1, 1):
        reach = np.where(solid, side * aside, 0.0).max(axis=1).astype(np.float32)
        edge = opened_profile(reach, extent)[:, None]
        inside = ramp((edge - side * aside) / soft + 1.0)
        allowed = np.where(between[:, None], np.minimum(allowed, inside), allowed)
    return allowed


def opened_profile(values: Share, extent: int) -> Share:
    """Cut off what sticks out of a profile for less than `extent` rows."""
    windows = np.lib.stride_tricks.sliding_window_view
    half = extent // 2
    low = windows(np.pad(values, half, mode="edge"), 2 * half + 1).min(axis=1)
    return np.asarray(windows(np.pad(low, half, mode="edge"), 2 * half + 1).max(axis=1))


def with_sides(pixels: Pixels, known: NDArray[np.bool_], skeleton: Skeleton) -> Pixels:
    """Let the trunk's pattern go on beyond its sides, as a mirror shows it.

    Args:
        pixels: HxWx3 uint8 RGB.
        known: HxW, where they show the trunk; what is mirrored is added, in place.
        skeleton: the person's.

    Returns:
        HxWx3 uint8 RGB, equal where the trunk was known.
    """
    shoulders = max(0, int(skeleton.limbs[list(ARMS), 0, 1].min()))
    near = known[shoulders : max(0, int(skeleton.pelvis[1]))]
    mirrored = pixels.copy()
    lines = np.flatnonzero(near.any(axis=1))
    if not lines.size:
        return mirrored
    columns = np.arange(near.shape[1])
    left = steady(near[lines].argmax(axis=1))[:, None]
    right = steady(near.shape[1] - 1 - near[lines, ::-1].argmax(axis=1))[:, None]
    beyond = np.where(columns < left, left - columns, np.maximum(columns - right, 0))
    source = np.clip(columns + 2 * beyond * np.where(columns < left, 1, -1), 0, len(columns) - 1)
    usable = np.take_along_axis(near[lines], source, axis=1) & ~near[lines]
    usable &= (beyond > 0) & (beyond <= MIRROR_SHARE * skeleton.torso)
    line, column = np.nonzero(usable)
    row = shoulders + lines[line]
    mirrored[row, column] = pixels[row, source[line, column]]
    known[row, column] = True
    return mirrored


def steady(edge: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return an edge without its frays: the median of each row and those around it."""
    padded = np.pad(edge, EDGE_ROWS // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, EDGE_ROWS)
    return np.asarray(np.median(windows, axis=1), np.intp)
