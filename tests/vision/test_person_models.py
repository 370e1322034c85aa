"""The finder with its real networks on rendered people, whose masks and joints are exact."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.chassis.engine.choice import CpuRoom, Engines
from services.chassis.errors import InternalError
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.store import ModelStore
from services.vision.loading import load_person_finder
from services.vision.networks import PEOPLE
from services.vision.person import PersonFinder

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
TRUE_PEOPLE = (
    "anna_teal_tee_jeans_studio",
    "diego_red_tee_shorts_beach",
    "mei_floral_dress_room",
)
# COCO's joint -> number of the landmark; "left" is the person's own in both.
LANDMARKS = {
    "nose": 0,
    "left_shoulder": 11,
    "right_shoulder": 12,
    "left_elbow": 13,
    "right_elbow": 14,
    "left_wrist": 15,
    "right_wrist": 16,
    "left_hip": 23,
    "right_hip": 24,
    "left_knee": 25,
    "right_knee": 26,
    "left_ankle": 27,
    "right_ankle": 28,
}


@pytest.fixture(scope="module")
def finder() -> PersonFinder:
    """Open the fetched networks; without them the tests are skipped."""
    store = ModelStore(ROOT / "models")
    try:
        return load_person_finder(Engines.of(CpuRoom(store, 2), PEOPLE), CpuRaster(2))
    except InternalError as error:
        pytest.skip(f"the pose models are not fetched: {error.message}")


def picture(path: Path) -> NDArray[np.uint8]:
    """Read a sample as HxWx3 uint8 RGB."""
    return np.asarray(Image.open(path).convert("RGB"))


def mask_of(finder: PersonFinder, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy of the mask that outlives the arena."""
    with Budget(1 << 29).lease(0) as arena:
        return finder.mask(pixels, arena).copy()


def agreement(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Return the share of the union that two masks have in common."""
    first, second = mask >= 128, truth >= 128
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize("name", TRUE_PEOPLE)
def test_the_mask_agrees_with_the_truth(finder: PersonFinder, name: str) -> None:
    """Mask and exact mask share 97 % of their union and differ by 0.8 % of full on average."""
    truth = np.asarray(Image.open(SAMPLES / "truth" / f"{name}_person.png"))

    mask = mask_of(finder, picture(SAMPLES / "people" / f"{name}.jpg"))

    assert agreement(mask, truth) >= 0.97
    assert np.abs(mask.astype(int) - truth).mean() <= 0.008 * 255


@pytest.mark.parametrize("name", TRUE_PEOPLE)
def test_landmarks_agree_with_the_true_joints(finder: PersonFinder, name: str) -> None:
    """Nine joints in ten lie within a tenth of the torso from the truth, on the person's side."""
    joints = json.loads((SAMPLES / "truth" / f"{name}_joints.json").read_text())["coco17"]
    true = np.array([joints[joint][:2] for joint in LANDMARKS])
    torso = np.hypot(*(true[1] - true[8]))

    with Budget(1 << 29).lease(0) as arena:
        (person,) = finder.people(picture(SAMPLES / "people" / f"{name}.jpg"), arena)
        found = person.landmarks[list(LANDMARKS.values()), :2].copy()

    assert (np.hypot(*(found - true).T) < 0.1 * torso).mean() >= 0.9


@pytest.mark.parametrize("name", ["lake", "still"])
def test_scenes_without_people_have_empty_masks(finder: PersonFinder, name: str) -> None:
    """Neither mountains nor flowers and fruit are people."""
    assert not mask_of(finder, picture(SAMPLES / "scenes" / f"{name}.jpg")).any()


@pytest.mark.parametrize("turns", [1, 3])
def test_a_lying_person_is_found(finder: PersonFinder, turns: int) -> None:
    """The frame turns with the body, so that a picture on its side is masked as well."""
    name = TRUE_PEOPLE[0]
    pixels = picture(SAMPLES / "people" / f"{name}.jpg")
    truth = np.asarray(Image.open(SAMPLES / "truth" / f"{name}_person.png"))

    mask = mask_of(finder, np.ascontiguousarray(np.rot90(pixels, turns)))

    assert agreement(mask, np.rot90(truth, turns)) >= 0.95


def test_people_side_by_side_are_all_masked(finder: PersonFinder) -> None:
    """Three people in one picture are three people, and the mask holds all of them."""
    pixels = np.hstack([picture(SAMPLES / "people" / f"{name}.jpg") for name in TRUE_PEOPLE])
    truth = np.hstack(
        [np.asarray(Image.open(SAMPLES / "truth" / f"{name}_person.png")) for name in TRUE_PEOPLE]
    )

    with Budget(1 << 29).lease(0) as arena:
        people = len(finder.people(pixels, arena))

    assert people == 3
    assert agreement(mask_of(finder, pixels), truth) >= 0.95


def test_a_person_far_away_is_found(finder: PersonFinder) -> None:
    """Somebody an eighth of the picture high is found in one of its parts."""
    name = TRUE_PEOPLE[1]
    small = Image.open(SAMPLES / "people" / f"{name}.jpg").convert("RGB").resize((128, 192))
    truth = Image.open(SAMPLES / "truth" / f"{name}_person.png").resize((128, 192))
    scene = Image.new("RGB", (1536, 1536), (120, 130, 140))
    true = Image.new("L", (1536, 1536))
    scene.paste(small, (1000, 900), truth)
    true.paste(truth, (1000, 900))

    mask = mask_of(finder, np.asarray(scene))

    assert agreement(mask, np.asarray(true)) >= 0.85
