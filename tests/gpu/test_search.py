"""The search of device memory: it finds every word, wherever it lies, and nothing else."""

import numpy as np
import pytest

from services.chassis.raster.kernels import ARCHITECTURES, compile_kernels
from tests.gpu.emulated import compile_for_host
from tests.gpu.pooled import POOL_BYTES, PooledDriver
from tests.gpu.search import (
    KERNEL,
    SOURCE,
    THREADS,
    count,
    count_on_device,
    count_on_host,
    plant,
    take_all,
)
from tests.gpu.test_kernels import needs_compiler

WORD = 0x5EED_CAFE_F00D_1234
PLACES = [0, 1, 2047, 300_000, 524_287]


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> PooledDriver:
    """Make a device with the search's kernel."""
    return PooledDriver(compile_for_host(tmp_path_factory.mktemp("search"), SOURCE, (KERNEL,)))


@pytest.mark.parametrize("places", [[], PLACES[:1], PLACES])
def test_the_kernel_counts_as_the_host_does(searcher: PooledDriver, places: list[int]) -> None:
    """First and last word are looked at, each once, whatever lies between."""
    words = np.random.default_rng(1).integers(0, 1 << 40, PLACES[-1] + 1, np.uint64)
    words[places] = WORD
    with searcher.current():
        tally, address = searcher.allocate(4 * THREADS), searcher.allocate(words.nbytes)
        stream, block = searcher.stream(), (address, words.nbytes)
        stream.upload(words, address)

        found = count_on_device(stream, block, WORD, tally)

        assert found == count_on_host(stream, block, WORD) == len(places)
        searcher.release(address)
        searcher.release(tally)


def test_all_free_memory_is_taken_and_given_back() -> None:
    """Nothing that was freed is left out of the search, and the search keeps nothing."""
    device = PooledDriver()
    with device.current():
        held = device.allocate(1000)
        taken = sum(size_bytes for _, size_bytes in take_all(device))
        assert taken > POOL_BYTES - 4 * 1024 * 1024
        with pytest.raises(MemoryError):
            device.allocate(4 * 1024 * 1024)
        device.release(held)


def test_what_was_planted_is_found_until_it_is_written_over() -> None:
    """The control finds, and one word less is one word less."""
    device = PooledDriver()
    plant(device, WORD)
    planted = count(device, WORD)
    with device.current():
        address = device.allocate(8)
        device.stream().wipe(address, 8)
        device.release(address)

    assert planted > 100_000
    assert count(device, WORD) == planted - 1


@needs_compiler
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_kernel_compiles(architecture: str) -> None:
    """The search's kernel compiles for every architecture, without a warning."""
    assert KERNEL.encode() in compile_kernels([architecture], source=SOURCE)
