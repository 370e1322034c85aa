"""Host memory of one call: leased from a process budget, carved, wiped, given back."""

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import BusyError, InternalError, LimitError, Reason
from services.chassis.memory.reservation import PAGE_BYTES, Reservation, whole_pages

# A cache line, and the widest vector register: no array shares either with its neighbour.
ALIGNMENT_BYTES = 64
# How much the newest lease counts in the mean that `retry_after_seconds` is taken from.
LEASE_WEIGHT = 0.2
RETRY_SECONDS_MIN = 0.1
RETRY_SECONDS_MAX = 30.0

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What releasing an arena did, as measured."""

    leased_bytes_peak: int
    """Most bytes charged to the budget at one time."""
    wiped_bytes: int
    """Bytes overwritten with zeros, over the whole life of the arena."""
    locked: bool
    """Whether every page was locked, so that none could be swapped out."""
    duration_seconds: float
    """Wall time of the final wipe and of giving the pages back."""


class Budget:
    """The bytes that all calls of a process may hold at one time. Safe for threads.

    Attributes:
        limit_bytes: most that all calls together may hold.
        per_call_limit_bytes: most that one call may hold.
    """

    def __init__(self, limit_bytes: int, per_call_limit_bytes: int | None = None) -> None:
        """Start with nothing leased; both limits count whole pages of `PAGE_BYTES`."""
        self.limit_bytes = limit_bytes // PAGE_BYTES * PAGE_BYTES
        per_call = self.limit_bytes if per_call_limit_bytes is None else per_call_limit_bytes
        self.per_call_limit_bytes = min(whole_pages(per_call), self.limit_bytes)
        self._leased_bytes = 0
        self._lease_seconds_mean = 1.0
        # Reentrant: the collector may release a forgotten arena while this thread holds it.
        self._lock = threading.RLock()

    @property
    def leased_bytes(self) -> int:
        """Bytes that calls hold now."""
        return self._leased_bytes

    def lease(self, size_bytes: int) -> "Arena":
        """Open the arena of one call, with `size_bytes` of it charged at once.

        Raises:
            LimitError: no call may ever hold so much.
            BusyError: other calls hold the room now; says when to try again.
        """
        leased_bytes = whole_pages(size_bytes)
        self.charge(leased_bytes, 0)
        try:
            reservation = _reserve(self.per_call_limit_bytes)
        except BusyError:
            self.discharge(leased_bytes)
            raise
        return Arena(Holding(self, leased_bytes), reservation, leased_bytes)

    def charge(self, size_bytes: int, held_bytes: int) -> None:
        """Count `size_bytes` more for a call that holds `held_bytes`.

        Raises:
            LimitError: no call may ever hold so much.
            BusyError: other calls hold the room now; says when to try again.
        """
        if held_bytes + size_bytes > self.per_call_limit_bytes:
            raise LimitError(
                Reason.MEMORY_BUDGET_EXHAUSTED,
                f"one call may hold at most {self.per_call_limit_bytes} bytes of memory",
                metadata={"limit_bytes": str(self.per_call_limit_bytes)},
            )
        with self._lock:
            if self._leased_bytes + size_bytes > self.limit_bytes:
                raise BusyError(
                    Reason.MEMORY_BUDGET_EXHAUSTED,
                    "other calls hold the memory that this one needs",
                    retry_after_seconds=self._retry_after_seconds(),
                )
            self._leased_bytes += size_bytes

    def discharge(self, size_bytes: int) -> None:
        """Count `size_bytes` less; the pages must be back with the kernel already."""
        with self._lock:
            self._leased_bytes -= size_bytes
            assert self._leased_bytes >= 0, "more memory was given back than was leased"

    def note_lease_seconds(self, seconds: float) -> None:
        """Learn how long a call held its memory, for the next `retry_after_seconds`."""
        with self._lock:
            self._lease_seconds_mean += LEASE_WEIGHT * (seconds - self._lease_seconds_mean)

    def _retry_after_seconds(self) -> float:
        # Half a mean lease: on average that long until one of the present leases ends.
        return min(max(self._lease_seconds_mean / 2, RETRY_SECONDS_MIN), RETRY_SECONDS_MAX)


class Holding:
    """What one call holds of a budget, in all of its arenas. Safe for threads.

    Attributes:
        budget: of the process.
        leased_bytes: charged to it now.
        leased_bytes_peak: most at one time.
    """

    def __init__(self, budget: Budget, leased_bytes: int) -> None:
        """Start with what is charged already."""
        self.budget = budget
        self.leased_bytes = leased_bytes
        self.leased_bytes_peak = leased_bytes
        self._lock = threading.RLock()

    def charge(self, size_bytes: int) -> None:
        """Count `size_bytes` more; see `Budget.charge`."""
        with self._lock:
            self.budget.charge(size_bytes, self.leased_bytes)
            self.leased_bytes += size_bytes
            self.leased_bytes_peak = max(self.leased_bytes_peak, self.leased_bytes)

    def discharge(self, size_bytes: int) -> None:
        """Count `size_bytes` less; the pages must be back with the kernel already."""
        with self._lock:
            self.budget.discharge(size_bytes)
            self.leased_bytes -= size_bytes


class Arena:
    """The memory of one call. A context manager: leaving it releases it.

    Everything carved reads as zeros at first. Threads may carve from one arena, but work that
    writes into a view must have ended before the view's scope or the arena does.

    Attributes:
        leased_bytes: charged to the budget now.
        used_bytes: carved now, padding included.
    """

    def __init__(self, holding: Holding, reservation: Reservation, leased_bytes: int) -> None:
        """Take over a reservation and what is charged for it; `Budget.lease` calls this."""
        self._erasure: Erasure | None = None
        # Reentrant: the collector may release this arena while its own thread carves.
        self._lock = threading.RLock()
        self._holding = holding
        self._reservation = reservation
        self._started = time.monotonic()
        self._wiped_bytes = 0
        self._locked = reservation.lock(0, leased_bytes)
        self.leased_bytes = leased_bytes
        self.used_bytes = 0

    def __enter__(self) -> Self:
        """Hand the arena to the block that uses it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release, whatever ended the block."""
        self.release()

    def __del__(self) -> None:
        """Wipe what was forgotten, and say so: it should have been released by then."""
        if self._erasure is None:
            message = f"arena of {self.leased_bytes} bytes was never released"
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)
            self.release()

    def extend(self, size_bytes: int) -> None:
        """Charge `size_bytes` more ahead of need, so that later `take`s can't be refused.

        Raises:
            LimitError: the call would hold more than one call may.
            BusyError: other calls hold the room now; says when to try again.
        """
        with self._lock:
            self._require_open()
            self._grow(whole_pages(size_bytes))

    def take(self, size_bytes: int) -> memoryview:
        """Carve `size_bytes` writable bytes, zeroed, aligned to `ALIGNMENT_BYTES`.

        The view belongs to the arena and reads as zeros once its scope or the arena has ended.
        What goes beyond the bytes leased is charged.

        Raises:
            LimitError: the call would hold more than one call may.
            BusyError: other calls hold the room now; says when to try again.
        """
        start = self._carve(size_bytes)
        return memoryview(self._reservation.buffer)[start : start + size_bytes]

    def array(
        self, shape: tuple[int, ...], dtype: type[ScalarT] | np.dtype[ScalarT]
    ) -> NDArray[ScalarT]:
        """Carve a zeroed C-contiguous array of any shape and plain dtype; otherwise as `take`."""
        kind = np.dtype(dtype)
        assert not kind.hasobject, "Python objects can't live in an arena"
        size_bytes = kind.itemsize
        for extent in shape:
            size_bytes *= extent
        start = self._carve(size_bytes)
        return np.ndarray(shape, kind, buffer=self._reservation.buffer, offset=start)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Wipe what is carved inside when the block is left, and make it free for reuse.

        What was charged inside goes back to the budget. So one picture of a batch, or one frame
        of a clip, does not pile on the next. Scopes nest; they must not overlap across threads.
        """
        with self._lock:
            self._require_open()
            used_bytes, leased_bytes = self.used_bytes, self.leased_bytes
        try:
            yield
        finally:
            with self._lock:
                if self._erasure is None:
                    self._rewind(used_bytes)
                    self._shrink(leased_bytes)

    @contextmanager
    def beside(self) -> Iterator["Arena"]:
        """Open more memory of the call for a thread that works beside this arena's.

        Its scopes are its own and may overlap with this arena's. It is wiped and released when the
        block is left, and counts as this arena's in the limits and in the erasure.
        """
        with self._lock:
            self._require_open()
        reservation = _reserve(self._holding.budget.per_call_limit_bytes)
        other = Arena(self._holding, reservation, 0)
        try:
            yield other
        finally:
            erasure = other.release()
            with self._lock:
                self._wiped_bytes += erasure.wiped_bytes
                self._locked = self._locked and erasure.locked

    def release(self) -> Erasure:
        """Wipe all that was carved, unmap, give the charge back. Again is the same answer.

        A view that is still alive reads zeros afterwards; its addresses go with the last view.
        """
        with self._lock:
            if self._erasure is None:
                self._erasure = self._erase()
            return self._erasure

    def _erase(self) -> Erasure:
        started = time.perf_counter()
        self._rewind(0)
        self._reservation.close()
        duration_seconds = time.perf_counter() - started
        if self.leased_bytes:
            self._holding.discharge(self.leased_bytes)
            if not self._holding.leased_bytes:
                self._holding.budget.note_lease_seconds(time.monotonic() - self._started)
        self.leased_bytes = 0
        return Erasure(
            leased_bytes_peak=self._holding.leased_bytes_peak,
            wiped_bytes=self._wiped_bytes,
            locked=self._locked,
            duration_seconds=duration_seconds,
        )

    def _carve(self, size_bytes: int) -> int:
        """Return the offset of `size_bytes` of fresh zeroed bytes."""
        assert size_bytes >= 0
        with self._lock:
            self._require_open()
            start = -(-self.used_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
            self._grow(whole_pages(start + size_bytes) - self.leased_bytes)
            self.used_bytes = start + size_bytes
            return start

    def _grow(self, size_bytes: int) -> None:
        if size_bytes <= 0:
            return
        self._holding.charge(size_bytes)
        end = self.leased_bytes + size_bytes
        self._locked = self._reservation.lock(self.leased_bytes, end) and self._locked
        self.leased_bytes = end

    def _rewind(self, used_bytes: int) -> None:
        assert used_bytes <= self.used_bytes, "a scope ended after the one around it"
        # All above `used_bytes` is zero afterwards: an inner scope wiped its own part before.
        self._reservation.wipe(used_bytes, self.used_bytes)
        self._wiped_bytes += self.used_bytes - used_bytes
        self.used_bytes = used_bytes

    def _shrink(self, leased_bytes: int) -> None:
        surplus_bytes = self.leased_bytes - leased_bytes
        if surplus_bytes:
            self._reservation.drop(leased_bytes, self.leased_bytes)
            self._holding.discharge(surplus_bytes)
            self.leased_bytes = leased_bytes

    def _require_open(self) -> None:
        # Not an assertion: work of a cancelled call may come here after the release.
        if self._erasure is not None:
            raise InternalError(Reason.INTERNAL, "the memory of this call is released already")


def _reserve(size_bytes: int) -> Reservation:
    try:
        return Reservation(size_bytes)
    except OSError:
        message = "the machine has no addresses left for another call"
        raise BusyError(
            Reason.MEMORY_BUDGET_EXHAUSTED, message, retry_after_seconds=RETRY_SECONDS_MAX
        ) from None
