"""Geometry of frames and windows."""

import math

import numpy as np
import pytest

from services.vision.frame import (
    Frame,
    Window,
    body_frame,
    compose,
    inverse,
    scaled_to,
    shrink,
    whole_window,
)


def test_an_upright_body_gets_an_upright_frame() -> None:
    """The frame is centred on the hips and holds the circle through the crown, with margin."""
    frame = body_frame((50.0, 80.0), (50.0, 40.0), 1.25)

    assert frame.centre == (50.0, 80.0)
    assert pytest.approx(100) == frame.side
    assert pytest.approx(0) == frame.turn


@pytest.mark.parametrize("degrees", [-170, -90, -30, 0, 45, 90, 180])
def test_the_crown_is_above_the_hips_in_the_crop(degrees: int) -> None:
    """However a body lies, its crop shows it upright: the crown straight above the middle."""
    lean = math.radians(degrees)
    crown = (100 + 40 * math.sin(lean), 100 - 40 * math.cos(lean))
    frame = body_frame((100.0, 100.0), crown, 1.25)

    x, y = inverse(frame.to_picture(256)) @ (*crown, 1.0)

    assert pytest.approx(128) == x
    assert pytest.approx(128 - 128 / 1.25) == y


def test_an_inverse_undoes_its_matrix() -> None:
    """There and back again is where one was."""
    matrix = Frame(centre=(7.0, -3.0), side=90.0, turn=0.7).to_picture(256)

    there_and_back = compose(inverse(matrix), matrix)

    assert np.allclose([[1, 0, 0], [0, 1, 0]], there_and_back)


def test_a_window_stays_within_the_picture() -> None:
    """What a frame shows beyond the picture is cut off."""
    frame = Frame(centre=(10.0, 95.0), side=40.0, turn=0.0)

    assert Window(top=75, left=0, bottom=100, right=30) == frame.window(100, 200)


def test_a_turned_frame_needs_a_larger_window() -> None:
    """The window is the upright hull of the turned square."""
    frame = Frame(centre=(100.0, 100.0), side=100.0, turn=math.pi / 4)

    window = frame.window(1000, 1000)

    assert window is not None
    assert math.ceil(100 * math.sqrt(2)) <= window.width <= 144


def test_a_frame_beside_the_picture_shows_nothing() -> None:
    """No window is better than an empty one."""
    assert Frame(centre=(-50.0, 20.0), side=40.0, turn=0.0).window(100, 100) is None


def test_shrinking_keeps_edges_in_place() -> None:
    """The outer edges of the first and the last pixel fall on those of the target."""
    window = Window(top=10, left=20, bottom=50, right=100)
    matrix = shrink(window, 10, 40)

    start, end = matrix @ (19.5, 9.5, 1.0), matrix @ (99.5, 49.5, 1.0)

    assert np.allclose((-0.5, -0.5), start)
    assert np.allclose((39.5, 9.5), end)


def test_a_margin_ends_at_the_picture() -> None:
    """A window grows on all sides as far as there is picture."""
    window = Window(top=2, left=30, bottom=90, right=60)

    assert Window(top=0, left=20, bottom=100, right=70) == window.grown(10, 100, 200)


def test_a_whole_window_indexes_every_pixel() -> None:
    """Its slices take all rows and columns."""
    assert np.zeros((30, 40))[whole_window(30, 40).slices].shape == (30, 40)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2000, 1000), (100, 50)), ((30, 9000), (1, 100)), ((50, 50), (100, 100))],
)
def test_scaling_never_loses_a_side(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """The longer side gets the length asked for and the shorter at least one pixel."""
    assert expected == scaled_to(*size, 100)
