"""The detector's anchors, decoding and merging."""

import numpy as np
import pytest

from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.detector import Detection, PoseDetector, anchors, merge, overlap
from tests.vision.bodies import Planted, PlantedDetector


def test_anchors_stand_in_the_middle_of_their_cells() -> None:
    """Two for each of 28x28 cells, two for 14x14, six for 7x7: 2254, all inside the square."""
    middles = anchors()

    assert middles.shape == (2254, 2)
    assert middles[0].tolist() == [4.0, 4.0]
    assert middles[2].tolist() == [12.0, 4.0]
    assert middles[28 * 28 * 2].tolist() == [8.0, 8.0]
    assert middles[-1].tolist() == [208.0, 208.0]


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(448, 448, (224.0, 200.0)), (448, 224, (112.0, 200.0)), (224, 448, (224.0, 88.0))],
)
def test_points_come_back_in_pixels_of_the_picture(
    height: int, width: int, expected: tuple[float, float]
) -> None:
    """The letterbox around a tall or wide picture is taken away again."""
    engine = PlantedDetector([Planted(score=0.9, hips=(112.0, 100.0), crown=(112.0, 60.0))])
    pixels = np.full((height, width, 3), 255, np.uint8)

    with Budget(1 << 25).lease(0) as arena:
        (found,) = PoseDetector(engine, CpuRaster(1)).detect(pixels, arena, 0.5)

    assert expected == pytest.approx(found.hips, abs=1e-3)
    assert pytest.approx(0.9, abs=1e-3) == found.score


def test_the_network_sees_white_as_one_and_the_letterbox_as_grey() -> None:
    """Shades are -1..1 and what the picture does not fill is 0."""
    engine = PlantedDetector([])

    with Budget(1 << 25).lease(0) as arena:
        PoseDetector(engine, CpuRaster(1)).detect(np.full((50, 100, 3), 255, np.uint8), arena, 0.5)

    assert engine.seen is not None
    assert pytest.approx(1.0) == engine.seen[0, 112].min()
    assert not engine.seen[0, :50].any()


def test_answers_below_the_threshold_are_dropped() -> None:
    """A person that the network is less sure of than asked is not reported."""
    people = [
        Planted(score=0.4, hips=(50.0, 100.0), crown=(50.0, 60.0)),
        Planted(score=0.6, hips=(150.0, 100.0), crown=(150.0, 60.0), box=(180, 180, 20, 20)),
    ]
    detector = PoseDetector(PlantedDetector(people), CpuRaster(1))

    with Budget(1 << 25).lease(0) as arena:
        found = detector.detect(np.full((224, 224, 3), 255, np.uint8), arena, 0.5)

    assert [round(person.hips[0]) for person in found] == [150]


def test_answers_for_one_person_are_averaged_by_score() -> None:
    """Boxes that overlap are one person, in the weighted mean of their points."""
    points = np.zeros((3, 6, 2))
    points[0, 1] = points[1, 1] = 10
    points[1, 0] = 1
    points[0, 2], points[1, 2] = 20, 50
    points[2, :2] = [[90, 90], [99, 99]]

    people = merge(points, np.array([0.8, 0.4, 0.9]))

    assert [score for score, _ in people] == [0.9, 0.8]
    assert np.allclose(30, people[1][1][2])


def test_boxes_apart_do_not_overlap() -> None:
    """The overlap is 1 with itself and 0 with a box elsewhere."""
    boxes = np.zeros((2, 6, 2))
    boxes[:, :2] = [[[0, 0], [4, 4]], [[5, 5], [9, 9]]]

    assert overlap(boxes[0], boxes).tolist() == [1.0, 0.0]


def test_a_detection_moves_as_a_whole() -> None:
    """Hips and crown keep their distance."""
    found = Detection(score=0.5, hips=(1.0, 2.0), crown=(3.0, 4.0)).moved(10, 20)

    assert Detection(score=0.5, hips=(11.0, 22.0), crown=(13.0, 24.0)) == found
