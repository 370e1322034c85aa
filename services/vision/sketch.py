"""What a hole may hold, coarsely: which colours where, and how large shapes run on.

A small square version of the picture, squeezed to it whatever its proportions, is filled in simple
ways (`proposals`), each of which counts as far as it is to be trusted; a network, where there is
one, chooses among them place by place and adds what it must. `inpaint` makes it sharp.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.vision.proposals import Proposals, mixed, propose, smooth

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

SIDE: Final = 128
"""Rows and columns of a sketch."""


class Sketcher:
    """Sketches what holes hold. Calls may use one sketcher at the same time."""

    def __init__(self, raster: Raster, engine: SeriesEngine | None = None) -> None:
        """Take over what scales, and the network `inpaint`; without it choices are simple."""
        self._raster = raster
        self._engine = engine

    def sketch(self, pixels: Pixels, missing: Pixels, arena: Arena) -> Floats:
        """Return what a picture may show where something is missing.

        Args:
            pixels: HxWx3 uint8 RGB, 0 where it is missing.
            missing: HxW uint8, 255 where it is, 0 elsewhere.
            arena: of the call.

        Returns:
            SIDExSIDEx3 float32 0..1 in the arena, squeezed to a square; of use in the hole.
        """
        # A smaller picture is enlarged when its hole is filled: no edge of it rings then.
        size = min(SIDE, missing.shape[0]), min(SIDE, missing.shape[1])
        small, share = arena.array((*size, 3), np.uint8), arena.array(size, np.uint8)
        self._raster.resize(pixels, small)
        self._raster.resize(missing, share)
        filled = smooth(small, as_share(share), self._raster)
        picture, gap = arena.array((SIDE, SIDE, 3), np.uint8), arena.array((SIDE, SIDE), np.uint8)
        self._raster.resize(filled, picture)
        self._raster.resize(share, gap)
        hole = as_share(gap)
        sketch = arena.array((SIDE, SIDE, 3), np.float32)
        self._draw(propose(picture, hole), hole, sketch)
        return sketch

    def _draw(self, proposals: Proposals, hole: Floats, sketch: Floats) -> None:
        """Write what becomes of proposals."""
        if self._engine is None:
            sketch[:] = mixed(proposals)
            return
        filling = np.empty((1, 3, SIDE, SIDE), np.float32)
        with self._engine.series() as run:
            run(inputs_of(proposals, hole), {"filling": filling})
        sketch[:] = np.moveaxis(filling[0], 0, 2)


def as_share(mask: Pixels) -> Floats:
    """Return 0..1 of 0..255."""
    return np.divide(mask, np.float32(255), dtype=np.float32)


def inputs_of(proposals: Proposals, hole: Floats) -> dict[str, NDArray[Any]]:
    """Return what the network reads: three 1xhxwx3 uint8, trust 1x3xhxw, hole 1x1xhxw."""
    return {
        "smooth": proposals.smooth[None],
        "across": proposals.across[None],
        "down": proposals.down[None],
        "trust": proposals.trust[None],
        "hole": hole[None, None],
    }
