"""Runs the painting network over pictures of any size."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.errors import Stopped
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.stylize.styles import StyleCode
from services.stylize.tiles import cut, round_up, tile_shape

Pixels: TypeAlias = NDArray[np.uint8]
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Run: TypeAlias = Callable[[Arrays, Arrays], None]

THUMBNAIL_SIDE = 128
"""Pixels: the square that the whole picture is shrunk to for the network to take statistics of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the painter must know of the network's geometry, all in pixels.

    Attributes:
        stride: step of the network's own grid.
        margin: how far around a pixel the network looks, rounded up to the stride.
        border: mirrored surroundings that a picture is painted with, since near the edge of what
            it is given the network was never judged, and paints lines there.
        tile_side_max: longest side that is painted in one piece.
        tile_pixels_max: most pixels that are painted in one piece; what the network needs for
            them bounds the memory of all larger pictures.
        size_step: canvases are filled up to multiples of this, which bounds the number of
            different sizes that the engine has to prepare for.
    """

    stride: int = 16
    margin: int = 128
    border: int = 32
    tile_side_max: int = 8192
    tile_pixels_max: int = 2_400_000
    size_step: int = 64


class Painter:
    """The painting network with its geometry; callers sit for it, one sitting a call."""

    def __init__(self, engine: SeriesEngine, raster: Raster, reach: Reach) -> None:
        """Take over the network.

        Args:
            engine: reads a uint8 picture `image` 1xHxWx3, the whole picture's `thumbnail`
                1xSxSx3, also uint8, S as THUMBNAIL_SIDE, and a float32 `style` 1xD, and answers a
                uint8 picture `stylized` 1xHxWx3.
        """
        self._engine = engine
        self._raster = raster
        self._reach = reach

    @property
    def engine(self) -> str:
        """Device and precision of the network."""
        return self._engine.description

    @contextmanager
    def sitting(self) -> Iterator["Sitting"]:
        """Paint the pictures of one call; leaving wipes their traces from the engine."""
        with self._engine.series() as run:
            yield Sitting(run, self._raster, self._reach)


class Sitting:
    """Paints pictures in a style, whole or in tiles, with the same pixels either way."""

    def __init__(self, run: Run, raster: Raster, reach: Reach) -> None:
        self._run_network = run
        self._raster = raster
        self._reach = reach

    def paint(
        self,
        pixels: Pixels,
        code: StyleCode,
        shift: tuple[int, int],
        arena: Arena,
        cancelled: threading.Event,
    ) -> Pixels:
        """Paint one picture.

        Args:
            pixels: HxWx3 uint8, RGB, sRGB.
            code: D float32.
            shift: rows and columns, 0 to stride - 1, by which the picture lies off the network's
                grid; other shifts give other, equally good strokes.
            arena: where the canvases go.
            cancelled: watched between tiles.

        Returns:
            HxWx3 uint8, RGB, sRGB, in the arena.

        Raises:
            Stopped: `cancelled` was set.
        """
        height, width = pixels.shape[:2]
        step, border = self._reach.size_step, self._reach.border
        top, left = shift[0] + border, shift[1] + border
        size = (round_up(top + height + border, step), round_up(left + width + border, step))
        canvas = arena.array((*size, 3), np.uint8)
        self._raster.mirror(pixels, canvas, top, left)
        painted = arena.array((*size, 3), np.uint8)
        known = self._known(pixels, code, arena)
        shape = tile_shape(
            *size,
            margin=self._reach.margin,
            stride=self._reach.stride,
            side_max=self._reach.tile_side_max,
            pixels_max=self._reach.tile_pixels_max,
        )
        if shape == size:
            self._run(canvas, known, painted, cancelled)
        else:
            self._tiled(canvas, known, painted, shape, arena, cancelled)
        return painted[top : top + height, left : left + width]

    def _known(self, pixels: Pixels, code: StyleCode, arena: Arena) -> Arrays:
        """Return what is the same for all tiles of a picture."""
        side = THUMBNAIL_SIDE
        thumbnail = arena.array((1, side, side, 3), np.uint8)
        self._raster.resize(pixels, thumbnail[0])
        style = arena.array((1, code.size), np.float32)
        style[0] = code
        return {"thumbnail": thumbnail, "style": style}

    def _tiled(
        self,
        canvas: Pixels,
        known: Arrays,
        painted: Pixels,
        shape: tuple[int, int],
        arena: Arena,
        cancelled: threading.Event,
    ) -> None:
        height, width = canvas.shape[:2]
        source = arena.array((*shape, 3), np.uint8)
        target = arena.array((*shape, 3), np.uint8)
        for tile in cut(height, width, shape, self._reach.margin, self._reach.stride):
            rows, columns = tile.rows, tile.columns
            source[:] = canvas[rows.start : rows.stop, columns.start : columns.stop]
            self._run(source, known, target, cancelled)
            painted[rows.core_start : rows.core_stop, columns.core_start : columns.core_stop] = (
                target[
                    rows.core_start - rows.start : rows.core_stop - rows.start,
                    columns.core_start - columns.start : columns.core_stop - columns.start,
                ]
            )

    def _run(
        self,
        canvas: Pixels,
        known: Arrays,
        painted: Pixels,
        cancelled: threading.Event,
    ) -> None:
        if cancelled.is_set():
            raise Stopped
        self._run_network({"image": canvas[None], **known}, {"stylized": painted[None]})
