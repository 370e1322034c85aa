"""Parts of people: the shipped network on rendered people, whose masks are exact."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.chassis.engine.choice import CpuRoom, Engines
from services.chassis.errors import InternalError
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.store import ModelStore
from services.vision.frame import Frame, Window
from services.vision.loading import load_person_finder
from services.vision.networks import PEOPLE
from services.vision.part_reader import OPPOSITE_GUIDES, OPPOSITE_PARTS, close_frame, rule_out_dress
from services.vision.parts import PARTS, BodyPart, PartMap, PartsFinder, Wear
from services.vision.person import Person, PersonFinder
from services.vision.shares import as_shares

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
ANNA, DIEGO, MEI = (
    "anna_teal_tee_jeans_studio",
    "diego_red_tee_shorts_beach",
    "mei_floral_dress_room",
)
WEAR = {
    "upper": Wear.UPPER,
    "lower": Wear.LOWER,
    "dress": Wear.DRESS,
    "skin": Wear.SKIN,
    "hair": Wear.HAIR,
}
# The middle of a limb lies between two landmarks and shows that limb, where nothing hides it.
LIMB_MIDDLES = {
    BodyPart.UPPER_ARM_LEFT: (11, 13),
    BodyPart.UPPER_ARM_RIGHT: (12, 14),
    BodyPart.FOREARM_LEFT: (13, 15),
    BodyPart.FOREARM_RIGHT: (14, 16),
    BodyPart.THIGH_LEFT: (23, 25),
    BodyPart.THIGH_RIGHT: (24, 26),
    BodyPart.SHIN_LEFT: (25, 27),
    BodyPart.SHIN_RIGHT: (26, 28),
}


@pytest.fixture(scope="module")
def people() -> PersonFinder:
    """Open the fetched networks; without them the tests are skipped."""
    store = ModelStore(ROOT / "models")
    try:
        return load_person_finder(Engines.of(CpuRoom(store, 2), PEOPLE), CpuRaster(2))
    except InternalError as error:
        pytest.skip(f"the pose models are not fetched: {error.message}")


@pytest.fixture(scope="module")
def finder() -> PartsFinder:
    """Open the shipped network."""
    engine = CpuRoom(ModelStore(ROOT / "models"), 2).load(PARTS)
    return PartsFinder(engine, CpuRaster(2))


def sample(name: str) -> NDArray[np.uint8]:
    """Read a sample as HxWx3 uint8 RGB."""
    return np.asarray(Image.open(SAMPLES / "people" / f"{name}.jpg").convert("RGB"))


def look(
    people: PersonFinder, finder: PartsFinder, pixels: NDArray[np.uint8], arena: Arena
) -> tuple[Person, PartMap]:
    """Find the most prominent person and their parts."""
    person = people.people(pixels, arena)[0]
    return person, finder.parts(pixels, person, arena)


def agreement(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the share of the union that two masks have in common."""
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize(
    ("name", "kind", "share_min"),
    [
        (ANNA, "upper", 0.95),
        (ANNA, "lower", 0.95),
        (ANNA, "skin", 0.85),
        (DIEGO, "upper", 0.95),
        (DIEGO, "lower", 0.85),
        (DIEGO, "skin", 0.88),
        (DIEGO, "hair", 0.85),
        (MEI, "dress", 0.93),
        (MEI, "skin", 0.88),
        (MEI, "hair", 0.8),
    ],
)
def test_wear_agrees_with_the_truth(
    people: PersonFinder, finder: PartsFinder, name: str, kind: str, share_min: float
) -> None:
    """Clothes, skin and hair are found where they truly are."""
    truth = np.asarray(Image.open(SAMPLES / "truth" / f"{name}_{kind}.png")) >= 128

    with Budget(1 << 29).lease(0) as arena:
        _, found = look(people, finder, sample(name), arena)
        share = agreement(found.wear == WEAR[kind], truth)

    assert share >= share_min


@pytest.mark.parametrize("name", sorted(file.stem for file in (SAMPLES / "people").glob("*.jpg")))
def test_limbs_lie_where_the_pose_has_them(
    people: PersonFinder, finder: PartsFinder, name: str
) -> None:
    """Seven limbs of eight have their own label, of the right side, half-way along."""
    with Budget(1 << 29).lease(0) as arena:
        person, found = look(people, finder, sample(name), arena)
        middles = {
            part: person.landmarks[list(ends), :2].mean(axis=0)
            for part, ends in LIMB_MIDDLES.items()
        }
        right = [found.body[round(y), round(x)] == part for part, (x, y) in middles.items()]

    assert sum(right) >= 7


def test_nothing_outside_the_person_is_labelled(people: PersonFinder, finder: PartsFinder) -> None:
    """Every pixel of the person's mask has labels, and no other pixel has."""
    with Budget(1 << 29).lease(0) as arena:
        _, found = look(people, finder, sample(DIEGO), arena)
        inside = found.person >= 128

        assert ((found.body > 0) == inside).all()
        assert ((found.wear > 0) == inside).all()


def test_shares_are_soft_and_add_up_to_the_person(
    people: PersonFinder, finder: PartsFinder
) -> None:
    """At the edge between two classes both have a share, and none has one outside the person."""
    with Budget(1 << 29).lease(0) as arena:
        _, found = look(people, finder, sample(ANNA), arena)
        upper = found.wear_share(Wear.UPPER, arena)
        rest = [found.wear_share(wear, arena) for wear in Wear if wear not in (0, Wear.UPPER)]
        soft = ((upper > 20) & (upper < 235)).sum()

        assert agreement(upper >= 128, found.wear == Wear.UPPER) >= 0.97
        assert 0 < soft < 0.2 * (upper > 0).sum()
        assert not upper[found.person == 0].any()
        whole = np.sum([upper, *rest], axis=0, dtype=np.int64)
        assert np.abs(whole - found.person)[found.person > 0].mean() < 6


