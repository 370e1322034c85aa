"""Filling holes, on pictures whose true content is known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.inpaint import Inpainter
from services.vision.sketch import SIDE
from tests.vision.sketching import sketching

Pixels = NDArray[np.uint8]
BUDGET_BYTES = 1 << 28
SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def filled(pixels: Pixels, hole: Pixels, sketch: NDArray[np.float32] | None = None) -> Pixels:
    """Fill a hole, along a sketch if there is one."""
    raster = CpuRaster(1)
    engine = None if sketch is None else sketching(lambda _: sketch)
    with Budget(BUDGET_BYTES).lease(0) as arena:
        return Inpainter(raster, engine).fill(pixels, hole, arena).copy()


def noise(height: int, width: int, seed: int = 1) -> Pixels:
    """Return a picture of coloured noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def standing(height: int, width: int) -> Pixels:
    """Return a hole of a quarter of the picture, about as a person would leave."""
    down, right = np.mgrid[0:height, 0:width]
    head = (down - 0.2 * height) ** 2 + (right - 0.5 * width) ** 2 < (0.12 * height) ** 2
    body = (np.abs(right - 0.5 * width) < 0.16 * width) & (down > 0.28 * height)
    return ((head | body) * 255).astype(np.uint8)


def hills(height: int, width: int) -> Pixels:
    """Return sky above grass: smooth above, rough below, the horizon in the middle."""
    down = np.arange(height)[:, None, None]
    sky = np.array([110, 150, 220]) + 60 * down / height
    grain = np.random.default_rng(4).normal(0, 30, (height, width, 1))
    grass = np.array([70, 120, 40]) + grain
    return np.clip(np.where(down < height // 2, sky, grass), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sketch", [None, np.ones((SIDE, SIDE, 3), np.float32)])
@pytest.mark.parametrize("size", [(1, 200), (200, 1), (5, 7), (33, 90), (240, 320)])
def test_what_is_known_stays(size: tuple[int, int], sketch: NDArray[np.float32] | None) -> None:
    """Every known pixel comes back bit for bit, whatever the picture's shape and the sketch."""
    pixels = noise(*size)
    hole = np.zeros(size, np.uint8)
    hole[: max(1, size[0] // 3), size[1] // 3 : max(1, size[1] // 2)] = 1
    hole[0, 0] = 255

    result = filled(pixels, hole, sketch)

    assert (result[hole == 0] == pixels[hole == 0]).all()


def test_without_a_hole_nothing_changes() -> None:
    """The whole picture comes back."""
    pixels = noise(40, 50)

    assert (filled(pixels, np.zeros((40, 50), np.uint8)) == pixels).all()


def test_where_nothing_is_known_the_filling_is_grey() -> None:
    """A hole of the whole picture has nothing to take from."""
    assert (filled(noise(20, 30), np.full((20, 30), 255, np.uint8)) == 128).all()


def test_what_was_in_the_hole_does_not_matter() -> None:
    """Two pictures that differ in the hole alone are filled alike."""
    hole = standing(90, 120)
    one, other = hills(90, 120), hills(90, 120)
    other[hole > 0] = noise(90, 120)[hole > 0]

    assert (filled(one, hole) == filled(other, hole)).all()


def test_an_even_picture_stays_even() -> None:
    """Within one step of its colour, so that no seam shows."""
    pixels = np.full((180, 240, 3), (200, 90, 40), np.uint8)
    holed = np.where(standing(180, 240)[:, :, None] > 0, np.uint8(0), pixels)

    assert np.abs(filled(holed, standing(180, 240)).astype(int) - pixels).max() <= 1


def test_the_horizon_runs_on() -> None:
    """Behind a person-shaped hole sky is sky and grass is grass, up to a strip at the horizon."""
    pixels, hole = hills(360, 480), standing(360, 480)
    blank = np.where(hole[:, :, None] > 0, np.uint8(0), pixels)

    result = filled(blank, hole).astype(int)

    inside = hole > 0
    strip = np.abs(np.arange(360) - 180)[:, None] > 14
    apart = np.abs(result.mean(axis=2) - pixels.astype(int).mean(axis=2))
    blue = result[:, :, 2] > result[:, :, 1]
    wrong = inside & strip & (blue != (np.arange(360)[:, None] < 180))
    assert wrong.sum() <= 0.02 * inside.sum()
    assert apart[inside & (np.arange(360)[:, None] < 160)].mean() <= 3


def test_a_narrow_strip_runs_on() -> None:
    """A strip of sea between sky and sand behind somebody is sea for at least 19 of 20 pixels."""
    pixels, hole = hills(360, 480), standing(360, 480)
    pixels[:] = (180, 160, 140)
    pixels[190:215] = (40, 90, 120)
    blank = np.where(hole[:, :, None] > 0, np.uint8(0), pixels)

    result = filled(blank, hole).astype(int)

    sea = (result[:, :, 2] > result[:, :, 0])[hole > 0]
    is_sea = (pixels[:, :, 0] == 40)[hole > 0]
    assert sea[is_sea].mean() >= 0.95
    assert sea[~is_sea].mean() <= 0.05


def test_the_sea_runs_on_behind_somebody() -> None:
    """Of a sample, sea is blue for at least 19 of 20 pixels where somebody stood before it."""
    name = "diego_red_tee_shorts_beach"
    pixels = np.asarray(Image.open(SAMPLES / "people" / f"{name}.jpg").convert("RGB"))
    person = Image.open(SAMPLES / "truth" / f"{name}_person.png").filter(ImageFilter.MaxFilter(15))
    hole = np.where(np.asarray(person) > 20, 255, 0).astype(np.uint8)

    result = filled(np.where(hole[:, :, None] > 0, np.uint8(0), pixels), hole)

    sea = result[385:415][hole[385:415] > 0].astype(int)
    assert (sea[:, 2] > sea[:, 0] + 30).mean() >= 0.95


def test_the_filling_is_as_grainy_as_its_surroundings() -> None:
    """Grass in the hole varies from pixel to pixel at least 0.8 times as much as beside it."""
    pixels, hole = hills(360, 480), standing(360, 480)

    step = np.abs(np.diff(filled(pixels, hole).astype(int).mean(axis=2), axis=1))

    inside = hole[:, 1:] > 0
    rough = np.arange(360)[:, None] > 220
    assert step[inside & rough].mean() >= 0.8 * step[~inside & rough].mean()


def test_a_regular_pattern_runs_on() -> None:
    """Stripes behind a hole are continued: at least three quarters of it is as it was."""
    right = np.arange(400)
    line = np.where(right // 20 % 2 == 0, 220, 40).astype(np.uint8)
    pixels = np.repeat(np.tile(line, (300, 1))[:, :, None], 3, axis=2)
    hole = np.zeros((300, 400), np.uint8)
    hole[100:200, 150:250] = 255
    blank = np.where(hole[:, :, None] > 0, np.uint8(128), pixels)

    wrong = np.abs(filled(blank, hole).astype(int) - pixels) > 60

    assert wrong[hole > 0].mean() <= 0.25


def test_light_runs_on() -> None:
    """A hole in a slope of light is filled to within 10 levels of it; bare copies are off by 20."""
    right = np.linspace(60, 200, 400)[None, :, None]
    grain = np.random.default_rng(5).normal(0, 6, (300, 400, 1))
    pixels = np.clip(np.repeat(right + grain, 3, axis=2), 0, 255).astype(np.uint8)
    hole = standing(300, 400)
    blank = np.where(hole[:, :, None] > 0, np.uint8(0), pixels)

    result = filled(blank, hole).astype(float)

    blocks = [
        (result - right)[row : row + 20, column : column + 20].mean()
        for row in range(100, 280, 20)
        for column in range(140, 260, 20)
        if hole[row : row + 20, column : column + 20].all()
    ]
    assert len(blocks) > 20
    assert np.abs(blocks).max() <= 10


@pytest.mark.parametrize("border", [0.4, 0.6])
def test_the_sketch_says_where_one_thing_ends(border: float) -> None:
    """Two things meet within the hole where the sketch has it, in their own grain."""
    grain = np.random.default_rng(6).normal(0, 20, (300, 400, 1))
    red, blue = (np.array(colour) + grain for colour in ((170, 60, 50), (50, 80, 170)))
    ends = np.arange(400)[None, :, None] < 200
    pixels = np.clip(np.where(ends, red, blue), 0, 255).astype(np.uint8)
    hole = np.zeros((300, 400), np.uint8)
    hole[:, 120:280] = 255
    left = np.arange(SIDE)[None, :, None] < border * SIDE
    sketch = np.where(left, (170, 60, 50), (50, 80, 170)) / np.float32(255)

    result = filled(pixels, hole, np.broadcast_to(sketch, (SIDE, SIDE, 3)).astype(np.float32))

    is_red = result[:, 120:280, 0].astype(int) > result[:, 120:280, 2]
    assert is_red.mean() == pytest.approx((border * 400 - 120) / 160, abs=0.08)
    step = np.abs(np.diff(result.astype(int).mean(axis=2), axis=1))
    assert step[:, 130:270].mean() >= 0.8 * step[:, :110].mean()
