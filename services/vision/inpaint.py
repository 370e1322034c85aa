"""What a picture would show where something is taken out of it.

What the hole may hold is sketched first (`sketch`). Along the sketch the hole is filled on a small
version of the picture, from coarse to fine (`patches`), which says where the content of each place
is to come from; then the picture's own pixels are copied from there, so that the filling is as
sharp and as grainy as what surrounds it.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.engine.sittings import sitting
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.vision.frame import Window, scaled_to
from services.vision.patches import (
    STEP,
    Floats,
    Holes,
    Places,
    Problem,
    improve,
    pose,
    spread_places,
)
from services.vision.seams import level
from services.vision.sketch import Sketcher

Pixels: TypeAlias = NDArray[np.uint8]

LEVELS: Final = ((40, 5), (80, 3), (160, 2))
"""Longer sides, in pixels, that the filling is made at, and rounds of improvement at each."""

LEVEL_SIDE_MIN: Final = 16
"""Pixels: where a side would be shorter there are no patches to speak of."""

MARGIN_SHARE: Final = 0.6
"""So much of the hole's hull is looked at on each side of it."""

MARGIN_MIN: Final = 48
"""Pixels that are looked at around any hole."""

SHARPNESS: Final = 3
"""Pieces meet more abruptly the larger this is; 1 mixes them all over a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A filled small version.

    Attributes:
        picture: hxwx3 float32 0..1.
        problem: of the picture.
        rows: where the content of each of the problem's targets comes from.
        columns: likewise.
    """

    picture: Floats
    problem: Problem
    rows: Places
    columns: Places


class Inpainter:
    """Fills holes in pictures. Calls may use one inpainter at the same time."""

    def __init__(self, raster: Raster, engine: SeriesEngine | None = None) -> None:
        """Take over the raster that scales, and the network `inpaint`, which may be absent."""
        self._raster = raster
        self._engine = engine
        self._sketcher = Sketcher(raster, engine)

    @contextmanager
    def sitting(self) -> Iterator["Inpainter"]:
        """Give one call its filler; the call's traces in the network go when the block is left."""
        if self._engine is None:
            yield self
            return
        with sitting(self._engine) as engine:
            yield Inpainter(self._raster, engine)

    def fill(self, pixels: Pixels, hole: Pixels, arena: Arena) -> Pixels:
        """Return the picture with its hole filled.

        Args:
            pixels: HxWx3 uint8 RGB.
            hole: HxW uint8; what is not 0 is missing.
            arena: of the call.

        Returns:
            HxWx3 uint8 RGB in the arena. What is known equals the picture bit for bit; where
            nothing is known the filling is mid grey.
        """
        filled = arena.array(pixels.shape, np.uint8)
        filled[:] = pixels
        window = surroundings(hole)
        if window is None:
            return filled
        if hole.all():
            filled[:] = 128
            return filled
        with arena.scope():
            self._fill(filled[window.slices], hole[window.slices], arena)
        return filled

    def _fill(self, pixels: Pixels, hole: Pixels, arena: Arena) -> None:
        """Fill a window of a picture in place."""
        missing = arena.array(hole.shape, np.uint8)
        np.multiply(hole > 0, np.uint8(255), out=missing)
        # Nothing of what was there may tinge what is around it where both are scaled.
        pixels[hole > 0] = 0
        sketch = self._sketcher.sketch(pixels, missing, arena)
        draft = self._draft(pixels, missing, sketch, arena)
        rows, columns = np.nonzero(hole)
        places = (rows, columns)
        if draft is None:
            coarse = self._grown(sketch, hole.shape, arena)[places] * 255
            pixels[places] = np.clip(np.rint(coarse), 0, 255)
            return
        sources = spread_places(draft.problem, draft.rows, draft.columns)
        tone = self._grown(level(draft.picture, draft.problem, *sources), hole.shape, arena)
        colours = copied(pixels, places, draft, arena)
        colours += tone[places] * 255
        pixels[places] = np.clip(np.rint(colours), 0, 255)

    def _draft(self, pixels: Pixels, missing: Pixels, sketch: Floats, arena: Arena) -> Draft | None:
        """Fill small versions, each larger than the one before; None if there are no patches."""
        draft, guess = None, sketch
        for side, rounds in LEVELS:
            size = scaled_to(missing.shape[0], missing.shape[1], min(side, max(missing.shape)))
            if min(size) < LEVEL_SIDE_MIN:
                continue
            small, gap = self._shrink(pixels, missing, size, arena)
            guide = self._completed(small, gap, sketch, arena)
            small[gap] = self._grown(guess, size, arena)[gap]
            guess, problem = small, pose(gap)
            if problem is not None:
                rows, columns = improve(small, problem, rounds, guide)
                draft = Draft(picture=small, problem=problem, rows=rows, columns=columns)
        return draft

    def _shrink(
        self, pixels: Pixels, missing: Pixels, size: tuple[int, int], arena: Arena
    ) -> tuple[Floats, Holes]:
        """Return the small picture, 0..1, and where any of it is missing."""
        small = arena.array((*size, 3), np.uint8)
        share = arena.array(size, np.uint8)
        self._raster.resize(pixels, small)
        self._raster.resize(missing, share)
        return np.divide(small, np.float32(255), dtype=np.float32), share > 0

    def _completed(self, small: Floats, gap: Holes, sketch: Floats, arena: Arena) -> Floats:
        """Return the small picture with the sketch in its hole."""
        guide = self._grown(sketch, gap.shape, arena)
        np.copyto(guide, small, where=~gap[:, :, None])
        return guide

    def _grown(self, small: Floats, size: tuple[int, ...], arena: Arena) -> Floats:
        """Scale up hxwx3 to so many rows and columns, within 0..1 of what it was."""
        large = arena.array((*size, 3), np.float32)
        self._raster.resize(small, large)
        return large


