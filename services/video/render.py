"""Frames from layers: each pixel of a frame is pulled from where in the photo it lies.

The ways of the pixels are smooth in each layer, so they are found on a coarse grid and enlarged;
pixels are then read at full size between the photo's own.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from services.chassis.memory.arena import Arena
from services.video import fields
from services.video.camera import Pose
from services.video.fields import Field, Pixels
from services.video.layers import Layer, Layers, Relief, kept
from services.video.projection import Places, Projection, Window

# Cells of the grid along the shorter side.
GRID_SHORT_SIDE: Final = 90
# Frames are made in so many bands, which keeps what hides nothing out of the second layer's work.
BANDS: Final = 6


class Renderer:
    """Renders frames into one and the same memory."""

    def __init__(
        self, layers: Layers, projection: Projection, relief: Relief, arena: Arena
    ) -> None:
        """Carve the memory of one frame and lay the grid."""
        size = (projection.height, projection.width)
        self._layers, self._projection = layers, projection
        self._margin = layers.back.margin
        self._step = max(round(min(size) / GRID_SHORT_SIDE), 1)
        self._places = grid_places(size, self._step)
        self._back_depth = kept(relief.inverse_depth(layers.back.depth), arena)
        padded = tuple(cells * self._step for cells in self._places[0].shape)
        self._map_x = arena.array(padded, np.float32)
        self._map_y = arena.array(padded, np.float32)
        self._base = arena.array((*size, 4), np.uint8)
        self._frame = arena.array((*size, 3), np.uint8)
        self._front = None
        if layers.front is not None:
            self._front = Front(layers.front, relief, arena)

    @property
    def depths(self) -> list[Field]:
        """Inverse depths of all layers."""
        return [self._back_depth, *([self._front.depth] if self._front else [])]

    def frame(self, pose: Pose, window: Window) -> Pixels:
        """Render one frame: HxWx3 uint8 RGB, valid until the next one."""
        map_x, map_y = self._maps(self._places_of(pose, window, self._back_depth))
        fields.pull(self._layers.back.canvas, map_x, map_y, self._base)
        if self._front is not None:
            places = self._places_of(pose, window, self._front.depth)
            map_x, map_y = self._maps(places)
            for rows, columns in self._front.parts(map_x, map_y, self._step):
                self._front.lay(
                    map_x[rows, columns], map_y[rows, columns], self._base[rows, columns]
                )
        fields.without_opacity(self._base, self._frame)
        return self._frame

    def _places_of(self, pose: Pose, window: Window, depth: Field) -> Places:
        return self._projection.trace(self._places, pose, window, depth)

    def _maps(self, places: Places) -> Places:
        """Enlarge places on the grid to those of all pixels on a canvas, in the maps' memory."""
        fields.enlarge_into(places[0] + self._margin, self._map_x)
        fields.enlarge_into(places[1] + self._margin, self._map_y)
        step, height, width = self._step, self._projection.height, self._projection.width
        inside = (slice(step, step + height), slice(step, step + width))
        return self._map_x[inside], self._map_y[inside]


class Front:
    """The front layer, and where there is something of it."""

    def __init__(self, layer: Layer, relief: Relief, arena: Arena) -> None:
        self._canvas = layer.canvas
        self.depth = kept(relief.inverse_depth(layer.depth), arena)
        self._piece = arena.array(layer.pixels.shape, np.uint8)
        covered = layer.canvas[:, :, 3] > 0
        width = covered.shape[1]
        self._first = np.where(covered.any(axis=1), covered.argmax(axis=1), width)
        self._last = np.where(covered.any(axis=1), width - covered[:, ::-1].argmax(axis=1), 0)

    def parts(self, map_x: Field, map_y: Field, step: int) -> list[tuple[slice, slice]]:
        """List the parts of a frame, rows and columns, that hold all of the layer it shows."""
        (height, width), (rows_shown, columns_shown) = self._canvas.shape[:2], map_x.shape
        parts = []
        bounds = [rows_shown * band // BANDS for band in range(BANDS + 1)]
        for start, stop in pairwise(bounds):
            if start == stop:
                continue
            rows = slice(start, stop)
            seen_x = mirrored(map_x[rows][::step, ::step], width)
            seen_y = mirrored(map_y[rows][::step, ::step], height)
            top = max(int(seen_y.min()) - step, 0)
            bottom = min(int(seen_y.max()) + 2 * step, height)
            first = self._first[top:bottom].min(initial=width)
            last = self._last[top:bottom].max(initial=0)
            if first >= last:
                continue
            shown = np.nonzero(((seen_x >= first - step) & (seen_x <= last + step)).any(axis=0))[0]
            if shown.size:
                left = max(int(shown[0] - 1) * step, 0)
                right = min(int(shown[-1] + 2) * step, columns_shown)
                parts.append((rows, slice(left, right)))
        return parts

    def lay(self, map_x: Field, map_y: Field, base: Pixels) -> None:
        """Lay what the maps show of the layer over HxWx4, in place."""
        piece = self._piece[: base.shape[0], : base.shape[1]]
        fields.pull(self._canvas, map_x, map_y, piece)
        fields.lay_over(piece, base)


def mirrored(places: Field, extent: int) -> Field:
    """Find where past the border the mirrored picture shows places of itself."""
    return np.asarray(extent - np.abs(extent - np.abs(places)), np.float32)


def grid_places(size: tuple[int, int], step: int) -> Places:
    """Lay a grid over a frame and a cell beyond: columns and rows of the cells' middles."""
    rows, columns = (-(-side // step) + 2 for side in size)
    middles = [
        (np.arange(cells, dtype=np.float32) - 1.0) * step + (step - 1) / 2
        for cells in (rows, columns)
    ]
    y, x = np.meshgrid(*middles, indexing="ij")
    return np.ascontiguousarray(x), np.ascontiguousarray(y)
