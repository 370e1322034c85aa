"""From picture and depth to layers: what stands in front, and what is behind it.

Two smooth depths enclose the picture's own: one never above it, one never below it, neither
steeper than a slope at which a moved camera would stretch the picture. Where they meet there is one
surface; where they part, at the outline of something, the picture belongs to the upper or the lower
one. So no object needs to be known as one, and nothing is stretched further than the slope allows.
Soft layers: Jampani et al., "SLIDE: Single Image 3D Photography with Soft Layering and Depth-aware
Inpainting" (2021).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.video import backdrop, fields, fringe
from services.video.fields import Field, Pixels

Mask: TypeAlias = NDArray[np.uint8]
Window: TypeAlias = tuple[slice, slice]

# Depths are worked on in cells: so many along the shorter side, whatever the picture's size.
CELLS_SHORT_SIDE: Final = 180
# Rise of depth (of 0..1) over the picture's shorter side up to which it is one surface. A flat
# ground under a low horizon has 4.
SLOPE: Final = 6.0
# Layers that are closer than the first are one surface; from the second on they are two.
PARTING: Final = (0.012, 0.03)
# An outline is where they part by so much at least; less is noise of depth.
STEP: Final = 0.1
# Where the front is closer to the back than this share of what it is at the outline near by, within
# so many cells, it hides of it what no movement uncovers.
HIDING_SHARE: Final = 0.4
HIDING_CELLS: Final = 16
# Depths of an outline lie between those of its sides; this makes it a line again.
SHARPNESS: Final = 3.0
# An outline is wrong by up to so many cells; the filter looks for the edge within them.
EDGE_REACH_CELLS: Final = 2
EDGE_CONTRAST: Final = 1.6
# What is covered less than this is clear, and more than the rest of 255 is opaque.
CLEAR: Final = 12
# Pixels so near to an outline, in shares of the shorter side, show both sides.
BLEED_SHARE: Final = 0.008
# And so near to a strand.
STRAND_BLEED_PIXELS: Final = 2
# What is nearer by so much than the back at the closest outline is on the near side of that, and by
# so much of the layers' slope farther off.
NEARER: Final = 0.05
NEARER_SLOPE: Final = 0.12
# Inverse depth of the farthest in that of the nearest: networks give depth but for its scale.
FARTHEST: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """What a depth of 0..1 means: inverse depths, 1 at the focus point.

    Attributes:
        farthest: inverse depth of 0.
        nearest: inverse depth of 1.
    """

    farthest: float
    nearest: float

    @classmethod
    def around(cls, focus_depth: float) -> "Relief":
        """Choose a natural relief in which the focus point's depth is the unit."""
        unit = FARTHEST + (1.0 - FARTHEST) * focus_depth
        return cls(farthest=FARTHEST / unit, nearest=1.0 / unit)

    def inverse_depth(self, depth: Field) -> Field:
        """Turn depths of 0..1 into inverse depths."""
        return np.asarray(depth * (self.nearest - self.farthest) + self.farthest, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A picture on a smooth surface.

    Attributes:
        canvas: HxWx4 uint8 with a border on each side, colours weighed by their opacity.
        depth: hxw float32 over the whole picture, 0 (far) to 1 (near).
        margin: rows or columns of a border.
    """

    canvas: Pixels
    depth: Field
    margin: int = 0

    @classmethod
    def empty(cls, size: tuple[int, int], depth: Field, margin: int, arena: Arena) -> "Layer":
        """Lay out a layer that shows nothing yet."""
        rows, columns = (side + 2 * margin for side in size)
        canvas = arena.array((rows, columns, 4), np.uint8)
        return cls(canvas=canvas, depth=kept(depth, arena), margin=margin)

    @property
    def pixels(self) -> Pixels:
        """The picture without its border: a view."""
        rows, columns = (side - self.margin for side in self.canvas.shape[:2])
        return self.canvas[self.margin : rows, self.margin : columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """A picture taken apart; the front laid over the back is the picture, bit for bit.

    Attributes:
        back: opaque everywhere.
        front: what may hide something of the back, None if nothing does.
    """

    back: Layer
    front: Layer | None


def split(pixels: Pixels, depth: Field, lens: Lens, arena: Arena, margin: int = 0) -> Layers:
    """Take a picture apart.

    Args:
        pixels: HxWx3 uint8 RGB.
        depth: HxW float32, 0 (far) to 1 (near).
        lens: lets outlines follow the picture's edges.
        arena: where the layers go.
        margin: room for a border on each side, pixels.
    """
    size = depth.shape[:2]
    grid = grid_size(*size)
    slope = SLOPE / min(grid)
    coarse = fields.reduce(depth, grid)
    lower, upper = fields.lower_hull(coarse, slope), fields.upper_hull(coarse, slope)
    join(lower, upper)
    back = Layer.empty(size, lower, margin, arena)
    opacity = arena.array(size, np.uint8)
    window = cover(pixels, depth, (lower, upper), lens, opacity)
    if not opacity[window].any():
        fields.with_opacity(pixels, back.pixels)
        return Layers(back=back, front=None)
    front = Layer.empty(size, upper, margin, arena)
    bleed = max(round(BLEED_SHARE * min(size)), 1)
    strands = fringe.find_strands(pixels, opacity, grid, lens)
    hole = fields.widen(np.where(opacity > 0, np.uint8(255), np.uint8(0)), bleed)
    np.maximum(hole, fields.widen(strands, STRAND_BLEED_PIXELS), out=hole)
    # Where the layers meet again, under what is still opaque, the back is the picture.
    gap = upper - lower
    hole[fields.enlarge(gap - HIDING_SHARE * fields.highest(gap, HIDING_CELLS), size) < 0.0] = 0
    backdrop.fill(pixels, hole, beside(coarse, lower, hole, slope), lens, back.pixels)
    lift_off(pixels, back.pixels, opacity, front.pixels)
    return Layers(back=back, front=front)


def kept(field: Field, arena: Arena) -> Field:
    """Copy a field into the call's memory."""
    copy = arena.array(field.shape, np.float32)
    copy[:] = field
    return copy


def grid_size(height: int, width: int) -> tuple[int, int]:
    """Choose the rows and columns of cells for a picture."""
    scale = min(CELLS_SHORT_SIDE / min(height, width), 1.0)
    return max(round(height * scale), 1), max(round(width * scale), 1)


def join(lower: Field, upper: Field) -> None:
    """Make one surface again of layers that part but a little, in place."""
    gap = upper - lower
    islands = fields.islands((gap > PARTING[0]).astype(np.uint8))
    widest = np.zeros(int(islands.max()) + 1, np.float32)
    np.maximum.at(widest, islands.ravel(), gap.ravel())
    weak = widest[islands] < STEP
    middle = (lower[weak] + upper[weak]) / 2
    lower[weak] = upper[weak] = middle


def cover(
    pixels: Pixels, depth: Field, hulls: tuple[Field, Field], lens: Lens, opacity: Mask
) -> Window:
    """Tell how much of each pixel belongs to the front, soft at outlines.

    Args:
        pixels: HxWx3 uint8 RGB.
        depth: HxW.
        hulls: depths of back and front, in cells.
        lens: lets outlines follow the picture's edges.
        opacity: HxW uint8, 0; written.

    Returns:
        The window outside of which nothing is in front.
    """
    lower, upper = hulls
    size, gap = depth.shape[:2], upper - lower
    window = fields.window(gap > PARTING[0], size, EDGE_REACH_CELLS)
    part = opacity[window]
    if not part.size:
        return window
    share = depth[window] - fields.enlarge(lower, size)[window]
    gap = fields.enlarge(gap, size)[window]
    share /= np.maximum(gap, PARTING[0])
    share = np.clip((share - 0.5) * SHARPNESS + 0.5, 0.0, 1.0)
    share *= np.clip((gap - PARTING[0]) * (255.0 / (PARTING[1] - PARTING[0])), 0.0, 255.0)
    coarse = fields.reduce(share, grid_size(*part.shape))
    lens.fit_to_edges(pixels[window], coarse, EDGE_REACH_CELLS, EDGE_CONTRAST, share)
    share = (share - CLEAR) * (255.0 / (255 - 2 * CLEAR))
    np.copyto(part, np.clip(share, 0.0, 255.0), casting="unsafe")
    return window


def beside(depth: Field, lower: Field, hole: Mask, slope: float) -> Mask:
    """Find the background of what stands in front: neither in the hole nor on its near side.

    Args:
        depth: of the picture, in cells.
        lower: of the back, in cells.
        hole: HxW uint8, not 0 behind outlines.
        slope: of the layers.

    Returns:
        hxw uint8 in cells, 1 for background.
    """
    hidden = fields.reduce(np.minimum(hole, 1).astype(np.float32), depth.shape) > 0.0
    x, y = fields.nearest(hidden.astype(np.uint8))
    rows, columns = np.indices(depth.shape, np.float32)
    behind = lower[y.astype(np.intp), x.astype(np.intp)]
    near = depth > behind + NEARER + NEARER_SLOPE * slope * np.hypot(x - columns, y - rows)
    return np.asarray(~(hidden | near), np.uint8)


def lift_off(pixels: Pixels, back: Pixels, opacity: Mask, front: Pixels) -> None:
    """Find the front's own colours: what, laid over the back, gives the picture.

    At an outline a pixel of the picture shows both sides. What the back doesn't explain is the
    front's; where no colour could explain the rest, the front has to be more opaque.

    Args:
        pixels: HxWx3 uint8 RGB.
        back: HxWx4 uint8, opaque.
        opacity: HxW uint8.
        front: HxWx4 uint8, written: colours weighed by their opacity.
    """
    front[:, :, 3] = np.maximum(opacity, fields.least_opacity(pixels, back))
    fields.take_away(pixels, back, front)
