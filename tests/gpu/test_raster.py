"""The device's pixel work against the CPU's, on fresh random pictures; without a GPU too."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.memory.device import Driver
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.raster.cuda import CudaRaster
from tests.gpu.emulated import get, put

Pixels: TypeAlias = NDArray[np.uint8]
Bench: TypeAlias = Callable[..., NDArray[Any]]


@pytest.fixture
def bench(any_driver: Driver) -> Iterator[Bench]:
    """Give a function that runs a step of the raster on device arrays and returns its target."""
    stream = any_driver.stream()
    raster = CudaRaster(stream)
    with any_driver.current(), DeviceBudget(any_driver, 1 << 28).lease(1 << 20, stream) as arena:

        def run(step: str, *arguments: object, target: NDArray[Any]) -> NDArray[Any]:
            def placed(value: object) -> object:
                return put(arena, stream, value) if isinstance(value, np.ndarray) else value

            goal = put(arena, stream, target)
            is_matrix = step == "warp"
            given = [
                value if is_matrix and index == 1 else placed(value)
                for index, value in enumerate(arguments)
            ]
            getattr(raster, step)(*[goal if value is TARGET else value for value in given])
            return get(stream, goal)

        yield run


TARGET = object()


@pytest.fixture
def random() -> np.random.Generator:
    """Draw other pictures in each run; a failure prints its seed."""
    seed = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"seed {seed}")  # noqa: T201  # pytest shows it if the test fails
    return np.random.default_rng(seed)


def picture(random: np.random.Generator, *shape: int) -> Pixels:
    """Draw every value on its own: the hardest picture to resample."""
    return random.integers(0, 256, shape, np.uint8)


def apart(first: NDArray[Any], second: NDArray[Any]) -> int:
    """Measure the largest difference."""
    return int(np.abs(first.astype(np.int32) - second.astype(np.int32)).max())


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((64, 96), (32, 48)),
        ((61, 83), (23, 40)),
        ((61, 83), (61, 83)),
        ((31, 40), (97, 111)),
        ((33, 20), (66, 40)),
    ],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_sizes_as_the_cpu_does(
    bench: Bench,
    random: np.random.Generator,
    source: tuple[int, int],
    target: tuple[int, int],
    channels: tuple[int, ...],
) -> None:
    """Scaling down by area and up by cubics gives the CPU's pixels within one level."""
    pixels = picture(random, *source, *channels)
    expected = np.empty((*target, *channels), np.uint8)
    CpuRaster(1).resize(pixels, expected)

    found = bench("resize", pixels, TARGET, target=np.zeros_like(expected))

    assert apart(found, expected) <= 1


@pytest.mark.parametrize(("top", "left"), [(0, 0), (5, 11), (70, 90)])
def test_mirrors_as_the_cpu_does(
    bench: Bench, random: np.random.Generator, top: int, left: int
) -> None:
    """Surroundings mirror the picture, also more than once, exactly."""
    pixels = picture(random, 21, 30, 3)
    expected = np.empty((128, 144, 3), np.uint8)
    CpuRaster(1).mirror(pixels, expected, top, left)

    found = bench("mirror", pixels, TARGET, top, left, target=np.zeros_like(expected))

    assert apart(found, expected) == 0


@pytest.mark.parametrize("has_mask", [True, False])
@pytest.mark.parametrize("opacity", [0.0, 0.37, 1.0])
def test_blends_as_the_cpu_does(
    bench: Bench, random: np.random.Generator, has_mask: bool, opacity: float
) -> None:
    """Blending gives the CPU's pixels within one level, and the base where nothing is painted."""
    base, over = picture(random, 40, 51, 3), picture(random, 40, 51, 3)
    mask = picture(random, 40, 51) if has_mask else None
    if mask is not None:
        mask[:9], mask[9:20] = 0, 255
    expected = np.empty_like(base)
    CpuRaster(1).blend(base, over, mask, opacity, expected)

    found = bench("blend", base, over, mask, opacity, TARGET, target=np.zeros_like(base))

    assert apart(found, expected) <= 1
    if opacity == 0.0 or mask is not None:
        assert np.array_equal(found[:9], base[:9])


def test_keeps_colour_as_the_cpu_does(bench: Bench, random: np.random.Generator) -> None:
    """The painted brightness with the photo's colour is the CPU's within one level.

    Pixels in a thousand may lie further off: OpenCV looks Lab up in a table, up to three levels
    off the formula that the kernel computes.
    """
    photo, painted = picture(random, 64, 64, 3), picture(random, 64, 64, 3)
    expected = np.empty_like(photo)
    CpuRaster(1).keep_colour(photo, painted, expected)

    found = bench("keep_colour", photo, painted, TARGET, target=np.zeros_like(photo))

    steps = np.abs(found.astype(np.int32) - expected)
    assert (steps > 1).mean() < 0.001
    assert steps.max() <= 3


