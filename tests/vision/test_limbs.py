"""Maps of where the limbs of a body are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.vision.limbs import LIMBS, MAPS, OPPOSITE_MAPS, limb_maps

TORSO, UPPER_ARM_LEFT, UPPER_ARM_RIGHT, SHIN_LEFT = 1, 2, 3, 10
UPPER_ARM_LEFT_DEPTH, UPPER_ARM_RIGHT_DEPTH = 2 + len(LIMBS), 3 + len(LIMBS)


@pytest.fixture
def landmarks() -> NDArray[np.float32]:
    """Stand a body upright, all of it visible, its left arm stretched out towards the viewer."""
    marks = np.zeros((33, 4), np.float32)
    marks[:, :2] = 32
    marks[:, 3] = 1
    marks[[11, 12, 23, 24], :2] = (38, 20), (26, 20), (36, 40), (28, 40)
    marks[[13, 14], :3] = (54, 20, -8), (24, 30, 8)
    marks[[25, 27], :2] = (36, 50), (36, 60)
    return marks


def maps_of(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw all maps."""
    maps = np.full((MAPS, 64, 64), 9, np.float32)
    limb_maps(landmarks, maps)
    return maps


def test_a_limb_is_warm_between_its_ends(landmarks: NDArray[np.float32]) -> None:
    """The left upper arm's map is full half-way along, and cold at the other arm."""
    maps = maps_of(landmarks)

    assert maps[UPPER_ARM_LEFT, 20, 46] == pytest.approx(1, abs=0.01)
    assert maps[UPPER_ARM_LEFT, 28, 24] < 0.01
    assert maps[UPPER_ARM_RIGHT, 25, 25] == pytest.approx(1, abs=0.01)
    assert maps[TORSO, 30, 32] == pytest.approx(1, abs=0.01)


def test_what_is_hidden_is_fainter(landmarks: NDArray[np.float32]) -> None:
    """A guessed shin counts a quarter of one that is seen."""
    landmarks[[25, 27], 3] = 0

    assert maps_of(landmarks)[SHIN_LEFT].max() == pytest.approx(0.25, abs=0.01)


def test_depth_tells_before_from_behind(landmarks: NDArray[np.float32]) -> None:
    """Towards the viewer is negative, away positive."""
    maps = maps_of(landmarks)

    assert maps[UPPER_ARM_LEFT_DEPTH].min() == pytest.approx(-0.2, abs=0.01)
    assert maps[UPPER_ARM_RIGHT_DEPTH].max() == pytest.approx(0.2, abs=0.01)


def test_a_body_in_one_point_has_finite_maps() -> None:
    """Landmarks that all lie in one place draw something, never nothing at all or NaN."""
    maps = maps_of(np.full((33, 4), 5, np.float32))

    assert np.isfinite(maps).all()


def test_every_map_has_its_opposite() -> None:
    """Opposites of opposites are the maps themselves."""
    assert [OPPOSITE_MAPS[number] for number in OPPOSITE_MAPS] == list(range(MAPS))
    assert OPPOSITE_MAPS[UPPER_ARM_LEFT] == UPPER_ARM_RIGHT
    assert OPPOSITE_MAPS[UPPER_ARM_LEFT_DEPTH] == UPPER_ARM_RIGHT_DEPTH
