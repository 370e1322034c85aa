"""The device memory that all runs of a process may hold, and what is kept for runs to come."""

import threading
from collections.abc import Callable

from services.chassis.errors import BusyError, LimitError, Reason
from services.chassis.memory.device import DeviceArena, Driver, Stream

# Of what all may hold, what is kept for runs to come may take so much.
KEPT_SHARE_MAX = 0.25
# Runs are short: whoever finds no room by then waits for something that hangs.
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 1.0


class DeviceBudget:
    """The device memory that all runs of a process may hold at one time. Safe for threads.

    Attributes:
        limit_bytes: most that all runs together may hold.
        peak_bytes: most that they held at one time since `forget_peak`.
    """

    def __init__(
        self, driver: Driver, limit_bytes: int, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Start with nothing leased."""
        self.limit_bytes = limit_bytes
        self._driver = driver
        self._patience_seconds = patience_seconds
        self._leased_bytes = 0
        self._kept_bytes = 0
        self._kept_in_use_bytes = 0
        self.peak_bytes = 0
        self._changed = threading.Condition()

    @property
    def leased_bytes(self) -> int:
        """Bytes that runs hold now."""
        return self._leased_bytes + self._kept_in_use_bytes

    @property
    def kept_bytes(self) -> int:
        """Bytes that are kept for runs to come, zero between them."""
        return self._kept_bytes

    def lease(self, size_bytes: int, stream: Stream) -> DeviceArena:
        """Take the memory of one run, in one piece; wait for others to end if there is no room.

        A run holds one lease, so that nobody waits with memory in hand.

        Raises:
            LimitError: more than all runs together may hold.
            BusyError: no room for `patience_seconds`, or another process holds the device's.
        """
        most_bytes = self.limit_bytes - self._kept_bytes
        if size_bytes > most_bytes:
            raise LimitError(
                Reason.MEMORY_BUDGET_EXHAUSTED,
                f"one run may hold at most {most_bytes} bytes of device memory",
            )
        with self._changed:
            if not self._changed.wait_for(lambda: self._fits(size_bytes), self._patience_seconds):
                raise _no_room()
            self._leased_bytes += size_bytes
            self._note_peak()
        address = self._allocate(size_bytes, self.discharge)

        def give_back(*, is_clean: bool) -> None:
            # Memory that could not be wiped goes all the same: a device that refuses that is lost.
            del is_clean
            try:
                self._driver.release(address)
            finally:
                self.discharge(size_bytes)

        return DeviceArena(stream, address, size_bytes, give_back)

    def keep(self, size_bytes: int, stream: Stream) -> "KeptMemory":
        """Take memory that stays with one stream: runs in it find it at the same address each time.

        Raises:
            BusyError: no room beside what is kept and leased already.
        """
        with self._changed:
            most_bytes = KEPT_SHARE_MAX * self.limit_bytes
            if not self._fits(size_bytes) or self._kept_bytes + size_bytes > most_bytes:
                raise _no_room()
            self._kept_bytes += size_bytes
        address = self._allocate(size_bytes, self._let_go)
        kept = KeptMemory(self, stream, address, size_bytes)
        try:
            stream.wipe(address, size_bytes)
            stream.synchronise()
        except BaseException:
            self.drop(kept)
            raise
        return kept

    def drop(self, kept: "KeptMemory") -> None:
        """Give kept memory back to the device, for good."""
        try:
            self._driver.release(kept.address)
        finally:
            self._let_go(kept.size_bytes)

    def discharge(self, size_bytes: int) -> None:
        """Count `size_bytes` less; the device must have them back already."""
        with self._changed:
            self._leased_bytes -= size_bytes
            assert self._leased_bytes >= 0, "more memory was given back than was leased"
            self._changed.notify_all()

    def use(self, size_bytes: int) -> None:
        """Count kept memory as leased, or with a negative number no longer."""
        with self._changed:
            self._kept_in_use_bytes += size_bytes
            self._note_peak()

    def forget_peak(self) -> None:
        """Start `peak_bytes` anew."""
        with self._changed:
            self.peak_bytes = self.leased_bytes

    def _note_peak(self) -> None:
        self.peak_bytes = max(self.peak_bytes, self.leased_bytes)

    def _fits(self, size_bytes: int) -> bool:
        return self._leased_bytes + self._kept_bytes + size_bytes <= self.limit_bytes

    def _let_go(self, size_bytes: int) -> None:
        with self._changed:
            self._kept_bytes -= size_bytes
            self._changed.notify_all()

    def _allocate(self, size_bytes: int, uncount: Callable[[int], None]) -> int:
        """Take counted memory from the device, or count it no longer."""
        try:
            return self._driver.allocate(size_bytes)
        except BaseException as error:
            uncount(size_bytes)
            if isinstance(error, MemoryError):
                raise _no_room() from None
            raise


class KeptMemory:
    """Device memory of one stream, for one run at a time; zero between runs.

    Attributes:
        address: the same for as long as it is kept.
        size_bytes: charged to the budget from the start.
        is_lost: it could not be wiped once, and was given back.
    """

    def __init__(self, budget: DeviceBudget, stream: Stream, address: int, size_bytes: int) -> None:
        """Take over an allocation; `DeviceBudget.keep` calls this."""
        self._budget = budget
        self._stream = stream
        self.address = address
        self.size_bytes = size_bytes
        self.is_lost = False

    def lease(self) -> DeviceArena:
        """Take it for one run; leaving the arena wipes it, and it stays."""
        assert not self.is_lost, "memory that was given back is nobody's"
        self._budget.use(self.size_bytes)
        return DeviceArena(
            self._stream, self.address, self.size_bytes, self._give_back, is_zero=True
        )

    def _give_back(self, *, is_clean: bool) -> None:
        self._budget.use(-self.size_bytes)
        if not is_clean:
            self.is_lost = True
            self._budget.drop(self)


def _no_room() -> BusyError:
    return BusyError(
        Reason.MEMORY_BUDGET_EXHAUSTED,
        "the device has no memory for one more run now",
        retry_after_seconds=RETRY_SECONDS,
    )