def surroundings(hole: Pixels) -> Window | None:
    """Return the window that is looked at for a hole; None if there is none."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not rows.size:
        return None
    hull = Window(
        top=int(rows[0]), left=int(columns[0]), bottom=int(rows[-1]) + 1, right=int(columns[-1]) + 1
    )
    margin = max(MARGIN_MIN, math.ceil(MARGIN_SHARE * max(hull.height, hull.width)))
    return hull.grown(margin, *hole.shape)


def copied(
    pixels: Pixels, places: tuple[Places, Places], draft: Draft, arena: Arena
) -> NDArray[np.float32]:
    """Copy what belongs into places, from where the draft found it.

    The four targets around each place say where from; what they say is mixed.

    Args:
        pixels: HxWx3, of which the draft is a small version.
        places: N rows and N columns.
        draft: says where from.
        arena: of the call.

    Returns:
        Nx3, 0..255.
    """
    height, width = pixels.shape[:2]
    packed = arena.array((height, width, 4), np.uint8)
    packed[:, :, :3] = pixels
    whole = packed.view(np.uint32).reshape(-1)
    small, target = draft.problem.hole.shape, draft.problem.target
    down, right = (beside(places[axis], pixels.shape[axis], small[axis]) for axis in (0, 1))
    own = np.indices(target.shape) * STEP
    shift_down = np.rint((draft.rows - own[0]) * (height / small[0])).astype(np.intp)
    shift_right = np.rint((draft.columns - own[1]) * (width / small[1])).astype(np.intp)
    total = np.zeros((len(places[0]), 4), np.float32)
    for row, share_down in down:
        for column, share_right in right:
            source_row = np.clip(places[0] + shift_down[row, column], 0, height - 1)
            source_column = np.clip(places[1] + shift_right[row, column], 0, width - 1)
            share = (share_down * share_right) ** SHARPNESS * target[row, column]
            piece = whole[source_row * width + source_column].view(np.uint8).reshape(-1, 4)
            total[:, :3] += piece[:, :3] * share[:, None]
            total[:, 3] += share
    return np.asarray(total[:, :3] / total[:, 3:])


def beside(place: Places, extent: int, small: int) -> tuple[tuple[Places, Floats], ...]:
    """Return the targets before and after each place along an axis, and the share of each.

    Args:
        place: N pixels of the picture.
        extent: pixels that the picture has.
        small: pixels that the draft has.
    """
    position = (((place + 0.5) * (small / extent) - 0.5) / STEP).astype(np.float32)
    last = (small - 1) // STEP
    before = np.clip(np.floor(position), 0, last)
    share = np.clip(position - before, 0, 1)
    first = before.astype(np.intp)
    return (first, 1 - share), (np.minimum(first + 1, last), share)
