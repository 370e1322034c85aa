"""Three simple ways to fill a hole, and how far each is to be trusted at each place.

Smoothly from all around; along rows, and along columns, from one side of the hole to the other. A
row is trusted where its two ends are alike and near each other: there a horizon, a wall or a floor
runs on behind what was taken out.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.raster import Raster
from services.vision.spread import means

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Known: TypeAlias = NDArray[np.bool_]

KNOWN: Final = 0.5
"""A pixel of which less is missing shows what is there."""

# The three that follow give the least error in holes of photos, of some that were tried.
DIFFERENCE: Final = 0.15
"""Ends of a row whose colours, 0..1, differ by so much more are trusted e times less."""

DISTANCE: Final = 0.15
"""Ends that are apart by so much more of the picture's side are trusted e times less."""

ONE_SIDED: Final = 0.2
"""Colours of a row that ends at the picture's border are taken to differ by so much."""

NEVER: Final = -9.0
"""The logit of a row in which nothing is known."""

SMOOTH: Final = -6.0
"""The logit of filling smoothly; that of a row with equal ends close to each other is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """Fillings of a hole.

    Attributes:
        smooth: hxwx3 uint8, filled from all around.
        across: hxwx3, along rows.
        down: hxwx3, along columns.
        trust: 3xhxw float32, how far each is to be trusted, as logits.
    """

    smooth: Pixels
    across: Pixels
    down: Pixels
    trust: Floats


def propose(picture: Pixels, hole: Floats, difference: float = DIFFERENCE) -> Proposals:
    """Fill a hole in three ways.

    Args:
        picture: hxwx3, its hole filled smoothly.
        hole: hxw float32 0..1, the share that is missing.
        difference: rows whose ends differ by so much more are trusted e times less.
    """
    known = hole < KNOWN
    across, trust_across = along_rows(picture, known, difference)
    down, trust_down = along_rows(picture.transpose(1, 0, 2), known.T, difference)
    return Proposals(
        smooth=picture,
        across=across,
        down=np.ascontiguousarray(down.transpose(1, 0, 2)),
        trust=np.stack([np.full_like(hole, SMOOTH), trust_across, trust_down.T]),
    )


def mixed(proposals: Proposals) -> Floats:
    """Return hxwx3 0..1: the proposals, each as far as it is trusted."""
    shares = np.exp(proposals.trust)
    shares /= shares.sum(axis=0) * 255
    ways = (proposals.smooth, proposals.across, proposals.down)
    return np.asarray(sum(way * share[:, :, None] for way, share in zip(ways, shares, strict=True)))


def along_rows(picture: Pixels, known: Known, difference: float) -> tuple[Pixels, Floats]:
    """Fill what is unknown with what is known nearest left and right of it, mixed by distance.

    Args:
        picture: hxwx3; rows in which nothing is known stay.
        known: hxw.
        difference: see `propose`.

    Returns:
        The picture, and hxw logits of how far to trust it.
    """
    height, width = known.shape
    own = np.broadcast_to(np.arange(width), known.shape)
    left = np.maximum.accumulate(np.where(known, own, -1), axis=1)
    right = np.minimum.accumulate(np.where(known, own, width)[:, ::-1], axis=1)[:, ::-1]
    no_left, no_right = left < 0, right == width
    nothing = no_left & no_right
    first = np.where(no_left, np.where(no_right, own, right), left)
    second = np.where(no_right, first, right)
    rows = np.arange(height)[:, None]
    start, end = (picture[rows, place].astype(np.float32) for place in (first, second))
    share = (own - first) / np.maximum(second - first, 1)
    filled = start + (end - start) * share[:, :, None].astype(np.float32)
    apart = np.abs(end - start).mean(axis=2) / 255
    apart = np.where(no_left | no_right, np.float32(ONE_SIDED), apart)
    trust = -apart / np.float32(difference) - (right - left) / (DISTANCE * width)
    trust = np.where(nothing, NEVER, np.maximum(trust, NEVER))
    return np.rint(filled).astype(np.uint8), trust.astype(np.float32)


def smooth(dark: Pixels, hole: Floats, raster: Raster) -> Pixels:
    """Return a picture with its hole filled smoothly.

    Args:
        dark: hxwx3 uint8, of each pixel's colour the share that is not missing.
        hole: hxw float32 0..1, the share that is missing.
        raster: scales.
    """
    weighted = np.empty((*hole.shape, 4), np.float32)
    np.divide(dark, np.float32(255), out=weighted[:, :, :3])
    np.subtract(np.float32(1), hole, out=weighted[:, :, 3])
    filled = means(weighted, raster)
    return np.asarray(np.rint(np.clip(filled, 0, 1) * 255), np.uint8)