def test_adds_detail_as_the_cpu_does(bench: Bench, random: np.random.Generator) -> None:
    """Detail that is put back is the CPU's within one level."""
    photo, small = picture(random, 60, 75, 3), picture(random, 20, 25, 3)
    target = picture(random, 60, 75, 3)
    expected = target.copy()
    CpuRaster(1).add_detail(photo, small, 0.6, expected)

    found = bench("add_detail", photo, small, 0.6, TARGET, target=target)

    assert apart(found, expected) <= 1


def test_warps_as_the_cpu_does(bench: Bench, random: np.random.Generator) -> None:
    """An affine map gives the CPU's pixels within one level, black outside."""
    pixels = cv2.GaussianBlur(picture(random, 60, 80, 3), (0, 0), 3)
    matrix = np.array([[0.8, 0.31, -9.3], [-0.27, 0.9, 12.6]])
    expected = np.empty((70, 66, 3), np.uint8)
    CpuRaster(1).warp(pixels, matrix, expected)

    found = bench("warp", pixels, matrix, TARGET, target=np.zeros_like(expected))

    inside = cv2.erode((expected.min(axis=2) > 0).astype(np.uint8), np.ones((3, 3))) > 0
    assert apart(found[inside], expected[inside]) <= 1
    assert inside.mean() > 0.5
    assert found[-1, 0].max() == expected[-1, 0].max() == 0


def test_remaps_between_pixels_and_past_the_border(
    bench: Bench, random: np.random.Generator
) -> None:
    """A map of places gives bilinear values, of the mirrored picture outside."""
    pixels = picture(random, 40, 30, 3)
    places = random.uniform(-35.0, 65.0, (50, 45, 2)).astype(np.float32)
    map_x, map_y = np.ascontiguousarray(places[:, :, 0]), np.ascontiguousarray(places[:, :, 1])
    target = np.zeros((*map_x.shape, 3), np.uint8)

    found = bench("remap", pixels, map_x, map_y, TARGET, target=target)

    wide = np.pad(pixels, ((40, 40), (40, 40), (0, 0)), mode="symmetric").astype(np.float64)
    x, y = places[:, :, 0] + 40.0, places[:, :, 1] + 40.0
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right_share, bottom_share = (x - left)[:, :, None], (y - top)[:, :, None]
    upper = wide[top, left] * (1 - right_share) + wide[top, left + 1] * right_share
    lower = wide[top + 1, left] * (1 - right_share) + wide[top + 1, left + 1] * right_share
    expected = np.rint(upper * (1 - bottom_share) + lower * bottom_share)
    assert apart(found, expected) <= 1


def test_tensors_hold_the_picture(bench: Bench, random: np.random.Generator) -> None:
    """A picture becomes 0..1, channels first, and comes back bit for bit."""
    pixels = picture(random, 33, 47, 3)

    tensor = bench("to_tensor", pixels, TARGET, target=np.zeros((3, 33, 47), np.float32))
    back = bench("to_picture", tensor, TARGET, target=np.zeros_like(pixels))

    assert np.allclose(tensor, np.moveaxis(pixels, 2, 0) / 255.0, atol=1e-7)
    assert np.array_equal(back, pixels)


def test_tensors_are_rounded_and_limited(bench: Bench) -> None:
    """Values off 0..1 are limited, the others go to the nearest level, halves to even."""
    values = np.array([-3.0, 1.7, 0.5 / 255, 1.5 / 255, 2.5 / 255, 0.999], np.float32)
    tensor = np.broadcast_to(values, (3, 1, 6)).copy()

    found = bench("to_picture", tensor, TARGET, target=np.ones((1, 6, 3), np.uint8))

    assert np.abs(found[0, :, 0] - np.rint(np.clip(values * np.float32(255), 0, 255))).max() == 0


def test_video_frames_are_those_of_the_standard(bench: Bench, random: np.random.Generator) -> None:
    """NV12 has BT.709's levels for the primaries, and even colours come back within three."""
    colours = [(255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    codes = [(235, 128, 128), (16, 128, 128), (63, 102, 240), (173, 42, 26), (32, 240, 118)]
    pixels = np.repeat(np.array([colours], np.uint8), 2, axis=1).repeat(2, axis=0)

    frame = bench("to_nv12", pixels, TARGET, target=np.zeros((3, 10), np.uint8))

    assert [tuple(frame[0, ::2]), tuple(frame[2, ::2]), tuple(frame[2, 1::2])] == [
        tuple(code[plane] for code in codes) for plane in range(3)
    ]
    drawn = picture(random, 8, 8, 3).repeat(2, axis=0).repeat(2, axis=1)
    frame = bench("to_nv12", drawn, TARGET, target=np.zeros((24, 16), np.uint8))
    back = bench("from_nv12", frame, TARGET, target=np.zeros_like(drawn))
    assert apart(back, drawn) <= 3


def test_video_frames_are_those_of_the_cpu(bench: Bench, random: np.random.Generator) -> None:
    """Both rasters write the same NV12 within one level."""
    drawn = picture(random, 24, 32, 3)
    expected = np.zeros((36, 32), np.uint8)
    CpuRaster(1).to_nv12(drawn, expected)

    assert apart(bench("to_nv12", drawn, TARGET, target=np.zeros_like(expected)), expected) <= 1
