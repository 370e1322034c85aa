"""Device memory of one run: carved, wiped, given back; `device_budget` leases it.

Nothing here knows a vendor: `memory.cuda` drives a real device, tests drive one of their own.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InternalError, Reason
from services.chassis.memory.tally import CURRENT

# What networks ask of the memory that they compute in, and more than any copy needs.
ALIGNMENT_BYTES = 256
Extents = tuple[int, int, int]


class Recording(Protocol):
    """Work on the device that can be started again as a whole: kernels and where they look.

    It holds addresses and sizes, and nothing of what lies there.
    """

    def launch(self) -> None:
        """Start the work in the stream that it was recorded in."""
        ...


class Stream(Protocol):
    """Work of one run on the device, done in order. Addresses are the device's."""

    @property
    def handle(self) -> int:
        """What other libraries know the stream by."""
        ...

    def upload(self, source: NDArray[Any], target: int) -> None:
        """Copy a C-contiguous host array to the device; on return the array may change."""
        ...

    def download(self, source: int, target: NDArray[Any]) -> None:
        """Copy to a C-contiguous host array; on return it is filled."""
        ...

    def wipe(self, address: int, size_bytes: int) -> None:
        """Overwrite with zeros, some time before `synchronise` returns."""
        ...

    def launch(
        self, kernel: str, grid: Extents, block: Extents, arguments: Sequence[np.generic]
    ) -> None:
        """Start a kernel of `raster/kernels.cu`; addresses are given as uint64."""
        ...

    def record(self, work: Callable[[], None]) -> Recording | None:
        """Record what `work` starts in this stream instead of doing it.

        It may not allocate, copy from or to the host, or wait.

        Returns:
            None if that can't be recorded; the stream is as it was then.
        """
        ...

    def synchronise(self) -> None:
        """Wait until all work is done."""
        ...


class Driver(Protocol):
    """One device, as far as memory and order of work are concerned."""

    def allocate(self, size_bytes: int) -> int:
        """Take device memory, aligned to `ALIGNMENT_BYTES`.

        Raises:
            MemoryError: the device has no such room.
        """
        ...

    def release(self, address: int) -> None:
        """Give back what `allocate` took."""
        ...

    def stream(self) -> Stream:
        """Make a stream; a service makes them at its start only."""
        ...

    def current(self) -> AbstractContextManager[None]:
        """Let the calling thread use the device in the block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceArray:
    """A C-contiguous array in an arena of device memory.

    Attributes:
        address: of its first element.
        shape: extents.
        dtype: of its elements.
    """

    address: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size_bytes(self) -> int:
        """Bytes of all elements."""
        return prod(self.shape) * self.dtype.itemsize


class GiveBack(Protocol):
    """Takes an arena's memory back."""

    def __call__(self, *, is_clean: bool) -> None:
        """Take it; `is_clean` tells whether it was wiped."""
        ...


class DeviceArena:
    """The device memory of one run. A context manager: leaving it wipes it and gives it back.

    Attributes:
        size_bytes: leased.
        used_bytes: carved, padding included.
    """

    def __init__(
        self,
        stream: Stream,
        address: int,
        size_bytes: int,
        give_back: GiveBack,
        *,
        is_zero: bool = False,
    ) -> None:
        """Take over memory; `DeviceBudget.lease` and `KeptMemory.lease` call this."""
        self._stream = stream
        self._address = address
        self._give_back = give_back
        self._is_zero = is_zero
        self._tally = CURRENT.get()
        self.size_bytes = size_bytes
        self.used_bytes = 0

    def __enter__(self) -> Self:
        """Hand the arena to the block that uses it."""
        if self._tally:
            self._tally.hold(self.size_bytes)
        try:
            # What another process left behind is not ours to read, nor to compute with.
            if not self._is_zero:
                self._stream.wipe(self._address, self.size_bytes)
        except BaseException:
            self._end(is_clean=False)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wipe and wait for it, then give back, whatever ended the block.

        The wait also ends whatever still runs on the stream.
        """
        is_clean = False
        try:
            self._stream.wipe(self._address, self.size_bytes)
            self._stream.synchronise()
            is_clean = True
        finally:
            self._end(is_clean=is_clean)

    def _end(self, *, is_clean: bool) -> None:
        if self._tally:
            self._tally.let_go(self.size_bytes, is_wiped=is_clean)
        self._give_back(is_clean=is_clean)

    def array(self, shape: tuple[int, ...], dtype: str | type[np.generic]) -> DeviceArray:
        """Carve a zeroed array, aligned to `ALIGNMENT_BYTES`.

        Raises:
            InternalError: the lease was too small, a fault of whoever measured it.
        """
        kind = np.dtype(dtype)
        start = padded(self.used_bytes)
        end = start + prod(shape) * kind.itemsize
        if end > self.size_bytes:
            raise InternalError(Reason.INTERNAL, "a run needs more memory than it leased")
        self.used_bytes = end
        return DeviceArray(address=self._address + start, shape=shape, dtype=kind)


def padded(size_bytes: int) -> int:
    """Round up to the next address that an array may start at."""
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
