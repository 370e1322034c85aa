"""Pictures in, painted pictures out: all that a stylize call does to pixels."""

import threading
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media.image import Picture
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.stylize.manner import Manner, Region
from services.stylize.painter import Painter, Sitting
from services.stylize.styles import StyleBook, StyleCode

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]

STYLE_PICTURE_SIDE = 512
# Strokes keep their size relative to the picture beyond this: a larger picture is painted at this
# size and its own fine detail is put back on top.
WORK_LONG_SIDE = 2048
WORK_LONG_SIDE_MIN = 64
# Share of the photo's own detail, finer than the painted size can hold, that is put back.
DETAIL_GAIN = 0.6
STRIDE = 16


class SubjectFinder(Protocol):
    """Finds the people of a picture."""

    def mask(self, pixels: Pixels, arena: Arena) -> Mask:
        """Return HxW uint8 in the arena, 255 where people are, for HxWx3 uint8 RGB pixels."""
        ...


class StylizePipeline:
    """The stylize feature without its transport."""

    def __init__(
        self,
        *,
        painter: Painter,
        style_encoder: Engine,
        subject_finder: SubjectFinder,
        book: StyleBook,
        raster: Raster,
    ) -> None:
        """Take over what the feature is made of.

        Args:
            style_encoder: engine with a uint8 picture `style_image` 1x512x512x3 and its code
                `style` 1xD float32 as the answer.
        """
        self._painter = painter
        self._style_encoder = style_encoder
        self._subject_finder = subject_finder
        self._raster = raster
        self.book = book

    @property
    def engine(self) -> str:
        """Device and precision of the painting network, for the service's start line."""
        return self._painter.engine

    def style_code(self, pixels: Pixels, arena: Arena) -> StyleCode:
        """Read the style of a picture.

        Args:
            pixels: HxWx3 uint8, RGB, sRGB, any size.

        Returns:
            D float32; it describes palette and strokes, and is forgotten with the call.
        """
        side = STYLE_PICTURE_SIDE
        with arena.scope():
            square = arena.array((1, side, side, 3), np.uint8)
            self._raster.resize(centre_square(pixels), square[0])
            code = arena.array((1, self.book.styles[0].code.size), np.float32)
            self._style_encoder.run({"style_image": square}, {"style": code})
            return np.array(code[0])

    def shrink(self, picture: Picture, long_side_pixels_max: int, arena: Arena) -> Picture:
        """Scale a picture down so that its longer side fits; a smaller one stays as it is."""
        height, width = picture.pixels.shape[:2]
        long_side = max(height, width)
        if long_side <= long_side_pixels_max:
            return picture
        size = scaled(height, width, long_side_pixels_max / long_side)
        pixels = arena.array((*size, 3), np.uint8)
        self._raster.resize(picture.pixels, pixels)
        if picture.alpha is None:
            return Picture(pixels=pixels, alpha=None)
        alpha = arena.array(size, np.uint8)
        self._raster.resize(picture.alpha, alpha)
        return Picture(pixels=pixels, alpha=alpha)

    def fit_mask(self, mask: Pixels, size: tuple[int, int], field: str, arena: Arena) -> Mask:
        """Take the grey values of a decoded mask, at the size that its picture is painted in.

        Args:
            mask: HxWx3 uint8, grey.
            size: rows and columns of the picture as it is painted.
            field: path of the mask in error details.

        Raises:
            InvalidRequestError: the mask has other proportions than its picture.
        """
        height, width = mask.shape[:2]
        if scaled(height, width, size[1] / width) != size:
            raise InvalidRequestError(
                Reason.OPTION_INVALID, "a mask must have the size of its image", field=field
            )
        grey = arena.array(size, np.uint8)
        self._raster.resize(np.ascontiguousarray(mask[:, :, 0]), grey)
        return grey

    def region_mask(
        self, pixels: Pixels, uploaded: Mask | None, region: Region, arena: Arena
    ) -> Mask | None:
        """Join the uploaded mask with the region that was asked for.

        Returns:
            HxW uint8, 255 where the picture is to be painted, or None for all of it.
        """
        if region is Region.WHOLE:
            return uploaded
        chosen = self._subject_finder.mask(pixels, arena)
        if region is Region.BACKGROUND:
            np.subtract(255, chosen, out=chosen)
        if uploaded is not None:
            np.minimum(chosen, uploaded, out=chosen)
        return chosen

    def sitting(self) -> AbstractContextManager[Sitting]:
        """Open the painter for one call; leaving wipes what its pictures left in the engine."""
        return self._painter.sitting()

    def stylise(
        self,
        sitting: Sitting,
        pixels: Pixels,
        mask: Mask | None,
        code: StyleCode,
        manner: Manner,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Pixels:
        """Paint one picture.

        Args:
            sitting: the call's own, see `sitting`.
            pixels: HxWx3 uint8, RGB, sRGB.
            mask: HxW uint8, 255 where the picture is painted, 0 where not one pixel changes; None
                paints all of it.
            code: D float32, from the style book or from `style_code`.
            arena: where the result and all canvases go.
            cancelled: watched while painting.

        Returns:
            HxWx3 uint8, RGB, sRGB, in the arena; with strength 0 the same values as `pixels`.

        Raises:
            Stopped: `cancelled` was set.
        """
        result = arena.array(pixels.shape, np.uint8)
        if manner.strength == 0.0:
            result[:] = pixels
            return result
        with arena.scope():
            painted = self._paint_at_work_size(sitting, pixels, code, manner, arena, cancelled)
            if manner.preserve_colour:
                self._raster.keep_colour(pixels, painted, painted)
            self._raster.blend(pixels, painted, mask, manner.strength, result)
        return result

    def _paint_at_work_size(
        self,
        sitting: Sitting,
        pixels: Pixels,
        code: StyleCode,
        manner: Manner,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Pixels:
        height, width = pixels.shape[:2]
        work_size = size_for_strokes(height, width, manner.style_scale)
        shift = grid_shift(manner.seed)
        if work_size == (height, width):
            return sitting.paint(pixels, code, shift, arena, cancelled)
        small = arena.array((*work_size, 3), np.uint8)
        self._raster.resize(pixels, small)
        painted = sitting.paint(small, code, shift, arena, cancelled)
        large = arena.array(pixels.shape, np.uint8)
        self._raster.resize(painted, large)
        if work_size < (height, width):
            self._raster.add_detail(pixels, small, DETAIL_GAIN, large)
        return large


def size_for_strokes(height: int, width: int, style_scale: float) -> tuple[int, int]:
    """Choose the size at which a picture is painted, (rows, columns).

    The network's strokes have a fixed size in pixels; painting a smaller picture makes them larger.
    """
    long_side = max(height, width)
    whole = max(long_side, WORK_LONG_SIDE)
    wanted = min(long_side, WORK_LONG_SIDE) / style_scale
    work_long_side = min(max(wanted, min(WORK_LONG_SIDE_MIN, long_side)), whole)
    if work_long_side == long_side:
        return height, width
    return scaled(height, width, work_long_side / long_side)


def scaled(height: int, width: int, factor: float) -> tuple[int, int]:
    """Scale a size, (rows, columns), to whole pixels."""
    return max(round(height * factor), 1), max(round(width * factor), 1)


def grid_shift(seed: int) -> tuple[int, int]:
    """Turn a seed into rows and columns off the network's grid; seed 0 lies on it."""
    if seed == 0:
        return 0, 0
    rows, columns = np.random.default_rng(seed).integers(0, STRIDE, 2)
    return int(rows), int(columns)


def centre_square(pixels: Pixels) -> Pixels:
    """Cut out the largest centred square: a view."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]
