"""What a run leaves in a GPU's memory, searched for in all of it; needs a GPU."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from services.chassis.errors import BusyError
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.raster.cuda import CudaRaster
from tests.gpu.search import count

if TYPE_CHECKING:
    from services.chassis.memory.cuda import CudaDriver

ROOT = Path(__file__).parents[2]
SIDE = 512


@pytest.fixture
def canary() -> int:
    """Draw a word that no earlier run has left behind."""
    return int(np.random.default_rng().integers(1 << 62, 1 << 63, dtype=np.uint64))


def picture_of(word: int) -> "np.typing.NDArray[np.uint8]":
    """Make a picture of nothing but the word."""
    return np.full(SIDE * SIDE * 3 // 8, word, np.uint64).view(np.uint8).reshape(SIDE, SIDE, 3)


def test_the_search_finds_what_is_not_wiped(gpu: "CudaDriver", canary: int) -> None:
    """Memory that is freed as it is keeps its content: without this the next test says nothing."""
    stream = gpu.stream()
    picture = picture_of(canary)
    with gpu.current():
        address = gpu.allocate(picture.nbytes)
        stream.upload(picture, address)
        gpu.release(address)

    assert count(gpu, canary) > 0


def test_a_run_leaves_nothing(gpu: "CudaDriver", canary: int) -> None:
    """After a lease ends its content is nowhere, in this process and for the next one."""
    stream, budget = gpu.stream(), DeviceBudget(gpu, 1 << 28)
    picture = picture_of(canary)
    with gpu.current(), budget.lease(1 << 24, stream) as arena:
        source = arena.array(picture.shape, np.uint8)
        target = arena.array(picture.shape, np.uint8)
        stream.upload(picture, source.address)
        CudaRaster(stream).mirror(source, target, 0, 0)
        stream.download(target.address, picture)

    assert picture.view(np.uint64).ravel()[0] == canary
    assert count(gpu, canary) == 0
    command = [sys.executable, "-m", "tests.gpu.search", str(canary)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert answer.stdout == "0\n"


def test_a_full_device_is_busy_and_the_budget_zero(gpu: "CudaDriver") -> None:
    """More than the device has is told as busy, and nothing stays charged."""
    budget = DeviceBudget(gpu, 1 << 50)

    with gpu.current(), pytest.raises(BusyError):
        budget.lease(1 << 45, gpu.stream())

    assert budget.leased_bytes == 0
