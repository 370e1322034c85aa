"""Past a photo's border: lines run on, and nothing is made up where there are none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.video import fields
from services.video.border import Border
from services.video.fields import Pixels
from tests.pictures import noise

SIZE, MARGIN = (90, 120), 8
WHOLE = (SIZE[0] + 2 * MARGIN, SIZE[1] + 2 * MARGIN)
INSIDE = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))


def stripes(down: float, right: float) -> Pixels:
    """Draw soft stripes, grey, that repeat every so many rows and columns."""
    y, x = np.indices(WHOLE)
    wave = np.sin(2 * np.pi * (y / down + x / right))
    return np.rint(128 + 100 * np.repeat(wave[:, :, None], 3, axis=2)).astype(np.uint8)


def drawn(whole: Pixels) -> Pixels:
    """Draw the border around the inner part of a picture."""
    canvas = np.zeros((*whole.shape[:2], 4), np.uint8)
    photo = np.ascontiguousarray(whole[INSIDE])
    opaque = np.empty((*SIZE, 4), np.uint8)
    fields.with_opacity(photo, opaque)
    canvas[INSIDE] = opaque
    Border(photo, MARGIN).draw(canvas)
    return canvas


def error(canvas: Pixels, whole: Pixels, side: tuple[slice, slice]) -> float:
    """Measure the mean difference along a side."""
    apart: NDArray[np.int16] = canvas[side][:, :, :3].astype(np.int16) - whole[side]
    return float(np.abs(apart).mean())


SIDES = {
    "top": (slice(0, MARGIN), slice(30, -30)),
    "bottom": (slice(-MARGIN, None), slice(30, -30)),
    "left": (slice(30, -30), slice(0, MARGIN)),
    "right": (slice(30, -30), slice(-MARGIN, None)),
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("down", [24.0, -24.0])
def test_lines_run_on_past_the_border(side: str, down: float) -> None:
    """Slanted stripes go on nearly as they do in the world; a plain mirror bends them."""
    whole = stripes(down, 24.0)
    bent = np.pad(whole[INSIDE], ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="symmetric")

    assert error(drawn(whole), whole, SIDES[side]) < 0.35 * error(bent, whole, SIDES[side])


def test_without_lines_the_border_mirrors() -> None:
    """An even picture goes on evenly, opaque, up to the corners."""
    whole = np.full((*WHOLE, 3), (10, 120, 230), np.uint8)
    canvas = drawn(whole)

    assert np.array_equal(canvas[:, :, :3], whole)
    assert (canvas[:, :, 3] == 255).all()


def test_the_photo_itself_stays() -> None:
    """Bit for bit, of noise too, and what is drawn meets it without a step."""
    whole = noise(*WHOLE, 3)
    canvas = drawn(whole)

    assert np.array_equal(canvas[INSIDE][:, :, :3], whole[INSIDE])
    assert np.abs(canvas[MARGIN - 1].astype(int) - canvas[MARGIN])[40:-40].mean() < 40


def test_no_border_is_no_work() -> None:
    """A margin of nothing leaves the picture as it is."""
    canvas = np.zeros((*SIZE, 4), np.uint8)
    Border(np.ascontiguousarray(noise(*SIZE, 1)), 0).draw(canvas)

    assert not canvas.any()
