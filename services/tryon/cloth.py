"""A garment got ready for the warp: cut out, shrunk to what is needed, its edge colours clean."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.garment import Garment, GarmentCategory

# Pixels that the longer side of a garment is worked on at, at most.
SIDE_MAX = 1024
MARGIN = 8
COVERED = 128
# Colours this near the edge, in pixels, are mixed with the ground of the picture.
EDGE_MIXED = 2.5
EDGE_SIGMA = 0.8
# Colours go on so far beyond the edge, in pixels; the middle one stands beyond that.
EDGE_REACH = 6.0
# Levels that nine tenths and one tenth of the ground lie apart: of an even and of an uneven one.
EVEN_SPREAD = (6.0, 16.0)
GROUND_MIN = 50
EVEN_MIN = 0.5
# Levels of 255 that an even ground differs by; a mask is wrong by at most this share.
GROUND_LEVELS = 9
GROUND_SHARE_MAX = 0.25
# What differs by so many levels is no even ground; a mask may lack it so far, and no thinner than
# so, as shares of the picture.
CLEAR_LEVELS = 30
BESIDE_SHARE = 0.08
THIN_SHARE = 0.006
# A pattern has the ground's colour if so much of it differs by less than so many levels; notches of
# a mask no wider than twice this share of the picture are that pattern's.
PATTERN_LEVELS, PATTERN_SHARE_MIN = 24, 0.04
NOTCH_SHARE = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloth:
    """A garment cut out of its picture.

    Attributes:
        category: what it is.
        colour: hxwx3 uint8 RGB; beyond the garment its own colours go on.
        cover: hxw uint8, 255 where the garment is, soft at its edge.
        points: landmarks by name, x and y in pixels of `colour`; names are those of the wearer's
            side as if worn facing the camera, so `left` lies on the right.
        evenness: 1 for a garment before an even ground, as studios picture what is worn by a
            mannequin, 0 for one that lies on something, flat.
    """

    category: GarmentCategory
    colour: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    points: Mapping[str, NDArray[np.float64]]
    evenness: float = 1.0

    def has(self, *names: str) -> bool:
        """Tell whether all these landmarks were seen."""
        return all(name in self.points for name in names)

    @property
    def solid(self) -> NDArray[np.bool_]:
        """Where the garment is, hxw."""
        return self.cover >= COVERED


def cut_out(pixels: NDArray[np.uint8], garment: Garment) -> Cloth:
    """Cut a garment out of its picture and clean its edge.

    Args:
        pixels: HxWx3 uint8 RGB.
        garment: found in them.
    """
    rows, columns = (np.nonzero((garment.mask >= COVERED).any(axis=axis))[0] for axis in (1, 0))
    top, left = max(0, rows[0] - MARGIN), max(0, columns[0] - MARGIN)
    part = slice(top, rows[-1] + MARGIN + 1), slice(left, columns[-1] + MARGIN + 1)
    # Copies: picture and mask may end before what is cut out of them.
    colour, cover = pixels[part].copy(), garment.mask[part].copy()
    evenness = evenness_of(colour, cover)
    if evenness > EVEN_MIN and (cover < COVERED).any():
        apart = off_ground(colour, cover)
        cover = with_own_ground(apart, with_all_but_ground(apart, without_ground(apart, cover)))
    height, width = cover.shape
    scale = min(1.0, SIDE_MAX / max(height, width))
    if scale < 1.0:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        colour, cover = canvas.scaled(colour, size), canvas.scaled(cover, size)
    # Cloth hides what it covers, however sure the reader was of it.
    cover = np.rint(canvas.softened(cover >= COVERED, EDGE_SIGMA) * 255).astype(np.uint8)
    step = np.array([cover.shape[1] / width, cover.shape[0] / height])
    points = {
        name: (np.array([x - left, y - top]) + 0.5) * step - 0.5
        for name, (x, y, confidence) in garment.landmarks.items()
        if confidence > 0
    }
    return Cloth(
        category=garment.category,
        colour=clean_edge(colour, cover),
        cover=cover,
        points=points,
        evenness=evenness,
    )


def off_ground(colour: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tell how far each colour is from that of an even ground, hxw, in levels."""
    ground = np.median(colour[::2, ::2][cover[::2, ::2] < COVERED], axis=0)
    apart = canvas.largest(canvas.differing(colour, ground))
    return np.asarray(apart, np.uint8)


def without_ground(apart: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take what has the very colour of an even ground, and joins it, off a garment's mask.

    Args:
        apart: see `off_ground`.
        cover: hxw.
    """
    outside = cover < COVERED
    joined = canvas.connected(np.asarray((apart < GROUND_LEVELS) | outside), outside)
    joined &= ~outside
    if np.count_nonzero(joined) > GROUND_SHARE_MAX * np.count_nonzero(~outside):
        # So much can't be ground: the garment has its colour.
        return cover
    kept = canvas.softened(~canvas.grown(joined, 1), 0.7)
    return np.minimum(cover, np.rint(kept * 255)).astype(np.uint8)


def with_all_but_ground(apart: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add to a garment's mask what lies beside it and clearly is not an even ground.

    Args:
        apart: see `off_ground`.
        cover: hxw.
    """
    outside = cover < COVERED
    size = max(cover.shape)
    near = canvas.grown(~outside, BESIDE_SHARE * size)
    missed = outside & near & (apart > CLEAR_LEVELS)
    # Hooks and threads are thin.
    thin = max(1.0, THIN_SHARE * size)
    missed = canvas.grown(canvas.shrunk(np.asarray(missed), thin), thin) & missed
    whole = canvas.shrunk(canvas.grown(~outside | missed, 2 * thin), 2 * thin)
    whole &= (apart > GROUND_LEVELS) | ~outside
    return np.maximum(cover, np.rint(canvas.softened(whole, 0.7) * 255)).astype(np.uint8)


def with_own_ground(apart: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Close notches of a mask whose garment has the ground's colour: a pattern's at its edge.

    Args:
        apart: see `off_ground`.
        cover: hxw.
    """
    inner = canvas.shrunk(cover >= COVERED, NOTCH_SHARE * max(cover.shape))
    if not inner.any() or (apart[inner] < PATTERN_LEVELS).mean() < PATTERN_SHARE_MIN:
        return cover
    reach = NOTCH_SHARE * max(cover.shape)
    closed = canvas.shrunk(canvas.grown(cover >= COVERED, reach), reach)
    return np.maximum(cover, np.rint(canvas.softened(closed, 0.7) * 255)).astype(np.uint8)


def evenness_of(colour: NDArray[np.uint8], cover: NDArray[np.uint8]) -> float:
    """Tell how even the ground around a garment is, 0..1."""
    ground = canvas.grey(np.ascontiguousarray(colour[::2, ::2]))[cover[::2, ::2] == 0]
    if ground.size < GROUND_MIN:
        return 0.0
    spread = float(np.quantile(ground, 0.9) - np.quantile(ground, 0.1))
    even, uneven = EVEN_SPREAD
    return float(np.clip((uneven - spread) / (uneven - even), 0.0, 1.0))


def clean_edge(colour: NDArray[np.uint8], cover: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Carry the garment's inner colours out over its edge, so that no ground shines through."""
    inner = canvas.depth_inside(np.ascontiguousarray(cover >= COVERED)) > EDGE_MIXED
    if not inner[::2, ::2].any():
        return np.ascontiguousarray(colour)
    near = canvas.grown(np.asarray(cover > 0), EDGE_REACH)
    clean = canvas.mirrored_out(colour, inner, near)
    clean[~near] = np.median(colour[::2, ::2][inner[::2, ::2]], axis=0)
    return clean
