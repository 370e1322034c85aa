"""Geometry: what a moved camera sees where."""

import numpy as np
import pytest

from services.video.camera import HOME, CameraPath, Pose, plan
from services.video.framing import Framing
from services.video.pipeline import OUTWARDS
from services.video.projection import Places, Projection, Window

KEY_FRAMES = CameraPath.KEY_FRAMES
WIDE = Projection(height=72, width=96, focus=(60.0, 30.0))
PLANE = np.ones((18, 24), np.float32)


def place(x: float, y: float) -> Places:
    """Make one place of a frame."""
    return np.array([[x]], np.float32), np.array([[y]], np.float32)


def seen(
    pose: Pose, x: float, y: float, depth: float = 1.0, window: Window | None = None
) -> tuple[float, float]:
    """Find what is seen at one place, of a wall at a depth."""
    found = WIDE.trace(place(x, y), pose, window or Window(), PLANE * np.float32(depth))
    return float(found[0][0, 0]), float(found[1][0, 0])


def test_who_stands_still_sees_the_photo() -> None:
    """Every place shows itself, whatever the depth."""
    assert seen(HOME, 12.0, 50.0, depth=0.3) == pytest.approx((12.0, 50.0), abs=1e-4)


@pytest.mark.parametrize(("depth", "expected"), [(1.0, 9.6), (0.5, 4.8), (0.0, 0.0)])
def test_what_is_nearer_moves_more(depth: float, expected: float) -> None:
    """A tenth of a width to the right is that at the focus, half at twice the distance."""
    assert seen(Pose(x=0.1), 40.0, 30.0, depth) == pytest.approx((40.0 + expected, 30.0), abs=1e-3)


def test_half_the_way_doubles_what_is_there() -> None:
    """Half the way to the focus point magnifies its surroundings twice, around it."""
    assert seen(Pose(z=0.5), 60.0, 30.0) == pytest.approx((60.0, 30.0), abs=1e-3)
    assert seen(Pose(z=0.5), 70.0, 40.0) == pytest.approx((65.0, 35.0), abs=1e-3)


def test_zoom_has_no_parallax() -> None:
    """Near and far grow alike."""
    near, far = (seen(Pose(zoom=2.0), 70.0, 40.0, depth) for depth in (1.0, 0.2))

    assert near == far == pytest.approx((65.0, 35.0), abs=1e-3)


def test_a_swing_keeps_looking_at_the_focus_point() -> None:
    """The focus point stays where it is, what is behind it moves to one side."""
    pose = Pose(swing_degrees=10.0)

    assert seen(pose, 60.0, 30.0) == pytest.approx((60.0, 30.0), abs=0.05)
    assert seen(pose, 60.0, 30.0, depth=0.3)[0] > 62.0


@pytest.mark.parametrize(
    ("pose", "right", "down"),
    [
        (Pose(yaw_degrees=5.0), 1, 0),
        (Pose(pitch_degrees=5.0), 0, -1),
        (Pose(x=0.1), 1, 0),
        (Pose(y=0.1), 0, 1),
    ],
)
def test_the_camera_goes_where_it_is_told(pose: Pose, right: int, down: int) -> None:
    """What is in the middle then lay in that direction before."""
    x, y = seen(pose, 47.5, 35.5)

    assert np.sign(round(x - 47.5, 1)) == right
    assert np.sign(round(y - 35.5, 1)) == down


def test_a_clockwise_turn_is_clockwise() -> None:
    """What is at the right then lay lower down before."""
    assert seen(Pose(roll_degrees=10.0), 90.0, 35.5)[1] > 40.0


def test_a_camera_never_passes_through_a_surface() -> None:
    """Something half as near as the camera goes is magnified, not turned inside out."""
    x, _ = seen(Pose(z=0.8), 70.0, 30.0, depth=2.0)

    assert 60.0 < x < 70.0


@pytest.mark.parametrize("path", sorted(set(CameraPath) - OUTWARDS - {KEY_FRAMES}, key=str))
@pytest.mark.parametrize("loop", [False, True])
def test_frames_stay_within_the_photo(path: CameraPath, *, loop: bool) -> None:
    """But for a sliver nothing past the border is ever seen, and the first frame is whole."""
    flight = plan(path, seconds=4.0, loop=loop, seed=5)
    depth = np.linspace(0.3, 1.2, 18, dtype=np.float32)[:, None] * PLANE
    framing = Framing(WIDE, flight, [depth], seconds=4.0, loop=loop, slack=0.01)
    rows, columns = np.indices((72, 96), np.float32)

    assert framing.window(0.0) == Window()
    for step in range(41):
        time = step / 40
        x, y = WIDE.trace((columns, rows), flight(time), framing.window(time), depth)
        assert min(x.min(), y.min()) > -0.035 * 96
        assert x.max() < 95 + 0.035 * 96
        assert y.max() < 71 + 0.035 * 96


def test_windows_change_slowly() -> None:
    """The border of a frame never jumps."""
    flight = plan(CameraPath.ORBIT, seconds=4.0, loop=True, intensity=2.0)
    framing = Framing(WIDE, flight, [PLANE * np.float32(0.4)], seconds=4.0, loop=True, slack=0.0)
    scales = np.array([framing.window(step / 120).scale for step in range(121)])

    assert scales.min() < 0.97
    assert np.abs(np.diff(scales)).max() < 0.004
    assert np.abs(np.diff(scales, 2)).max() < 0.0006
