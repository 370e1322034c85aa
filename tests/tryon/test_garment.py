"""Reading garments: the shipped network on samples, and on pictures that it has to refuse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.chassis.engine import TensorSpec
from services.chassis.engine.fake import FakeEngine
from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.store import ModelStore
from services.tryon.fit import corners_of
from services.tryon.garment import GARMENT, Garment, GarmentCategory, GarmentReader
from services.tryon.landmarks import (
    LANDMARKS,
    LANDMARKS_OF,
    axis_of,
    hottest,
    landmarks_of,
    outline_of,
    snapped,
)

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
KINDS = {
    "dress_dotted": GarmentCategory.DRESS,
    "dress_floral": GarmentCategory.DRESS,
    "lower_blue_jeans": GarmentCategory.TROUSERS,
    "lower_grey_skirt": GarmentCategory.SKIRT,
    "upper_striped_blouse": GarmentCategory.TOP_LONG_SLEEVE,
    "upper_teal_tee": GarmentCategory.TOP_SHORT_SLEEVE,
}
PAIRS = [name.removesuffix("_left") for name in LANDMARKS if name.endswith("_left")]


@pytest.fixture(scope="module")
def reader() -> GarmentReader:
    """Open the shipped network."""
    model = ModelStore(ROOT / "models").open("garment")
    engine = OpenVinoEngine(model, threads=2, picture_inputs=GARMENT.picture_inputs)
    return GarmentReader(engine, CpuRaster(2))


def sample(name: str) -> NDArray[np.uint8]:
    """Read a garment of the samples as HxWx3 uint8 RGB."""
    return np.asarray(Image.open(SAMPLES / "garments" / f"{name}.jpg").convert("RGB"))


def truth(name: str) -> NDArray[np.bool_]:
    """Read where a garment of the samples is."""
    return np.asarray(Image.open(SAMPLES / "truth" / f"garment_{name}.png").convert("L")) >= 128


def agreement(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return the share of the union that two masks have in common."""
    return float((first & second).sum() / (first | second).sum())


