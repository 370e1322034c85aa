"""A device that is none, whose memory keeps what is freed unwiped: for tests of the search."""

import ctypes

import numpy as np

from services.chassis.memory.device import ALIGNMENT_BYTES
from tests.gpu.emulated import STALE, EmulatedDriver

POOL_BYTES = 64 * 1024 * 1024


class PooledDriver(EmulatedDriver):
    """An `EmulatedDriver` with one fixed piece of memory, handed out again as it was left."""

    def __init__(self, library: ctypes.CDLL | None = None) -> None:
        super().__init__(library)
        self._pool = np.full(POOL_BYTES + ALIGNMENT_BYTES, STALE, np.uint8)
        self._start = -(-self._pool.ctypes.data // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        self._sizes: dict[int, int] = {}

    def allocate(self, size_bytes: int) -> int:
        """Take the first gap that is large enough."""
        self.note("allocate")
        address = self._start
        for taken in sorted(self._sizes):
            if address + size_bytes <= taken:
                break
            end = taken + self._sizes[taken]
            address = -(-end // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        if address + size_bytes > self._start + POOL_BYTES:
            raise MemoryError
        self._sizes[address] = size_bytes
        return address

    def release(self, address: int) -> None:
        """Give it back as it is."""
        self.note("release")
        del self._sizes[address]

    def bytes_at(self, address: int, size_bytes: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """View device memory; all of it must be of one allocation."""
        assert any(
            start <= address and address + size_bytes <= start + taken
            for start, taken in self._sizes.items()
        ), "memory that nobody leased"
        offset = address - self._pool.ctypes.data
        return self._pool[offset : offset + size_bytes]
