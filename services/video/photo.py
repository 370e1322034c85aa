"""The photo and what comes with it, cut and scaled to the size of the clip."""

import math
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media.clip import ClipFormat
from services.chassis.media.image import Picture
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.video.fields import Pixels

LevelT = TypeVar("LevelT", np.uint8, np.uint16)

# Masks and depth maps may be smaller than the photo, but by rounding alone of other proportions.
PROPORTION_TOLERANCE: Final = 0.02
# What shows through a transparent photo.
PAPER: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The part of a photo that a clip shows, and at what size.

    Attributes:
        photo: rows and columns of the photo.
        top: first row of the part.
        left: first column.
        part: rows and columns of the part.
        size: rows and columns of the clip.
    """

    photo: tuple[int, int]
    top: int
    left: int
    part: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int, wanted: ClipFormat) -> "Cut":
        """Cut the middle out of a photo where the clip has other proportions."""
        size = wanted.size_for(height, width)
        scale = min(height / size[0], width / size[1])
        rows = min(max(round(size[0] * scale), 1), height)
        columns = min(max(round(size[1] * scale), 1), width)
        # A size that is rounded to even numbers is no reason to cut.
        rows = height if abs(rows - height) <= 2 * scale else rows
        columns = width if abs(columns - width) <= 2 * scale else columns
        return cls(
            photo=(height, width),
            top=(height - rows) // 2,
            left=(width - columns) // 2,
            part=(rows, columns),
            size=size,
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Carry a point of 0..1 of the photo into the part, to its border if it lies outside."""
        column, row = x * self.photo[1] - self.left, y * self.photo[0] - self.top
        return (
            min(max(column / self.part[1], 0.0), 1.0),
            min(max(row / self.part[0], 0.0), 1.0),
        )

    def slices(self, height: int, width: int) -> tuple[slice, slice]:
        """Index the part in a picture that has the photo's proportions and another size."""
        down, right = height / self.photo[0], width / self.photo[1]
        top, left = math.floor(self.top * down), math.floor(self.left * right)
        rows = max(round(self.part[0] * down), 1)
        columns = max(round(self.part[1] * right), 1)
        return slice(top, min(top + rows, height)), slice(left, min(left + columns, width))


def fit_photo(picture: Picture, cut: Cut, target: Pixels, raster: Raster, arena: Arena) -> None:
    """Write the part of a photo that the clip shows, opaque, at the clip's size.

    Args:
        picture: the photo.
        cut: what of it.
        target: HxWx3 uint8.
        raster: scales.
        arena: where intermediate pictures go.
    """
    part = cut.slices(*cut.photo)
    with arena.scope():
        scale_into(picture.pixels[part], target, raster, arena)
        if picture.alpha is not None:
            alpha = arena.array(cut.size, np.uint8)
            scale_into(picture.alpha[part], alpha, raster, arena)
            paper = arena.array(target.shape, np.uint8)
            paper[:] = PAPER
            shown = arena.array(target.shape, np.uint8)
            raster.blend(paper, target, alpha, 1.0, shown)
            target[:] = shown


def part_of_map(levels: NDArray[LevelT], cut: Cut, field: str) -> NDArray[LevelT]:
    """Cut out of a mask or depth map what the clip shows of the photo: a view.

    Args:
        levels: hxw or hxwxC, of the photo's proportions and any size.
        cut: what of the photo the clip shows.
        field: path of the medium in error details.

    Raises:
        InvalidRequestError: other proportions than the photo's.
    """
    height, width = levels.shape[:2]
    ratio = height / width * cut.photo[1] / cut.photo[0]
    if abs(math.log(ratio)) > PROPORTION_TOLERANCE and (height, width) != cut.photo:
        raise InvalidRequestError(
            Reason.OPTION_INVALID, "must have the proportions of the photo", field=field
        )
    return levels[cut.slices(height, width)]


def scale_into(
    source: NDArray[Any], target: NDArray[np.uint8], raster: Raster, arena: Arena
) -> None:
    """Scale a part of a picture, which need not lie in one piece."""
    if not source.flags.c_contiguous:
        piece = arena.array(source.shape, np.uint8)
        piece[:] = source
        source = piece
    raster.resize(source, target)
