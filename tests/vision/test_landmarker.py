"""Reading a crop: landmarks, silhouette, second opinion."""

import numpy as np
import pytest

from services.chassis.memory.arena import Budget
from services.vision.landmarker import CELLS, Landmarker, refine, sigmoid
from tests.vision.bodies import BrightLandmarker


def test_the_silhouette_lies_where_the_body_is() -> None:
    """The mirrored run is turned back before both are averaged."""
    crop = np.zeros((CELLS, CELLS, 3), np.uint8)
    crop[20:200, 10:60] = 255

    with Budget(1 << 25).lease(0) as arena:
        silhouette = Landmarker(BrightLandmarker()).read(crop, arena).silhouette.copy()

    assert np.array_equal(crop[:, :, 0], silhouette)


def test_both_opinions_are_reported() -> None:
    """The presence of the crop and of its mirror image are kept apart."""
    with Budget(1 << 25).lease(0) as arena:
        reading = Landmarker(BrightLandmarker(0.75, 0.25)).read(
            np.zeros((CELLS, CELLS, 3), np.uint8), arena
        )

    assert (reading.presence, reading.presence_mirrored) == (0.75, 0.25)


def test_reading_leaves_only_its_answers_in_the_arena() -> None:
    """The networks' own tensors are wiped before the answer is handed out."""
    with Budget(1 << 25).lease(0) as arena:
        Landmarker(BrightLandmarker()).read(np.zeros((CELLS, CELLS, 3), np.uint8), arena)

        assert arena.used_bytes < CELLS * CELLS + 4096


def test_a_warm_heat_map_pulls_its_landmark() -> None:
    """The landmark moves to the centre of the heat nearby; a cold map leaves it."""
    landmarks = np.full((33, 4), 100, np.float32)
    heat = np.full((64, 64, 39), -50, np.float32)
    heat[26, 27, 0] = 50

    refine(landmarks, heat)

    assert pytest.approx((108, 104)) == tuple(landmarks[0, :2])
    assert tuple(landmarks[1, :2]) == (100, 100)


@pytest.mark.parametrize("place", [-40.0, 255.9, 300.0])
def test_a_landmark_at_or_beyond_the_edge_is_left_or_refined_within(place: float) -> None:
    """Heat is only looked up inside the map."""
    landmarks = np.full((33, 4), place, np.float32)

    refine(landmarks, np.full((64, 64, 39), -50, np.float32))

    assert np.allclose(place, landmarks)


def test_logits_in_the_hundreds_do_not_overflow() -> None:
    """The squashed ends are 0 and 1 without a warning."""
    assert np.round(sigmoid(np.array([-700, 0, 700], np.float32)), 6).tolist() == [0.0, 0.5, 1.0]
