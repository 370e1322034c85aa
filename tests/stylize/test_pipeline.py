"""Pixels: tiles agree with the whole, knobs do what they promise."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from services.chassis.engine.fake import Arrays, inverting_painter
from services.chassis.errors import Stopped
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.stylize.manner import Manner
from services.stylize.painter import Painter, Reach
from services.stylize.pipeline import StylizePipeline, grid_shift, size_for_strokes
from tests.pictures import noise

CODE = np.zeros(4, np.float32)


@pytest.fixture
def arena() -> Iterator[Arena]:
    """Lease memory for one test."""
    with Budget(1 << 28).lease(0) as leased:
        yield leased


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (37, 500), (300, 211)])
@pytest.mark.parametrize("shift", [(0, 0), (5, 11)])
def test_tiles_paint_what_one_piece_paints(
    size: tuple[int, int], shift: tuple[int, int], arena: Arena
) -> None:
    """Any size, on and off the grid, comes out whole and exact."""
    pixels = noise(*size, 1)
    reach = Reach(stride=16, margin=16, tile_side_max=64, tile_pixels_max=64 * 64, size_step=16)
    painter = Painter(inverting_painter(4), CpuRaster(1), reach)

    with painter.sitting() as sitting:
        painted = sitting.paint(pixels, CODE, shift, arena, threading.Event())

    assert np.array_equal(painted, 255 - pixels)


def test_tiles_share_the_statistics_of_the_whole_picture(arena: Arena) -> None:
    """Every tile is painted with a thumbnail of the whole picture, not of itself."""
    pixels = np.zeros((96, 160, 3), np.uint8)
    pixels[:, :80] = 200
    reach = Reach(stride=16, margin=16, tile_side_max=64, tile_pixels_max=64 * 64, size_step=16)
    painter = Painter(replace(inverting_painter(4), function=paint_mean), CpuRaster(1), reach)

    with painter.sitting() as sitting:
        painted = sitting.paint(pixels, CODE, (0, 0), arena, threading.Event())

    assert np.all(painted == 100)


def paint_mean(inputs: Arrays, outputs: Arrays) -> None:
    """Fill the picture with the mean of the thumbnail."""
    outputs["stylized"][:] = inputs["thumbnail"].mean()


def test_a_cancelled_picture_is_not_painted_to_its_end(arena: Arena) -> None:
    """Work stops at the next tile once nobody waits for it."""
    cancelled = threading.Event()
    cancelled.set()
    painter = Painter(inverting_painter(4), CpuRaster(1), Reach())

    with painter.sitting() as sitting, pytest.raises(Stopped):
        sitting.paint(noise(32, 32, 1), CODE, (0, 0), arena, cancelled)


def test_strength_is_monotone(pipeline: StylizePipeline, arena: Arena) -> None:
    """More strength moves every pixel on, from the photo all the way to the painting."""
    photo = noise(24, 24, 2)
    with pipeline.sitting() as sitting:
        results = [
            pipeline.stylise(
                sitting, photo, None, CODE, Manner(strength=strength), arena, threading.Event()
            ).astype(int)
            for strength in (0.0, 0.25, 0.5, 0.75, 1.0)
        ]
    steps = [abs(result - photo.astype(int)) for result in results]

    assert np.array_equal(results[0], photo)
    assert np.array_equal(results[-1], 255 - photo.astype(int))
    assert all(np.all(more >= less) for less, more in pairwise(steps))


def test_preserved_colour_is_the_photos(pipeline: StylizePipeline, arena: Arena) -> None:
    """A grey photo stays grey whatever the painting does, and a red one stays red."""
    photo = np.zeros((16, 16, 3), np.uint8)
    photo[:, :8] = 90
    photo[:, 8:] = (150, 60, 60)
    with pipeline.sitting() as sitting:
        result = pipeline.stylise(
            sitting, photo, None, CODE, Manner(preserve_colour=True), arena, threading.Event()
        ).astype(int)

    assert np.ptp(result[:, :8], axis=2).max() <= 1
    assert np.all(result[:, 8:, 0] > result[:, 8:, 1] + 40)


@pytest.mark.parametrize(
    ("size", "style_scale", "expected"),
    [
        ((512, 512), 1.0, (512, 512)),
        ((512, 512), 2.0, (256, 256)),
        ((1080, 1920), 1.0, (1080, 1920)),
        ((3000, 4000), 1.0, (1536, 2048)),
        ((3000, 4000), 0.25, (3000, 4000)),
        ((10, 10), 4.0, (10, 10)),
        ((1, 8000), 1.0, (1, 2048)),
    ],
)
def test_strokes_keep_their_size_relative_to_a_large_picture(
    size: tuple[int, int], style_scale: float, expected: tuple[int, int]
) -> None:
    """The size that is painted follows from the picture's and from the strokes asked for."""
    assert size_for_strokes(*size, style_scale) == expected


def test_a_seed_chooses_a_place_on_the_grid() -> None:
    """Seed 0 is the grid itself; others differ, and always in the same way."""
    shifts = [grid_shift(seed) for seed in range(1, 50)]

    assert grid_shift(0) == (0, 0)
    assert shifts == [grid_shift(seed) for seed in range(1, 50)]
    assert len(set(shifts)) > 30
    assert all(0 <= part < 16 for shift in shifts for part in shift)