def on_ground(name: str, ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a garment with an exact mask on another ground of its size."""
    return np.where(truth(name)[:, :, None], sample(name), ground)


def planks() -> NDArray[np.uint8]:
    """Draw a wooden floor of the garments' size."""
    height, width = sample("upper_teal_tee").shape[:2]
    random = np.random.default_rng(0)
    boards = np.repeat(random.normal(150, 18, (1, 10)), width // 10, axis=1)
    grain = boards[:, :, None] * (1, 0.75, 0.5) + random.normal(0, 8, (height, width, 1))
    return np.clip(grain, 0, 255).astype(np.uint8)


def scene(name: str) -> NDArray[np.uint8]:
    """Read a scene of the samples at the garments' size."""
    size = sample("upper_teal_tee").shape[1::-1]
    return np.asarray(Image.open(SAMPLES / "scenes" / f"{name}.jpg").convert("RGB").resize(size))


def refusal(reader: GarmentReader, pixels: NDArray[np.uint8]) -> InvalidRequestError:
    """Read a picture that has to be refused."""
    with Budget(1 << 29).lease(0) as arena, pytest.raises(InvalidRequestError) as error:
        reader.read(np.ascontiguousarray(pixels), arena)
    return error.value


@pytest.mark.parametrize(("name", "category"), KINDS.items())
def test_the_kind_is_known(reader: GarmentReader, name: str, category: GarmentCategory) -> None:
    """Six garments of the samples are what they are, and have the landmarks of their kind."""
    with Budget(1 << 29).lease(0) as arena:
        garment = reader.read(sample(name), arena)

    assert garment.category == category
    assert set(garment.landmarks) <= set(LANDMARKS_OF[category])
    assert garment.scores[category] == max(garment.scores.values())


@pytest.mark.parametrize("name", ["dress_dotted", "upper_teal_tee"])
def test_the_mask_agrees_with_the_truth(reader: GarmentReader, name: str) -> None:
    """On plain ground, mask and exact mask share 95 % of their union."""
    with Budget(1 << 29).lease(0) as arena:
        mask = reader.read(sample(name), arena).mask

        assert agreement(mask >= 128, truth(name)) >= 0.95


@pytest.mark.parametrize("name", ["dress_dotted", "upper_teal_tee"])
@pytest.mark.parametrize("ground", ["planks", "lake"])
def test_a_ground_with_a_pattern_is_no_garment(
    reader: GarmentReader, name: str, ground: str
) -> None:
    """On a wooden floor and on a landscape, they still share 90 %, and the kind stays."""
    pixels = on_ground(name, planks() if ground == "planks" else scene(ground))
    with Budget(1 << 29).lease(0) as arena:
        garment = reader.read(pixels, arena)

        assert garment.category == KINDS[name]
        assert agreement(garment.mask >= 128, truth(name)) >= 0.9


@pytest.mark.parametrize("name", KINDS)
def test_left_and_right_are_the_wearers(reader: GarmentReader, name: str) -> None:
    """The wearer's left lies on the right of the picture, for every pair of landmarks."""
    with Budget(1 << 29).lease(0) as arena:
        landmarks = reader.read(sample(name), arena).landmarks

    for pair in PAIRS:
        if f"{pair}_left" in landmarks:
            assert landmarks[f"{pair}_left"][0] > landmarks[f"{pair}_right"][0]


def test_a_tee_has_its_corners_where_they_are(reader: GarmentReader) -> None:
    """The hem's corners are those of the mask, the collar is up and in the middle."""
    covered = truth("upper_teal_tee")
    rows, columns = np.nonzero(covered)
    size = np.hypot(np.ptp(rows), np.ptp(columns))
    with Budget(1 << 29).lease(0) as arena:
        landmarks = reader.read(sample("upper_teal_tee"), arena).landmarks

    for side, sign in (("left", 1), ("right", -1)):
        corner = int((sign * columns + 2 * rows).argmax())
        x, y, _ = landmarks[f"hem_{side}"]
        assert np.hypot(x - columns[corner], y - rows[corner]) < 0.06 * size
    x, y, _ = landmarks["collar_centre"]
    assert abs(x - columns.mean()) < 0.05 * size
    assert y - rows.min() < 0.15 * size


def test_a_dress_without_sleeves_has_no_cuffs(reader: GarmentReader) -> None:
    """What a garment does not have is left out."""
    with Budget(1 << 29).lease(0) as arena:
        landmarks = reader.read(sample("dress_floral"), arena).landmarks

    assert "cuff_outer_left" not in landmarks
    assert "armpit_left" in landmarks


def test_two_garments_are_refused(reader: GarmentReader) -> None:
    """Nobody can tell which one is meant; the refusal lists what is taken."""
    pair = np.hstack([sample("upper_teal_tee"), sample("lower_blue_jeans")])

    error = refusal(reader, pair)

    assert error.reason is Reason.GARMENT_NOT_FOUND
    assert all(category in error.message for category in GarmentCategory)


@pytest.mark.parametrize("name", ["lake", "street", "still"])
def test_a_picture_without_a_garment_is_refused(reader: GarmentReader, name: str) -> None:
    """Landscapes, streets and still lives can't be put on."""
    pixels = np.asarray(Image.open(SAMPLES / "scenes" / f"{name}.jpg").convert("RGB"))

    assert refusal(reader, pixels).reason is Reason.GARMENT_NOT_FOUND


def test_an_empty_picture_is_refused(reader: GarmentReader) -> None:
    """Plain paper is no garment."""
    paper = np.full((300, 200, 3), 245, np.uint8)

    assert refusal(reader, paper).reason is Reason.GARMENT_NOT_FOUND


def test_only_the_mask_stays_in_the_arena(reader: GarmentReader) -> None:
    """What was only needed on the way is wiped and free again."""
    pixels = sample("upper_teal_tee")
    with Budget(1 << 29).lease(0) as arena:
        before = arena.used_bytes
        garment = reader.read(pixels, arena)

        assert arena.used_bytes - before <= garment.mask.nbytes + 64


def planted(kind: int, count: int) -> GarmentReader:
    """Make a reader whose network sees a square in the middle, of a kind and so often."""

    def answer(inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        outputs["mask"][:] = -9
        outputs["mask"][0, 0, 32:96, 32:96] = 9
        outputs["heat"][:] = -9
        outputs["heat"][:, :, 32, 31:33] = 9
        outputs["kind"][:] = np.eye(9, dtype=np.float32)[kind] * 9
        outputs["count"][:] = np.eye(3, dtype=np.float32)[count] * 9

    spec = TensorSpec(name="image", shape=(1, 256, 256, 3), dtype="uint8")
    engine = FakeEngine(inputs=(spec,), outputs=(), function=answer)
    return GarmentReader(engine, CpuRaster(1))


def read_grey(reader: GarmentReader, arena: Arena) -> Garment:
    """Read a grey picture, twice as wide as it is high."""
    return reader.read(np.full((100, 200, 3), 128, np.uint8), arena)


def test_landmarks_are_told_in_pixels_of_the_picture() -> None:
    """Heat in the middle of the square is in the middle of a picture of any proportions."""
    with Budget(1 << 24).lease(0) as arena:
        garment = read_grey(planted(kind=0, count=1), arena)

        x, y, confidence = garment.landmarks["collar_centre"]
        assert (x, y) == pytest.approx((99.5, 49.5), abs=3.2)
        assert confidence > 0.49
        assert garment.mask.shape == (100, 200)


@pytest.mark.parametrize(("kind", "count"), [(8, 1), (0, 0), (0, 2)])
def test_what_can_not_be_put_on_is_refused(kind: int, count: int) -> None:
    """Shoes, nothing, and several garments all have their refusal."""
    with Budget(1 << 24).lease(0) as arena, pytest.raises(InvalidRequestError) as error:
        read_grey(planted(kind, count), arena)

    assert error.value.reason is Reason.GARMENT_NOT_FOUND
    assert "trousers" in error.value.metadata["categories"]


@pytest.mark.parametrize("category", list(GarmentCategory))
def test_the_callers_word_stands_above_the_networks(category: GarmentCategory) -> None:
    """Whatever the network takes a garment for, a told category has all of its landmarks."""
    with Budget(1 << 24).lease(0) as arena:
        reader = planted(kind=8, count=2)
        garment = reader.read(np.full((100, 200, 3), 128, np.uint8), arena, category)

    assert garment.category is category
    assert corners_of(category) <= set(garment.landmarks)


def test_a_told_category_makes_no_garment_out_of_nothing() -> None:
    """Without a mask there is nothing to put on, whatever it is called."""

    def answer(inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        for output in outputs.values():
            output[:] = -9

    spec = TensorSpec(name="image", shape=(1, 256, 256, 3), dtype="uint8")
    reader = GarmentReader(FakeEngine(inputs=(spec,), outputs=(), function=answer), CpuRaster(1))
    with Budget(1 << 24).lease(0) as arena, pytest.raises(InvalidRequestError) as error:
        reader.read(np.full((100, 200, 3), 128, np.uint8), arena, GarmentCategory.SKIRT)

    assert error.value.reason is Reason.GARMENT_NOT_FOUND


def test_what_the_heat_does_not_show_is_where_garments_have_it() -> None:
    """Without any heat, trousers have their waist at the mask's top and their ankles below."""
    mask = np.zeros((256, 128), np.uint8)
    mask[28:228, 24:104] = 255
    heat = np.full((len(LANDMARKS), 64, 64), 0.01, np.float32)

    places = landmarks_of(GarmentCategory.TROUSERS, heat, mask)

    assert places["waist_left"][0] > places["waist_right"][0]
    assert places["waist_left"][1] < places["crotch"][1] < places["ankle_inner_left"][1]
    assert places["ankle_outer_left"][:2] == pytest.approx((103, 227), abs=6)


def test_the_hottest_spot_is_found_between_cells() -> None:
    """Two cells of equal heat have their spot between them."""
    heat = np.zeros((64, 64), np.float32)
    heat[10, 20] = heat[10, 21] = 0.8

    assert hottest(heat) == pytest.approx((20.5, 10.0, 0.8))


def test_points_near_the_outline_are_moved_onto_it() -> None:
    """A point beside the rim goes there; one far inside stays."""
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    outline = outline_of(mask)

    assert snapped(np.array([8.0, 20.0]), outline, 3.0).tolist() == [10.0, 20.0]
    assert snapped(np.array([20.0, 20.0]), outline, 3.0).tolist() == [20.0, 20.0]
    assert len(outline) == 4 * 19


def test_the_axis_runs_from_collar_to_hem() -> None:
    """It is the line that a garment is symmetric about."""
    marks = {
        "collar_left": (60.0, 10.0, 1.0),
        "collar_right": (40.0, 10.0, 1.0),
        "hem_left": (70.0, 90.0, 1.0),
        "hem_right": (34.0, 90.0, 1.0),
    }

    assert axis_of(marks) == ((50.0, 10.0), (52.0, 90.0))
