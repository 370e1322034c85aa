"""What is behind an outline: the background that ends there, gone on with.

A camera that moves uncovers narrow strips along outlines. Colours go on there from what lies
beside: along rows and columns where both ends are alike, as those of a horizon, a wall or a floor
are, smoothly elsewhere. Grain is mirrored on top, so that nothing is left of what stands in front.
Over the strips that a true plate shows this comes about as close to it as in-painting does
(`python -m bench.motion`), in a fraction of the time.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.raster import Lens
from services.video import fields
from services.video.fields import Field, Pixels
from services.vision.proposals import mixed, propose
from services.vision.spread import spread

Mask: TypeAlias = NDArray[np.uint8]

# Outlines are mirrored at as if they were smoother than they are, over so many cells.
SMOOTHNESS: Final = 1.5
# Where the mirrored place is no background, one nearer to the outline may be: in distances from it.
DEPTHS: Final = (2.0, 1.6, 1.3, 1.1)
# What is read has to be background to this share.
GROUND: Final = 0.99
# Places of neighbours that are so many cells apart belong to two sides.
TEAR: Final = 6.0
# Cells right at an outline hold some of both sides.
CLEARANCE: Final = 1.0
# The filling fades into the picture over this share of the shorter side.
FEATHER: Final = 0.008
# Outlines are mirrored at upwards or downwards where that is nearer by this factor, else sideways.
UPRIGHT: Final = 2.0
# Cells: farther than any.
FAR: Final = 1 << 12
# What goes on along rows starts so many cells away from an outline, and goes on as far as its two
# ends are alike, of 1: e times less for every step of this.
EDGE_CELLS: Final = 1
ALIKE: Final = 0.045
# Detail is what differs from the smooth picture, around this; what differs by more than grain is
# an edge, which leads nowhere where it is mirrored.
GREY: Final = 128
GRAIN: Final = 8


def fill(pixels: Pixels, hole: Mask, beside: Mask, lens: Lens, target: Pixels) -> None:
    """Write a picture with its hole filled by what lies on the far side of it.

    Args:
        pixels: HxWx3 uint8 RGB.
        hole: HxW uint8, 255 where the picture is to be replaced.
        beside: hxw uint8 in cells, not 0 where there is background. Without any, the picture stays.
        lens: scales.
        target: HxWx4 uint8, opaque.
    """
    fields.with_opacity(pixels, target)
    if not beside.any():
        return
    even = continued(fields.reduce(pixels, beside.shape), beside, lens)
    x, y = mirrored(beside)
    # Half-way between places on two sides of something lies the thing itself.
    steady = (astray(x, y, beside) == 0).astype(np.uint8)
    window = fields.window(fields.reduce(hole, beside.shape) > 0, hole.shape, 2)
    smooth = fields.enlarge(np.rint(np.clip(even, 0.0, 255.0)).astype(np.uint8), hole.shape)
    detail = np.empty_like(target)
    fields.with_opacity(fields.mix(pixels, 1.0, smooth, -1.0, GREY), detail)
    down, right = hole.shape[0] / beside.shape[0], hole.shape[1] / beside.shape[1]
    part = target[window]
    filling, grain = np.empty_like(part), np.full_like(part, GREY)
    map_x = fields.enlarge_part((x + 0.5) * right - 0.5, hole.shape, window)
    map_y = fields.enlarge_part((y + 0.5) * down - 0.5, hole.shape, window)
    fields.pull(detail, map_x, map_y, filling)
    fields.copy_where(filling, fields.enlarge_part(steady, hole.shape, window), grain)
    np.clip(grain, GREY - GRAIN, GREY + GRAIN, out=grain)
    fields.with_opacity(fields.mix(grain[:, :, :3], 1.0, smooth[window], 1.0, -GREY), filling)
    reach = FEATHER * min(hole.shape)
    soft = fields.blur(fields.widen(hole[window], round(reach)), reach)
    part[:] = fields.blend(part, filling, soft * np.float32(1 / 255))


def continued(cells: Pixels, beside: Mask, lens: Lens) -> Field:
    """Go on with the background's colours, along rows and columns where their ends are alike.

    Args:
        cells: hxwx3, the picture.
        beside: hxw, not 0 where there is background.
        lens: scales.

    Returns:
        hxwx3, 0..255.
    """
    smooth = cells.astype(np.float32)
    spread(smooth, beside > 0, lens)
    filled = np.rint(np.clip(smooth, 0.0, 255.0)).astype(np.uint8)
    hole = fields.widen(np.asarray(beside == 0, np.uint8), EDGE_CELLS).astype(np.float32)
    return 255 * mixed(propose(filled, hole, ALIKE))


def astray(x: Field, y: Field, beside: Mask) -> Mask:
    """Find cells next to which places lie far apart, or that lead to no background."""
    apart = np.zeros(x.shape, np.float32)
    for places in (x, y):
        down, right = np.abs(np.diff(places, axis=0)), np.abs(np.diff(places, axis=1))
        np.maximum(apart[1:], down, out=apart[1:])
        np.maximum(apart[:, 1:], right, out=apart[:, 1:])
    ground = fields.sample(np.minimum(beside, 1).astype(np.float32), x, y)
    return fields.widen(((apart > TEAR) | (ground < GROUND)).astype(np.uint8), 1)


def mirrored(beside: Mask) -> tuple[Field, Field]:
    """Find for every cell a place in the background: columns and rows, those of itself there.

    Places are mirrored along rows or along columns, since that is how most lines run that end at
    an outline, and so they run on.
    """
    rows, columns = beside.shape
    y, x = np.indices(beside.shape, np.float32)
    known = beside > 0
    across, down = to_edge(known), to_edge(known.T).T
    upright = np.abs(down) * UPRIGHT < np.abs(across)
    way_x, way_y = np.where(upright, 0, across), np.where(upright, down, 0)
    away = (~known).astype(np.float32)
    weight = np.maximum(fields.blur(away, SMOOTHNESS), 1e-3)
    way_x = fields.blur(way_x * away, SMOOTHNESS) / weight
    way_y = fields.blur(way_y * away, SMOOTHNESS) / weight
    distance = np.maximum(np.hypot(way_x, way_y), 1e-3)
    background = np.minimum(beside, 1).astype(np.float32)
    found_x, found_y = fields.nearest(beside)
    for depth in reversed(DEPTHS):
        reach = depth + CLEARANCE / distance
        place_x, place_y = x + way_x * reach, y + way_y * reach
        inside = (place_x >= 0) & (place_y >= 0)
        inside &= (place_x <= columns - 1) & (place_y <= rows - 1)
        good = inside & (fields.sample(background, place_x, place_y) > GROUND)
        found_x, found_y = np.where(good, place_x, found_x), np.where(good, place_y, found_y)
    return np.where(known, x, found_x), np.where(known, y, found_y)


def to_edge(known: NDArray[np.bool_]) -> Field:
    """Tell how many columns each cell is from the nearest known one of its row, to the right.

    Returns:
        hxw, negative to the left; as far as FAR where a row has none.
    """
    width = known.shape[1]
    own = np.broadcast_to(np.arange(width), known.shape)
    left = np.maximum.accumulate(np.where(known, own, -FAR), axis=1)
    right = np.minimum.accumulate(np.where(known, own, FAR)[:, ::-1], axis=1)[:, ::-1]
    nearer = np.where(own - left < right - own, left - own, right - own)
    return np.clip(nearer, -FAR, FAR).astype(np.float32)
