"""Strands beyond an outline, by their colour: hair, fur, leaves.

A depth knows an outline but to a few cells, and nothing of single hairs. The colours that lie on
either side of it tell whose they are.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.raster import Lens
from services.video import fields
from services.video.fields import Field, Pixels
from services.vision.spread import spread

Mask: TypeAlias = NDArray[np.uint8]
Cells: TypeAlias = NDArray[np.bool_]

# Strands reach so far beyond an outline, in shares of the shorter side, and are no wider than this.
REACH_SHARE: Final = 0.04
WIDTH_SHARE: Final = 0.006
# Cells are the front's for sure where they are covered more than this of 255.
SURE: Final = 230
# What is on this share of the way from the back's colour to the front's is a strand, if both differ
# by so many levels at least.
LIKE: Final = 0.25
CONTRAST: Final = 50.0
# A side's colours are those of its cells within this share of the shorter side; a pixel that is
# out of their range by more than so many levels is not of that side.
NEAR_SHARE: Final = 0.08
STRANGE: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The range of colours that one side has near each cell.

    Attributes:
        lowest: hxwx3 uint8.
        highest: hxwx3 uint8, below the lowest where none of the side is near.
    """

    lowest: Pixels
    highest: Pixels

    @classmethod
    def of(cls, colours: Pixels, chosen: Cells, reach: int) -> "Palette":
        """Gather the colours of chosen cells of hxwx3 within reach of each one."""
        weight = chosen[:, :, None].astype(np.uint8)
        return cls(
            lowest=~fields.highest(~colours * weight, reach),
            highest=fields.highest(colours * weight, reach),
        )

    def strange(self, pixels: Pixels, size: tuple[int, int], part: tuple[slice, slice]) -> Cells:
        """Tell which pixels of a part of a picture of a size have none of its colours."""
        lowest, highest = (
            fields.enlarge_part(each, size, part) for each in (self.lowest, self.highest)
        )
        return np.asarray(fields.beyond(pixels, lowest, highest) > STRANGE)


def find_strands(pixels: Pixels, opacity: Mask, grid: tuple[int, int], lens: Lens) -> Mask:
    """Find what of the front lies beyond its outline: strands of hair, fur, leaves.

    Near an outline, what is thin, more like the front there than like the back there, and of no
    colour that the back has near by, is taken for the front's. Where both are alike nothing can be
    told, and there are no strands.

    Args:
        pixels: HxWx3 uint8 RGB.
        opacity: HxW uint8, of the front.
        grid: rows and columns of cells.
        lens: scales.

    Returns:
        HxW uint8, 255 at strands.
    """
    size, strands = opacity.shape[:2], np.zeros_like(opacity)
    covered = fields.reduce(opacity, grid)
    reach, near = (max(round(share * min(grid)), 1) for share in (REACH_SHARE, NEAR_SHARE))
    band = fields.widen((covered > 0).astype(np.uint8), reach)
    inside, outside = covered > SURE, band == 0
    if not (inside.any() and outside.any()):
        return strands
    window = fields.window(band > 0, size, 1)
    colours, part = fields.reduce(pixels, grid), pixels[window]
    likeness = fields.enlarge_part(likeness_model(colours, inside, outside, lens), size, window)
    likeness[:, :, :3] *= part
    chosen = fields.channel_sum(likeness) > LIKE
    chosen &= Palette.of(colours, outside, near).strange(part, size, window)
    found = np.where(chosen & (opacity[window] == 0), np.uint8(255), np.uint8(0))
    width = max(round(WIDTH_SHARE * min(size)), 1)
    strands[window] = found & ~fields.broad(found, width)
    return strands


def likeness_model(colours: Pixels, inside: Cells, outside: Cells, lens: Lens) -> Field:
    """Tell how far a colour is on the way from one behind to one in front, as a linear function.

    Args:
        colours: hxwx3 uint8.
        inside: hxw, cells of the front.
        outside: hxw, cells of the back; there, and where both colours are alike, the answer is 0.
        lens: scales.

    Returns:
        hxwx4: weights of red, green and blue, and a constant.
    """
    fore, rear = colours.astype(np.float32), colours.astype(np.float32)
    spread(fore, inside, lens)
    spread(rear, outside, lens)
    way = fore - rear
    contrast = (way * way).sum(axis=2)
    chosen = ~outside & (contrast > CONTRAST**2)
    way *= (chosen / np.maximum(contrast, 1.0))[:, :, None]
    return np.dstack([way, -(way * rear).sum(axis=2)]).astype(np.float32)
