"""The finder's own work, with planted people in place of the networks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.person import PersonFinder, person_at
from services.vision.search import parts
from tests.vision.bodies import BrightLandmarker, Planted, PlantedDetector

BUDGET_BYTES = 1 << 28


def finder(*people: Planted, presence: float = 1.0, mirrored: float | None = None) -> PersonFinder:
    """Make a finder whose networks answer what is planted."""
    return PersonFinder(
        detector=PlantedDetector(people),
        landmarker=BrightLandmarker(presence, mirrored),
        lens=CpuRaster(1),
    )


def body(height: int, width: int, rows: slice, columns: slice) -> NDArray[np.uint8]:
    """Return a dark picture with one bright body in it."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[rows, columns] = 250
    return pixels


# In a square picture of 448 pixels: hips in the middle, frame of 437 pixels.
UPRIGHT = Planted(score=0.9, hips=(112.0, 112.0), crown=(112.0, 24.7))


def test_the_mask_follows_the_body() -> None:
    """The mask is full on the body, empty off it, and its edge is within two pixels of the true."""
    pixels = body(448, 448, slice(90, 360), slice(180, 270))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        mask = finder(UPRIGHT).mask(pixels, arena).copy()

    assert mask[94:356, 184:266].min() >= 250
    assert mask[:86].max() <= 5
    assert mask[:, :176].max() <= 5
    assert pytest.approx((mask >= 128).sum(), rel=0.02) == 90 * 270


def test_a_picture_without_people_has_an_empty_mask() -> None:
    """All zero, and the parts of the picture have been searched too."""
    detector = PlantedDetector([UPRIGHT])
    subject = PersonFinder(detector=detector, landmarker=BrightLandmarker(), lens=CpuRaster(1))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        mask = subject.mask(np.full((300, 500, 3), 90, np.uint8), arena)

        assert mask.shape == (300, 500)
        assert not mask.any()
    assert detector.runs == 10


def test_parts_are_not_searched_when_somebody_fills_the_picture() -> None:
    """One sure find of the picture's size ends the search."""
    detector = PlantedDetector([UPRIGHT])
    subject = PersonFinder(detector=detector, landmarker=BrightLandmarker(), lens=CpuRaster(1))
    pixels = body(448, 448, slice(90, 360), slice(180, 270))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        assert len(subject.people(pixels, arena)) == 1
    assert detector.runs == 1


@pytest.mark.parametrize(
    ("presence", "mirrored", "expected"),
    [(0.99, 0.1, 1), (0.91, 0.91, 1), (0.89, 0.89, 0), (0.85, 1.0, 1), (0.0, 1.0, 0)],
)
def test_the_landmark_network_has_the_last_word(
    presence: float, mirrored: float, expected: int
) -> None:
    """A sighting counts if the crop, or the mean of it and its mirror image, shows a body."""
    pixels = body(448, 448, slice(90, 360), slice(180, 270))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        found = finder(UPRIGHT, presence=presence, mirrored=mirrored).people(pixels, arena)

    assert len(found) == expected


def test_a_person_is_described_in_pixels_of_the_picture() -> None:
    """Box and landmarks count from the picture's corner, whatever the crop was."""
    pixels = body(896, 896, slice(180, 720), slice(360, 540))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        (person,) = finder(UPRIGHT).people(pixels, arena)
        nose = person.landmarks[0].copy()

    assert pytest.approx((person.box.top, person.box.left), abs=5) == (180, 360)
    assert pytest.approx((person.box.bottom, person.box.right), abs=5) == (720, 540)
    assert nose[0] == pytest.approx(448, abs=2)
    assert nose[1] == pytest.approx(448 - person.frame.side / 4, abs=1)
    assert nose[2] == pytest.approx(-10 * person.frame.side / 256, rel=1e-3)
    assert nose[3] == pytest.approx(1)