def test_a_lying_person_has_the_same_parts(people: PersonFinder, finder: PartsFinder) -> None:
    """The crop turns with the body: labels of a picture on its side turn with it."""
    pixels = sample(ANNA)
    with Budget(1 << 29).lease(0) as arena:
        _, upright = look(people, finder, pixels, arena)
        _, lying = look(people, finder, np.ascontiguousarray(np.rot90(pixels)), arena)

        assert (np.rot90(upright.body) == lying.body).mean() > 0.97
        assert (np.rot90(upright.wear) == lying.wear).mean() > 0.97


def test_half_a_person_has_no_legs(people: PersonFinder, finder: PartsFinder) -> None:
    """Where the picture ends at the waist, next to nothing is called a leg or a foot."""
    pixels = sample(ANNA)
    with Budget(1 << 29).lease(0) as arena:
        _, found = look(people, finder, np.ascontiguousarray(pixels[: pixels.shape[0] // 2]), arena)

        assert (found.body == BodyPart.HEAD).any()
        assert (found.body >= BodyPart.SHIN_LEFT).sum() < 0.01 * (found.body > 0).sum()


def test_the_arena_is_left_as_large_as_the_labels(
    people: PersonFinder, finder: PartsFinder
) -> None:
    """What was only needed on the way is wiped and free again."""
    pixels = sample(MEI)
    with Budget(1 << 29).lease(0) as arena:
        person = people.people(pixels, arena)[0]
        before = arena.used_bytes
        found = finder.parts(pixels, person, arena)
        kept = found.body.nbytes + found.wear.nbytes + found.person.nbytes + found.shares.nbytes

        assert arena.used_bytes - before <= kept + 1024


def planted_person(silhouette: NDArray[np.uint8]) -> Person:
    """Make a person who covers some cells of a frame of 256 pixels in the middle of 300x300."""
    return Person(
        score=0.9,
        frame=Frame(centre=(150.0, 150.0), side=256.0, turn=0.0),
        box=Window(top=20, left=20, bottom=280, right=280),
        landmarks=np.zeros((33, 4), np.float32),
        silhouette=silhouette,
    )


def test_the_crop_lies_closely_around_what_was_seen() -> None:
    """A person who fills a part of the frame is looked at closely."""
    silhouette = np.zeros((256, 256), np.uint8)
    silhouette[100:150, 60:80] = 255

    frame = close_frame(planted_person(silhouette), 300, 300)

    assert frame.centre == pytest.approx((150 - 128 + 69.5, 150 - 128 + 124.5))
    assert frame.side == pytest.approx(1.12 * 50)


def test_the_crop_leaves_out_what_is_beyond_the_picture() -> None:
    """What the pose network imagines below the picture's border does not widen the crop."""
    silhouette = np.zeros((256, 256), np.uint8)
    silhouette[100:250, 60:80] = 255

    frame = close_frame(planted_person(silhouette), 172, 300)

    assert frame.centre == pytest.approx((150 - 128 + 69.5, 150 - 128 + 124.5))
    assert frame.side == pytest.approx(1.12 * 50)


def test_without_a_silhouette_the_whole_frame_is_looked_at() -> None:
    """An empty silhouette gives no reason to look closer."""
    person = planted_person(np.zeros((256, 256), np.uint8))

    assert close_frame(person, 300, 300) == person.frame


def test_a_mirror_image_swaps_the_sides() -> None:
    """Twice mirrored is as before; a left hand becomes a right one, the head stays the head."""
    assert [OPPOSITE_PARTS[part] for part in OPPOSITE_PARTS] == list(range(15))
    assert [OPPOSITE_GUIDES[guide] for guide in OPPOSITE_GUIDES] == list(range(24))
    assert OPPOSITE_PARTS[BodyPart.HAND_LEFT] == BodyPart.HAND_RIGHT
    assert OPPOSITE_PARTS[BodyPart.HEAD] == BodyPart.HEAD


def dressed(upper: int, lower: int, dress: int) -> NDArray[np.float32]:
    """Make logits of a row of pixels in which so many look like each."""
    kinds = [Wear.UPPER] * upper + [Wear.LOWER] * lower + [Wear.DRESS] * dress
    logits = np.zeros((8, 1, len(kinds)), np.float32)
    logits[kinds, 0, range(len(kinds))] = 3
    logits[Wear.UPPER] += 1
    return logits


@pytest.mark.parametrize(
    ("pixels", "worn"),
    [
        ((10, 10, 5), {Wear.UPPER, Wear.LOWER}),
        ((0, 5, 10), {Wear.UPPER, Wear.DRESS}),
        ((8, 0, 10), {Wear.UPPER, Wear.DRESS}),
    ],
)
def test_a_dress_is_worn_whole_or_not_at_all(pixels: tuple[int, int, int], worn: set[Wear]) -> None:
    """Patches of a dress on two garments vanish; under a dress there are no trousers."""
    logits = dressed(*pixels)

    rule_out_dress(logits)

    assert set(logits.argmax(axis=0).ravel().tolist()) <= worn


def test_shares_leave_out_the_ground() -> None:
    """The person's mask has decided where the ground is: the other classes share the pixel."""
    logits = np.array([9.0, 1.0, 1.0, -50.0], np.float32).reshape(4, 1, 1)

    as_shares(logits)

    assert logits.ravel() == pytest.approx([0, 0.5, 0.5, 0], abs=1e-6)
