"""Dances fit their beats and phrases, and are the same for the same seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.dance.beats import BeatGrid, counted_beats
from services.dance.choreography import Choreography
from services.dance.moves import load_moves
from services.dance.pose import Pose, mirrored
from services.dance.skeleton import ARMS, LEGS
from services.dance.stance import home_of, pose_of, stand
from tests.dance.figures import SIZE, skeleton

BOOK = load_moves()
RATE = 60.0
NAMES = [move.name for move in BOOK.moves]


def dance(names: list[str], grid: BeatGrid, seed: int = 0, intensity: float = 1.0) -> Choreography:
    """Line up moves for the stick figure."""
    body = skeleton()
    moves = [BOOK.move(name, "") for name in names]
    return Choreography(moves, grid, intensity, seed, pose_of(body, home_of(body, SIZE)))


def accents(poses: Pose) -> NDArray[np.float64]:
    """Return the seconds at which the body comes to rest: where its joints' speed is least."""
    body = skeleton()
    home = home_of(body, SIZE)
    joints = np.stack([stand(body, home, pose).limbs for pose in poses])
    moving = joints[:, [*ARMS, *LEGS]].reshape(len(poses), -1, 2)
    speed = np.hypot(*np.moveaxis(np.diff(moving, axis=0), -1, 0)).mean(axis=1)
    least = (speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:])
    calm = speed[1:-1] < 0.5 * np.median(speed)
    return (np.flatnonzero(least & calm) + 1.5) / RATE


@pytest.mark.parametrize("name", NAMES)
def test_nine_accents_of_ten_are_on_a_beat(name: str) -> None:
    """Motion comes to rest within 60 ms of beats that are not even."""
    rng = np.random.default_rng(3)
    times = np.cumsum(0.5 + rng.uniform(-0.02, 0.02, 40)) - 0.5
    grid = BeatGrid(times=times, tempo=120.0)
    found = accents(dance([name], grid).poses(np.arange(1.0, 9.0, 1 / RATE)))
    away = np.abs((found + 1.0)[:, None] - times).min(axis=1)

    assert len(found) >= 8
    assert (away < 0.06).mean() >= 0.9


def test_the_same_seed_gives_the_same_dance_and_another_seed_another() -> None:
    """Chance is the seed's alone."""
    grid, times = counted_beats(120.0, 8.0), np.arange(0.0, 8.0, 0.1)
    first, again, other = (dance(["two_step"], grid, seed).poses(times) for seed in (5, 5, 6))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_moves_are_danced_in_turn_for_a_phrase_each() -> None:
    """After eight beats the next one comes, and after the last the first again."""
    grid = counted_beats(120.0, 20.0)
    second = np.arange(5.0, 7.5, 0.1)
    danced = dance(["jump", "twist"], grid).poses(second)
    likeness = {
        name: max(likeness_of(danced, pose) for pose in (alone, mirrored(alone)))
        for name in ("jump", "twist")
        for alone in [dance([name], grid).poses(second)]
    }

    assert likeness["twist"] > 0.98 > likeness["jump"]


def likeness_of(first: Pose, second: Pose) -> float:
    """Correlate two stretches of poses."""
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_a_dance_sets_out_from_the_photo() -> None:
    """The first pose is the photo's own."""
    body = skeleton()
    poses = dance(["clap"], counted_beats(120.0, 4.0)).poses(np.array([0.0]))

    assert np.allclose(poses[0], pose_of(body, home_of(body, SIZE)), atol=1e-6)


def test_intensity_makes_moves_wider() -> None:
    """Twice as intense is twice as far from standing."""
    grid, times = counted_beats(120.0, 8.0), np.arange(2.0, 6.0, 0.05)
    swing = [
        np.ptp(dance(["hip_sway"], grid, intensity=wide).poses(times)[:, 0]) for wide in (0.5, 1.0)
    ]

    assert np.isclose(swing[1], 2 * swing[0], rtol=0.02)