def two_bodies() -> tuple[PersonFinder, NDArray[np.uint8]]:
    """Return a picture of a small body left and a large one right, and who finds both."""
    pixels = body(448, 896, slice(180, 300), slice(150, 200))
    pixels[60:400, 560:700] = 250
    small = Planted(score=0.95, hips=(44.0, 116.0), crown=(44.0, 92.0), box=(44, 95, 5, 5))
    large = Planted(score=0.7, hips=(157.5, 113.0), crown=(157.5, 65.0), box=(157, 70, 9, 9))
    return finder(small, large), pixels


def test_the_most_prominent_person_comes_first() -> None:
    """A large body near the middle leads, whoever was found first."""
    subject, pixels = two_bodies()

    with Budget(BUDGET_BYTES).lease(0) as arena:
        boxes = [person.box for person in subject.people(pixels, arena)]

    assert len(boxes) >= 2
    assert boxes[0].left > 500
    assert boxes[1].right < 300


def test_a_point_chooses_its_person() -> None:
    """The person under the point is returned, nobody beside all of them."""
    subject, pixels = two_bodies()

    with Budget(BUDGET_BYTES).lease(0) as arena:
        people = subject.people(pixels, arena)
        small, nobody = person_at(people, 175, 240), person_at(people, 400, 20)

    assert small is people[1]
    assert nobody is None


def test_the_same_body_counts_once() -> None:
    """Two sightings of one body, far enough apart to be two answers, become one person."""
    again = Planted(score=0.8, hips=(112.0, 118.0), crown=(112.0, 30.0), box=(20, 200, 9, 9))
    pixels = body(448, 448, slice(90, 360), slice(180, 270))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        assert len(finder(UPRIGHT, again).people(pixels, arena)) == 1


def test_only_the_mask_stays_in_the_arena() -> None:
    """Landmarks, crops and silhouettes are wiped before the mask is handed out."""
    pixels = body(448, 448, slice(90, 360), slice(180, 270))

    with Budget(BUDGET_BYTES).lease(0) as arena:
        finder(UPRIGHT).mask(pixels, arena)

        assert arena.used_bytes == 448 * 448


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 700), (3000, 2), (17, 33)])
def test_odd_sizes_are_no_obstacle(height: int, width: int) -> None:
    """The smallest and thinnest pictures get a mask of their size."""
    pixels = np.full((height, width, 3), 255, np.uint8)

    with Budget(BUDGET_BYTES).lease(0) as arena:
        assert finder(UPRIGHT).mask(pixels, arena).shape == (height, width)


def test_a_large_picture_needs_little_more_than_its_mask() -> None:
    """The arena holds two bytes a pixel and a fixed part: the mask and one person's share of it."""
    pixels = np.full((4000, 3000, 3), 250, np.uint8)

    with Budget(BUDGET_BYTES).lease(0) as arena:
        finder(UPRIGHT).mask(pixels, arena)
        erasure = arena.release()

    assert erasure.leased_bytes_peak < 2 * 4000 * 3000 + (16 << 20)


def test_parts_overlap_and_reach_every_corner() -> None:
    """Nine parts of half the size, the first at the start and the last at the end."""
    places = list(parts(100, 60))

    assert len(places) == 9
    assert (places[0].top, places[0].left) == (0, 0)
    assert (places[-1].bottom, places[-1].right) == (100, 60)
    assert {(place.height, place.width) for place in places} == {(50, 30)}


def test_a_person_is_scaled_with_the_picture() -> None:
    """In a picture twice as large everything lies twice as far from its corner."""
    pixels = body(448, 448, slice(90, 360), slice(180, 270))
    with Budget(BUDGET_BYTES).lease(0) as arena:
        (person,) = finder(UPRIGHT).people(pixels, arena)
        twice = person.scaled(2.0)

        assert twice.frame.side == 2 * person.frame.side
        assert np.allclose(twice.landmarks[:, :2] + 0.5, 2 * (person.landmarks[:, :2] + 0.5))
        assert (twice.box.bottom, twice.box.left) == (2 * person.box.bottom, 2 * person.box.left)
