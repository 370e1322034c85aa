"""Joining what the network says with what is known of people and edges, on planted answers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.depth import SHAPES, DepthFinder, shape_for
from services.vision.person import PersonFinder
from tests.vision.bodies import BrightLandmarker, Planted, PlantedDetector

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Arrays = Mapping[str, NDArray[Any]]
BUDGET_BYTES = 1 << 28
# In a square picture: hips in the middle, the body's circle as high as the picture.
UPRIGHT = Planted(score=0.9, hips=(112.0, 112.0), crown=(112.0, 24.7))


class PlantedDepth:
    """A network that answers what a function of its picture says."""

    inputs = (TensorSpec(name="image", shape=(1, None, None, 3), dtype="uint8"),)
    outputs = (TensorSpec(name="near", shape=(1, 1, None, None), dtype="float32"),)
    description = "planted"

    def __init__(self, answer: Callable[[Pixels], Floats]) -> None:
        self._answer = answer

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Answer."""
        outputs["near"][0, 0] = self._answer(inputs["image"][0][::2, ::2])

    @contextmanager
    def series(self) -> Iterator[Callable[[Arrays, Arrays], None]]:
        """Answer several times."""
        yield self.run


def ground(picture: Pixels) -> Floats:
    """See the ground alone: near below, far above."""
    height, width = picture.shape[:2]
    return np.tile(np.linspace(0, 1, height, dtype=np.float32)[:, None], (1, width))


def finder(answer: Callable[[Pixels], Floats], *people: Planted) -> DepthFinder:
    """Make a finder whose networks answer what is planted."""
    lens = CpuRaster(1)
    persons = PersonFinder(
        detector=PlantedDetector(people), landmarker=BrightLandmarker(), lens=lens
    )
    return DepthFinder(engine=PlantedDepth(answer), people=persons, lens=lens)


def depth_of(subject: DepthFinder, pixels: Pixels) -> Floats:
    """Find a picture's depth."""
    with Budget(BUDGET_BYTES).lease(0) as arena:
        return subject.depth(pixels, arena).copy()


def fitted(depth_map: NDArray[Any], pixels: Pixels) -> Floats:
    """Fit a map to a picture."""
    with Budget(BUDGET_BYTES).lease(0) as arena:
        return finder(ground).fit_depth_map(depth_map, pixels, arena).copy()


def grainy(height: int, width: int) -> Pixels:
    """Return a picture without edges that is not even."""
    return np.random.default_rng(2).integers(60, 90, (height, width, 3)).astype(np.uint8)


def halves(height: int, width: int) -> Pixels:
    """Return a picture that is dark at the left and bright at the right of column width // 3."""
    pixels = np.full((height, width, 3), 30, np.uint8)
    pixels[:, width // 3 :] = 220
    return pixels


def bright(picture: Pixels) -> Floats:
    """See what is bright as near, blurred by a few cells."""
    light = (picture.mean(axis=2) > 128).astype(np.float32)
    wide = np.pad(light, ((0, 0), (2, 2)), "edge")
    return np.mean([wide[:, n : n + light.shape[1]] for n in range(5)], axis=0)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((480, 640), (96, 128)), ((960, 640), (160, 96)), ((1, 4000), (96, 160)), ((9, 9), None)],
)
def test_the_network_sees_the_nearest_shape(
    size: tuple[int, int], shape: tuple[int, int] | None
) -> None:
    """Pictures keep about their proportions, and there are few shapes."""
    assert shape_for(*size) in SHAPES
    if shape is not None:
        assert shape_for(*size) == shape


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5), (90, 160), (700, 500)])
def test_every_size_has_a_map_within_bounds(size: tuple[int, int]) -> None:
    """The map has the picture's size and lies in 0..1."""
    near = depth_of(finder(ground), grainy(*size))

    assert near.shape == size
    assert near.dtype == np.float32
    assert near.min() >= 0
    assert near.max() <= 1


def test_the_map_steps_where_the_picture_does() -> None:
    """A blurred answer becomes a step within three pixels of the edge."""
    near = depth_of(finder(bright), halves(300, 420))

    assert near[:, : 140 - 3].max() <= 0.25
    assert near[:, 140 + 3 :].min() >= 0.75


def test_the_map_of_a_mirrored_picture_is_mirrored() -> None:
    """Left and right are judged alike, even by a network that does not."""

    def lopsided(picture: Pixels) -> Floats:
        return bright(picture) * np.linspace(0.5, 1, picture.shape[1], dtype=np.float32)

    pixels = halves(200, 300)

    one = depth_of(finder(lopsided), pixels)
    other = depth_of(finder(lopsided), np.ascontiguousarray(pixels[:, ::-1]))

    assert np.abs(one - other[:, ::-1]).max() <= 0.02


def test_an_even_picture_has_even_depth() -> None:
    """Whatever the network dreams into it."""
    near = depth_of(finder(ground), np.full((120, 200, 3), 77, np.uint8))

    assert np.ptp(near) <= 1e-3


def test_somebody_is_nearer_than_what_they_hide() -> None:
    """A person whom the network overlooks stands out from the ground behind, with a clean step."""
    pixels = np.full((448, 448, 3), 40, np.uint8)
    pixels[90:360, 180:270] = 250

    near = depth_of(finder(ground, UPRIGHT), pixels)

    body, left, right = near[96:340, 186:264], near[96:340, 150:174], near[96:340, 276:300]
    assert (body.min(axis=1) > np.maximum(left.max(axis=1), right.max(axis=1))).all()
    assert np.ptp(np.median(body, axis=1)) <= 0.4
    # Nothing of the person bleeds into the ground beside.
    assert np.abs(left - np.linspace(0, 1, 448)[96:340, None]).max() <= 0.06


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(30, 42), (300, 420), (900, 700)])
def test_a_map_of_the_callers_is_taken_at_any_size(dtype: type, size: tuple[int, int]) -> None:
    """The largest value is nearest, the smallest farthest; its steps follow the picture's edge."""
    depth_map = np.full(size, 10, dtype)
    depth_map[:, size[1] // 3 :] = np.iinfo(dtype).max - 7

    near = fitted(depth_map, halves(300, 420))

    assert near.shape == (300, 420)
    assert near[:, :136].max() <= 0.05
    assert near[:, 144:].min() >= 0.95


def test_an_even_map_of_the_callers_is_even() -> None:
    """It has no nearest and no farthest."""
    assert np.ptp(fitted(np.full((50, 70), 9, np.uint8), halves(100, 140))) == 0
