"""Paths: where they start, how they end, and what a caller's own key frames do."""

import math

import pytest

from services.video.camera import (
    HOME,
    CameraPath,
    Easing,
    KeyFrame,
    Pose,
    between,
    frame_times,
    plan,
)

READY_MADE = [path for path in CameraPath if path is not CameraPath.KEY_FRAMES]
CYCLIC = {CameraPath.ORBIT, CameraPath.CIRCLE, CameraPath.HANDHELD}


def apart(first: Pose, second: Pose) -> float:
    """Measure the largest difference of two poses."""
    return max(
        abs(getattr(first, name) - getattr(second, name))
        for name in Pose.__slots__  # type: ignore[attr-defined]  # a dataclass with slots
    )


@pytest.mark.parametrize("path", READY_MADE)
@pytest.mark.parametrize("loop", [False, True])
def test_paths_start_at_the_photo(path: CameraPath, *, loop: bool) -> None:
    """The first frame is the photo, whatever the path."""
    assert apart(plan(path, seconds=4.0, loop=loop, seed=3)(0.0), HOME) < 1e-9


@pytest.mark.parametrize("path", READY_MADE)
@pytest.mark.parametrize("seconds", [1.0, 4.0, 60.0])
def test_loops_end_where_they_began(path: CameraPath, seconds: float) -> None:
    """Time 1 is time 0 again, and the camera passes it without a jerk."""
    flight = plan(path, seconds=seconds, loop=True, seed=3)
    moment = 1e-4

    assert apart(flight(1.0), HOME) < 1e-9
    before, after = apart(flight(1.0 - moment), HOME), apart(flight(moment), HOME)
    assert before == pytest.approx(after, rel=0.05, abs=1e-6)


@pytest.mark.parametrize("path", sorted(set(READY_MADE) - {CameraPath.STILL}, key=str))
def test_paths_move(path: CameraPath) -> None:
    """A path leads somewhere, and twice the intensity leads farther."""
    reach = [
        max(
            apart(plan(path, seconds=4.0, intensity=intensity)(step / 16), HOME)
            for step in range(17)
        )
        for intensity in (0.0, 0.5, 1.0, 2.0)
    ]

    assert reach[0] == 0.0
    assert reach == sorted(set(reach))


def test_paths_that_lead_away_stay_there() -> None:
    """Without a loop a pan ends at its far end, gently."""
    flight = plan(CameraPath.PAN_RIGHT, seconds=4.0)

    assert flight(1.0).x == max(flight(step / 100).x for step in range(101))
    assert flight(1.0).x - flight(0.99).x < (flight(0.51).x - flight(0.5).x) / 10


def test_a_hand_sways_by_its_seed() -> None:
    """The same seed sways the same way, another one another way."""
    first, again, other = (
        plan(CameraPath.HANDHELD, seconds=4.0, seed=seed)(0.3) for seed in (1, 1, 2)
    )

    assert first == again
    assert apart(first, other) > 1e-3


@pytest.mark.parametrize(
    ("easing", "expected"),
    [
        (Easing.LINEAR, 0.25),
        (Easing.SMOOTH, (1 - math.cos(math.pi / 4)) / 2),
        (Easing.IN, 1 - math.cos(math.pi / 8)),
        (Easing.OUT, math.sin(math.pi / 8)),
    ],
)
def test_key_frames_are_eased(easing: Easing, expected: float) -> None:
    """A quarter of the time is the share of the way that the easing says."""
    frames = [
        KeyFrame(time=0.2, pose=HOME, easing=easing),
        KeyFrame(time=0.6, pose=Pose(x=1.0, zoom=4.0)),
    ]
    found = between(frames, 0.3)

    assert found.x == pytest.approx(expected)
    assert found.zoom == pytest.approx(4.0**expected)


def test_key_frames_are_met_and_held() -> None:
    """The camera is at a key frame at its time, and waits before the first and after the last."""
    poses = [Pose(x=0.1), Pose(y=0.2), Pose(z=0.3)]
    frames = [
        KeyFrame(time=time, pose=pose) for time, pose in zip((0.2, 0.5, 0.8), poses, strict=True)
    ]
    flight = plan(CameraPath.KEY_FRAMES, seconds=4.0, key_frames=frames)

    assert [flight(time) for time in (0.0, 0.2, 0.5, 0.8, 1.0)] == [
        poses[0],
        poses[0],
        poses[1],
        poses[2],
        poses[2],
    ]


def test_no_intensity_leads_into_the_focus_point() -> None:
    """A dolly of more than the whole way stops before it."""
    frames = [KeyFrame(time=0.0, pose=HOME), KeyFrame(time=1.0, pose=Pose(z=0.9))]
    flight = plan(CameraPath.KEY_FRAMES, seconds=4.0, key_frames=frames, intensity=2.0)

    assert flight(1.0).z == 0.9


def test_a_loop_leaves_its_last_time_to_the_first_frame() -> None:
    """Frames of a loop are evenly spaced around it; others reach the end."""
    assert frame_times(4, loop=True) == [0.0, 0.25, 0.5, 0.75]
    assert frame_times(5, loop=False) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert frame_times(1, loop=False) == [0.0]
