"""The depth network that ships, on samples whose depth is known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.store import ModelStore
from services.vision.depth import DepthFinder
from services.vision.networks import DEPTH
from services.vision.person import PersonFinder
from tests.vision.bodies import BrightLandmarker, PlantedDetector

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"


@pytest.fixture(scope="module")
def finder() -> DepthFinder:
    """Open the network, with nobody in any picture."""
    lens = CpuRaster(2)
    engine = OpenVinoEngine(
        ModelStore(ROOT / "models").open(DEPTH.name),
        threads=2,
        picture_inputs=DEPTH.picture_inputs,
    )
    nobody = PersonFinder(detector=PlantedDetector(()), landmarker=BrightLandmarker(), lens=lens)
    return DepthFinder(engine=engine, people=nobody, lens=lens)


def depth_of(finder: DepthFinder, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find a picture's depth."""
    with Budget(1 << 28).lease(0) as arena:
        return finder.depth(pixels, arena).copy()


def sample(name: str) -> NDArray[np.uint8]:
    """Read a sample as HxWx3 uint8 RGB."""
    return np.asarray(Image.open(SAMPLES / name).convert("RGB"))


@pytest.mark.parametrize("name", ["scenes/lake.jpg", "scenes/street.jpg"])
def test_the_sky_is_far_and_the_ground_is_near(finder: DepthFinder, name: str) -> None:
    """The middle of the upper edge is farther than the lower edge by a third of the range."""
    near = depth_of(finder, sample(name))
    height, width = near.shape

    sky = near[: height // 10, width * 2 // 5 : width * 3 // 5].mean()

    assert near[-height // 10 :].mean() - sky >= 1 / 3


def test_most_pairs_of_the_still_life_are_in_order(finder: DepthFinder) -> None:
    """Of two pixels a tenth of the range apart, at least 85 of 100 are told apart rightly."""
    stored = np.asarray(Image.open(SAMPLES / "truth" / "still_depth.png"))
    known = stored > 0
    true = 1 / stored[known].astype(np.float64)
    near = depth_of(finder, sample("scenes/still.jpg"))[known]
    first, second = np.random.default_rng(1).integers(len(true), size=(2, 50_000))
    apart = np.abs(true[first] - true[second]) >= 0.1 * np.ptp(true)

    right = (near[first] > near[second]) == (true[first] > true[second])

    assert right[apart].mean() >= 0.85


def test_an_even_picture_is_even(finder: DepthFinder) -> None:
    """No relief is dreamt into a picture of one colour."""
    assert np.ptp(depth_of(finder, np.full((90, 160, 3), 200, np.uint8))) <= 1e-3


def test_every_shape_can_be_warmed_up(finder: DepthFinder) -> None:
    """The network takes all shapes that pictures are looked at in."""
    with Budget(1 << 26).lease(0) as arena:
        finder.warm_up(arena)
