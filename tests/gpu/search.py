"""Take all free memory of a GPU and search it: `python -m tests.gpu.search WORD [plant]`.

With `plant` it first leaves the word behind itself, which shows that the search would find it.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from services.chassis.memory.device import Driver, Stream
from services.chassis.raster.kernels import compile_kernels
from tests.gpu.emulated import EmulatedDriver

if TYPE_CHECKING:
    from services.chassis.memory.cuda import CudaDriver

SOURCE = Path(__file__).with_name("search.cu")
KERNEL = "count_word"
BLOCK, GRID = (256, 1, 1), (1024, 1, 1)
THREADS = BLOCK[0] * GRID[0]
# Smallest block that is still taken: what is left over is the driver's own granularity.
BLOCK_BYTES_MIN = 2 * 1024 * 1024
PLANTED_BYTES = 1024 * 1024

Block: TypeAlias = tuple[int, int]
"""Address and size in bytes."""


def main() -> None:
    """Search as another process than the one that had the memory."""
    from services.chassis.memory.cuda import CudaDriver  # noqa: PLC0415  # not on every machine

    word, *plants = sys.argv[1:]
    device = CudaDriver(pinned=True)
    if plants:
        plant(device, int(word))
    sys.stdout.write(f"{count(device, int(word))}\n")


def plant(device: Driver, word: int) -> None:
    """Free memory that is full of a word, as it is."""
    stream = device.stream()
    with device.current():
        address = device.allocate(PLANTED_BYTES)
        stream.upload(np.full(PLANTED_BYTES // 8, word, np.uint64), address)
        device.release(address)


def count(device: "EmulatedDriver | CudaDriver", word: int) -> int:
    """Count the places, in all memory that can be had, that hold a 64-bit word."""
    if isinstance(device, EmulatedDriver):
        with device.current():
            stream = device.stream()
            return search_all(device, lambda block: count_on_host(stream, block, word))
    # The device's kernels stay those of the raster: the search has a view of its own.
    twin = type(device)(pinned=True)
    twin.load(compile_kernels((twin.architecture,), source=SOURCE), (KERNEL,))
    stream = twin.stream()
    with twin.current():
        tally = twin.allocate(4 * THREADS)
        try:
            return search_all(twin, lambda block: count_on_device(stream, block, word, tally))
        finally:
            twin.release(tally)


def search_all(device: Driver, look: Callable[[Block], int]) -> int:
    """Take all memory that can be had, look at each block of it, and give it back."""
    blocks = take_all(device)
    try:
        return sum(look(block) for block in blocks)
    finally:
        for address, _ in blocks:
            device.release(address)


def count_on_host(stream: Stream, block: Block, word: int) -> int:
    """Copy a block to the host and count there."""
    address, size_bytes = block
    words = np.empty(size_bytes // 8, np.uint64)
    stream.download(address, words)
    return int(np.count_nonzero(words == word))


def count_on_device(stream: Stream, block: Block, word: int, tally: int) -> int:
    """Count a block by the kernel; `tally` is memory for a number of each thread."""
    address, size_bytes = block
    stream.wipe(tally, 4 * THREADS)
    arguments = [
        np.uint64(address),
        np.uint64(size_bytes // 8),
        np.uint64(word),
        np.uint64(tally),
        np.uint32(THREADS),
    ]
    stream.launch(KERNEL, GRID, BLOCK, arguments)
    found = np.empty(THREADS, np.uint32)
    stream.download(tally, found)
    return int(found.sum(dtype=np.uint64))


def take_all(device: Driver) -> list[Block]:
    """Allocate until nothing is left."""
    blocks: list[Block] = []
    size_bytes = 1 << 40
    while size_bytes >= BLOCK_BYTES_MIN:
        try:
            blocks.append((device.allocate(size_bytes), size_bytes))
        except MemoryError:
            size_bytes //= 2
    return blocks


if __name__ == "__main__":
    main()
