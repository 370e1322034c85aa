"""Device memory of one run: leased from a budget, carved, wiped, given back.

Nothing here knows a vendor: `memory.cuda` drives a real device, tests drive one of their own.
"""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import BusyError, InternalError, LimitError, Reason

# What networks ask of the memory that they compute in, and more than any copy needs.
ALIGNMENT_BYTES = 256
# Runs are short: whoever finds no room by then waits for something that hangs.
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 1.0

Extents = tuple[int, int, int]


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


class DeviceBudget:
    """The device memory that all runs of a process may hold at one time. Safe for threads.

    Attributes:
        limit_bytes: most that all runs together may hold.
    """

    def __init__(
        self, driver: Driver, limit_bytes: int, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Start with nothing leased."""
        self.limit_bytes = limit_bytes
        self._driver = driver
        self._patience_seconds = patience_seconds
        self._leased_bytes = 0
        self._changed = threading.Condition()

    @property
    def leased_bytes(self) -> int:
        """Bytes that runs hold now."""
        return self._leased_bytes

    def lease(self, size_bytes: int, stream: Stream) -> "DeviceArena":
        """Take the memory of one run, in one piece; wait for others to end if there is no room.

        A run holds one lease, so that nobody waits with memory in hand.

        Raises:
            LimitError: more than all runs together may hold.
            BusyError: no room for `patience_seconds`, or another process holds the device's.
        """
        if size_bytes > self.limit_bytes:
            raise LimitError(
                Reason.MEMORY_BUDGET_EXHAUSTED,
                f"one run may hold at most {self.limit_bytes} bytes of device memory",
            )
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(size_bytes), self._patience_seconds):
                raise _no_room()
            self._leased_bytes += size_bytes
        try:
            address = self._driver.allocate(size_bytes)
        except BaseException as error:
            self.discharge(size_bytes)
            if isinstance(error, MemoryError):
                raise _no_room() from None
            raise
        return DeviceArena(self, self._driver, stream, address, size_bytes)

    def discharge(self, size_bytes: int) -> None:
        """Count `size_bytes` less; the device must have them back already."""
        with self._changed:
            self._leased_bytes -= size_bytes
            assert self._leased_bytes >= 0, "more memory was given back than was leased"
            self._changed.notify_all()

    def _fits(self, size_bytes: int) -> bool:
        return self._leased_bytes + size_bytes <= self.limit_bytes


class DeviceArena:
    """The device memory of one run. A context manager: leaving it wipes it and gives it back.

    Attributes:
        size_bytes: leased.
        used_bytes: carved, padding included.
    """

    def __init__(
        self, budget: DeviceBudget, driver: Driver, stream: Stream, address: int, size_bytes: int
    ) -> None:
        """Take over an allocation; `DeviceBudget.lease` calls this."""
        self._budget = budget
        self._driver = driver
        self._stream = stream
        self._address = address
        self.size_bytes = size_bytes
        self.used_bytes = 0

    def __enter__(self) -> Self:
        """Hand the arena to the block that uses it."""
        try:
            # What another process left behind is not ours to read, nor to compute with.
            self._stream.wipe(self._address, self.size_bytes)
        except BaseException:
            self._give_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wipe and wait for it, then give back, whatever ended the block.

        The wait also ends whatever still runs on the stream. Memory that could not be wiped is
        given back all the same: a device that refuses that is lost to this process.
        """
        try:
            self._stream.wipe(self._address, self.size_bytes)
            self._stream.synchronise()
        finally:
            self._give_back()

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

    def _give_back(self) -> None:
        try:
            self._driver.release(self._address)
        finally:
            self._budget.discharge(self.size_bytes)


def padded(size_bytes: int) -> int:
    """Round up to the next address that an array may start at."""
    return -(-size_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _no_room() -> BusyError:
    return BusyError(
        Reason.MEMORY_BUDGET_EXHAUSTED,
        "the device has no memory for one more run now",
        retry_after_seconds=RETRY_SECONDS,
    )
