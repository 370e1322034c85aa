"""Following a planted person through a film."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.frame import Frame
from services.vision.landmarker import CELLS, Glance
from services.vision.person import PersonFinder
from services.vision.tracking import PRESENCE_MIN, PersonTracker, next_frame
from tests.vision.bodies import BrightLandmarker, Planted, PlantedDetector

EMPTY = np.full((448, 448, 3), 40, np.uint8)
# Runs of the detector for a search that goes into the nine parts of a picture.
CLOSE = 10


def body() -> NDArray[np.uint8]:
    """Return a dark picture with one bright body in it."""
    pixels = EMPTY.copy()
    pixels[90:360, 180:270] = 250
    return pixels


class Bright:
    """Looks at crops in place of the network: a body is there if enough is bright."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, crop: NDArray[np.uint8], arena: Arena) -> Glance:
        """See `Landmarker.glances`."""
        self.looks += 1
        landmarks = arena.array((33, 4), np.float32)
        landmarks[:, :2] = CELLS / 2
        middle = CELLS / 2
        return Glance(
            presence=float((crop > 200).any()),
            landmarks=landmarks,
            hips=(middle, middle),
            crown=(middle, middle - middle / 1.25),
        )


@pytest.fixture
def detector() -> PlantedDetector:
    """Plant a person in the middle of every picture that is not dark."""
    return PlantedDetector([Planted(score=0.9, hips=(112.0, 112.0), crown=(112.0, 24.7))])


@pytest.fixture
def tracker(detector: PlantedDetector) -> PersonTracker:
    """Make a tracker that has seen nothing."""
    finder = PersonFinder(detector=detector, landmarker=BrightLandmarker(), lens=CpuRaster(1))
    return PersonTracker(finder, Bright())


def follow(tracker: PersonTracker, film: list[NDArray[np.uint8]]) -> list[bool]:
    """Tell in which frames the person was seen."""
    seen = []
    with Budget(1 << 28).lease(0) as arena:
        for frame in film:
            with arena.scope():
                seen.append(tracker.landmarks(frame, arena) is not None)
    return seen


def test_a_person_is_searched_once_and_followed(
    tracker: PersonTracker, detector: PlantedDetector
) -> None:
    """After the first frame only the landmark network looks."""
    assert all(follow(tracker, [body()] * 6))
    assert detector.runs == 1


def test_a_person_who_was_lost_is_searched_again(
    tracker: PersonTracker, detector: PlantedDetector
) -> None:
    """Who leaves is missed at once; who comes back is followed as before."""
    assert follow(tracker, [body(), EMPTY, EMPTY, body(), body()]) == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert detector.runs == 1 + CLOSE + 1


def test_a_film_without_anybody_is_searched_few_times(
    tracker: PersonTracker, detector: PlantedDetector
) -> None:
    """Pauses double: 100 frames are searched six times, twice in their parts."""
    assert not any(follow(tracker, [EMPTY] * 100))
    assert detector.runs == 2 * CLOSE + 4


def test_landmarks_are_in_pixels_of_the_picture(tracker: PersonTracker) -> None:
    """The middle of the crop is where the body's frame has its middle."""
    with Budget(1 << 28).lease(0) as arena:
        tracker.landmarks(body(), arena)
        landmarks = tracker.landmarks(body(), arena)

        assert landmarks is not None
        assert landmarks[0, :2].tolist() == pytest.approx([224, 224], abs=1.5)


@pytest.mark.parametrize(("presence", "kept"), [(PRESENCE_MIN, True), (PRESENCE_MIN - 0.01, False)])
def test_a_body_is_lost_below_a_presence(presence: float, kept: bool) -> None:
    """The published limit itself still counts as seen."""
    assert (ahead(presence, crown=20.0) is not None) is kept


@pytest.mark.parametrize("crown", [127.5, -3000.0])
def test_a_frame_of_an_impossible_size_is_given_up(crown: float) -> None:
    """Neither a point nor far more than the picture is a body."""
    assert ahead(1.0, crown) is None


def test_the_next_frame_lies_where_the_body_went() -> None:
    """Middle, size and lean follow hips and crown as they were seen in the crop."""
    found = ahead(1.0, crown=128.0 - 64.0)

    assert found is not None
    assert found.centre == pytest.approx((200.0, 300.0))
    assert found.side == pytest.approx(2 * 64 * 1.25)
    assert found.turn == pytest.approx(0.0)


def ahead(presence: float, crown: float) -> Frame | None:
    """Go on from a frame whose crop is as large as it: hips in its middle, crown at a height."""
    seen = Glance(
        presence=presence,
        landmarks=np.zeros((33, 4), np.float32),
        hips=(CELLS / 2, CELLS / 2),
        crown=(CELLS / 2, crown),
    )
    return next_frame(Frame(centre=(200.0, 300.0), side=float(CELLS), turn=0.0), seen, 480)
