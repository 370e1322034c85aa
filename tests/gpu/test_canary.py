"""What a run leaves in a GPU's memory, searched for in all of it.

Without a GPU the same is done to a device that is none: it shows that the search finds what is
there, and that the tests are right; what a real device keeps, only a real one can tell.
"""

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.errors import BusyError, Stopped
from services.chassis.memory.device import DeviceArena, Stream
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.raster.cuda import CudaRaster
from tests.gpu.pooled import PooledDriver
from tests.gpu.search import count, plant

if TYPE_CHECKING:
    from services.chassis.memory.cuda import CudaDriver

    Device: TypeAlias = PooledDriver | CudaDriver

ROOT = Path(__file__).parents[2]
SIDE = 512
LEASE_BYTES = 1 << 24


@pytest.fixture
def canary() -> int:
    """Draw a word that no earlier run has left behind."""
    return int(np.random.default_rng().integers(1 << 62, 1 << 63, dtype=np.uint64))


@pytest.fixture(params=["pooled", "gpu"])
def device(request: pytest.FixtureRequest, kernels: ctypes.CDLL) -> "Device":
    """Give a device whose memory can be searched."""
    if request.param == "pooled":
        return PooledDriver(kernels)
    found: CudaDriver = request.getfixturevalue("gpu")
    return found


@pytest.fixture
def budget(device: "Device") -> DeviceBudget:
    """Make a budget in which nothing may be leased after a test."""
    return DeviceBudget(device, 1 << 28)


def picture_of(word: int) -> NDArray[np.uint8]:
    """Make a picture of nothing but the word."""
    return np.full(SIDE * SIDE * 3 // 8, word, np.uint64).view(np.uint8).reshape(SIDE, SIDE, 3)


def found_elsewhere(device: "Device", word: int, *more: str) -> int:
    """Count the word as a process that never had it; only real devices have others."""
    if isinstance(device, PooledDriver):
        if more:
            plant(device, word)
        return count(device, word)
    command = [sys.executable, "-m", "tests.gpu.search", str(word), *more]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return int(answer.stdout)


def copy_through(stream: Stream, arena: DeviceArena, picture: NDArray[np.uint8]) -> None:
    """Send a picture to the device, through a kernel, and back."""
    source = arena.array(picture.shape, np.uint8)
    target = arena.array(picture.shape, np.uint8)
    stream.upload(picture, source.address)
    CudaRaster(stream).mirror(source, target, 0, 0)
    stream.download(target.address, picture)


def test_the_search_finds_what_is_not_wiped(device: "Device", canary: int) -> None:
    """Memory that is freed as it is keeps its content, here and in a process of its own."""
    plant(device, canary)

    assert count(device, canary) > 0
    assert found_elsewhere(device, canary ^ 1, "plant") > 0


def test_a_run_leaves_nothing(device: "Device", budget: DeviceBudget, canary: int) -> None:
    """After a lease ends its content is nowhere, in this process and for the next one."""
    stream, picture = device.stream(), picture_of(canary)
    with device.current(), budget.lease(LEASE_BYTES, stream) as arena:
        copy_through(stream, arena, picture)

    assert picture.ravel().view(np.uint64)[0] == canary
    assert budget.leased_bytes == 0
    assert (count(device, canary), found_elsewhere(device, canary)) == (0, 0)


@pytest.mark.parametrize("error", [Stopped, RuntimeError])
def test_a_run_that_ends_early_leaves_nothing(
    device: "Device", budget: DeviceBudget, canary: int, error: type[Exception]
) -> None:
    """A call that is cancelled or fails in the middle is wiped like any other."""
    stream, picture = device.stream(), picture_of(canary)

    def work() -> None:
        with device.current(), budget.lease(LEASE_BYTES, stream) as arena:
            copy_through(stream, arena, picture)
            raise error

    with pytest.raises(error):
        work()

    assert budget.leased_bytes == 0
    assert (count(device, canary), found_elsewhere(device, canary)) == (0, 0)


def test_a_recorded_run_leaves_nothing(device: "Device", budget: DeviceBudget, canary: int) -> None:
    """A graph does its work on what lies at its addresses now, which is zero between runs."""
    stream = device.stream()
    raster = CudaRaster(stream)
    with device.current():
        kept = budget.keep(LEASE_BYTES, stream)
        with kept.lease() as arena:
            source, target = (arena.array((SIDE, SIDE, 3), np.uint8) for _ in range(2))
            recording = stream.record(lambda: raster.mirror(source, target, 0, 0))
        assert recording is not None
        for number in range(3):
            picture = picture_of(canary + number)
            answer = np.zeros_like(picture)
            with kept.lease():
                stream.upload(picture, source.address)
                recording.launch()
                stream.download(target.address, answer)
            assert np.array_equal(answer, picture)
        left = np.ones(LEASE_BYTES, np.uint8)
        stream.download(kept.address, left)
        budget.drop(kept)

    assert not left.any()
    assert (budget.leased_bytes, budget.kept_bytes) == (0, 0)
    assert [count(device, canary + number) for number in range(3)] == [0, 0, 0]
    assert found_elsewhere(device, canary) == 0


def test_what_cannot_be_recorded_leaves_the_stream_usable(device: "Device") -> None:
    """Work that waits in the middle is no graph; the stream goes on without."""
    stream = device.stream()
    with device.current():
        assert stream.record(stream.synchronise) is None
        stream.synchronise()


@pytest.mark.parametrize("pinned", [True, False])
def test_the_staging_is_zero_after_copies(gpu: "CudaDriver", canary: int, pinned: bool) -> None:
    """Both kinds of staging carry a picture there and back and hold nothing of it afterwards."""
    device = type(gpu)(pinned=pinned)
    stream, picture = device.stream(), picture_of(canary)
    back = np.zeros_like(picture)
    with device.current(), DeviceBudget(device, 1 << 28).lease(LEASE_BYTES, stream) as arena:
        place = arena.array(picture.shape, np.uint8)
        stream.upload(picture, place.address)
        stream.download(place.address, back)

    assert np.array_equal(back, picture)
    assert not stream._staging.view(np.uint8).any()  # type: ignore[attr-defined]


def test_a_full_device_is_busy_and_the_budget_zero(device: "Device") -> None:
    """More than the device has is told as busy, and nothing stays charged."""
    budget = DeviceBudget(device, 1 << 50)

    with device.current():
        with pytest.raises(BusyError):
            budget.lease(1 << 45, device.stream())
        with pytest.raises(BusyError):
            budget.keep(1 << 45, device.stream())

    assert (budget.leased_bytes, budget.kept_bytes) == (0, 0)
