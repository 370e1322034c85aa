"""Take all free memory of a GPU and search it: `python -m tests.gpu.search WORD [plant]`.

With `plant` it first leaves the word behind itself, which shows that the search would find it.
"""

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from services.chassis.memory.device import Driver

# Smallest block that is still taken: what is left over is the driver's own granularity.
BLOCK_BYTES_MIN = 2 * 1024 * 1024
PIECE_BYTES = 64 * 1024 * 1024


PLANTED_BYTES = 1024 * 1024


def main() -> None:
    """Search as another process than the one that had the memory."""
    from services.chassis.memory.cuda import CudaDriver  # noqa: PLC0415  # not on every machine

    word, *plants = sys.argv[1:]
    device = CudaDriver(pinned=True)
    if plants:
        plant(device, int(word))
    sys.stdout.write(f"{count(device, int(word))}\n")


def plant(device: "Driver", word: int) -> None:
    """Free memory that is full of a word, as it is."""
    stream = device.stream()
    with device.current():
        address = device.allocate(PLANTED_BYTES)
        stream.upload(np.full(PLANTED_BYTES // 8, word, np.uint64), address)
        device.release(address)


def count(device: "Driver", word: int) -> int:
    """Count the places, in all memory that can be had, that hold a 64-bit word."""
    found = 0
    stream = device.stream()
    piece = np.empty(PIECE_BYTES // 8, np.uint64)
    with device.current():
        blocks = take_all(device)
        try:
            for address, size_bytes in blocks:
                for offset in range(0, size_bytes, PIECE_BYTES):
                    part = piece[: min(PIECE_BYTES, size_bytes - offset) // 8]
                    stream.download(address + offset, part)
                    found += int(np.count_nonzero(part == word))
        finally:
            for address, _ in blocks:
                device.release(address)
    return found


def take_all(device: "Driver") -> list[tuple[int, int]]:
    """Allocate until nothing is left: addresses and sizes."""
    blocks: list[tuple[int, int]] = []
    size_bytes = 1 << 40
    while size_bytes >= BLOCK_BYTES_MIN:
        try:
            blocks.append((device.allocate(size_bytes), size_bytes))
        except MemoryError:
            size_bytes //= 2
    return blocks


if __name__ == "__main__":
    main()
