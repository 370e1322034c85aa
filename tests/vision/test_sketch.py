"""What the sketching network is shown, and what becomes of its answer."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.networks import INPAINT
from services.vision.sketch import SIDE, Sketcher
from tests.vision.sketching import Arrays, sketching

Pixels = NDArray[np.uint8]
COLOUR = (200, 90, 40)


def shown(pixels: Pixels, missing: Pixels) -> Arrays:
    """Return what the network is given of a picture with a hole."""
    seen: Arrays = {}

    def look(inputs: Arrays) -> NDArray[np.float32]:
        seen.update({name: array.copy() for name, array in inputs.items()})
        return np.zeros((SIDE, SIDE, 3), np.float32)

    with Budget(1 << 26).lease(0) as arena:
        dark = np.where(missing[:, :, None] > 0, np.uint8(0), pixels)
        Sketcher(CpuRaster(1), sketching(look)).sketch(dark, missing, arena)
    return seen


@pytest.mark.parametrize("size", [(20, 70), (90, 61), (300, 500)])
def test_the_network_sees_the_hole_filled(size: tuple[int, int]) -> None:
    """An even picture of any shape comes to it even in every way, whatever is missing."""
    pixels = np.full((*size, 3), COLOUR, np.uint8)
    missing = np.zeros(size, np.uint8)
    missing[size[0] // 3 :, size[1] // 4 : size[1] // 2] = 255

    given = shown(pixels, missing)

    for way in INPAINT.picture_inputs:
        assert given[way].shape == (1, SIDE, SIDE, 3)
        assert np.abs(given[way].astype(int) - COLOUR).max() <= 4


def test_rows_and_columns_run_on() -> None:
    """Level bands come to the network whole along rows, and upright ones along columns."""
    bands = np.where(np.arange(2 * SIDE) // 32 % 2 == 0, 220, 40).astype(np.uint8)
    level = np.repeat(np.tile(bands[:, None], (1, 2 * SIDE))[:, :, None], 3, axis=2)
    missing = np.zeros(level.shape[:2], np.uint8)
    missing[50:200, 60:190] = 255

    for pixels, way in ((level, "across"), (level.transpose(1, 0, 2), "down")):
        given = shown(np.ascontiguousarray(pixels), missing)[way][0]

        assert np.abs(given.astype(int) - pixels[::2, ::2]).max() <= 1


def test_a_row_without_anything_known_is_filled_smoothly() -> None:
    """Rows that are missing from side to side can't run on: nothing else is put there."""
    pixels = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    missing = np.zeros((SIDE, SIDE), np.uint8)
    missing[40:60] = 255

    given = shown(pixels, missing)

    assert (given["across"] == given["smooth"]).all()
    assert (given["down"] != given["smooth"]).any()


def test_the_network_is_told_how_much_of_each_pixel_is_missing() -> None:
    """Where a hole ends within a pixel of the small picture, a share of it is missing."""
    missing = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    missing[: SIDE + 1] = 255

    hole = shown(np.full((*missing.shape, 3), 99, np.uint8), missing)["hole"]

    assert hole.shape == (1, 1, SIDE, SIDE)
    assert (hole[0, 0, : SIDE // 2] == 1).all()
    assert (hole[0, 0, SIDE // 2 + 1 :] == 0).all()
    assert np.abs(hole[0, 0, SIDE // 2] - 0.5).max() <= 0.01


def test_a_sketch_is_what_the_network_answers() -> None:
    """Rows, columns and colours of the answer stay what they are."""
    answer = np.random.default_rng(3).random((SIDE, SIDE, 3)).astype(np.float32)
    missing = np.full((40, 30), 255, np.uint8)

    with Budget(1 << 26).lease(0) as arena:
        sketcher = Sketcher(CpuRaster(1), sketching(lambda _: answer))
        sketch = sketcher.sketch(np.zeros((40, 30, 3), np.uint8), missing, arena).copy()

    assert (answer == sketch).all()
