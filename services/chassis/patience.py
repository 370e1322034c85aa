"""One call's waiting for its caller: how long it has lasted, and how it ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from services.chassis.errors import BusyError, DeadlineError, MeshError, Reason

# Bytes that pay for a second of waiting: less than the slowest phone sends or reads, and far more
# than a byte now and then.
BYTES_PER_SECOND_MIN = 16 << 10
# When a caller may come back that had to make room.
RETRY_SECONDS = 1.0


class Patience:
    """Waits for one caller, to send or to read, and keeps count of it. For the event loop.

    The time of waiting adds up to arrears, and every byte that the caller moves pays some of them
    off. So a caller who is silent and one who trickles are told from one whose line is slow. Waits
    that overlap count once.

    Attributes:
        is_lost: whether the caller has been told to make room.
    """

    def __init__(
        self, stall_seconds_max: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin without arrears.

        Args:
            stall_seconds_max: longest single wait.
            clock: tells seconds; tests bring their own.
        """
        self._stall_seconds_max = stall_seconds_max
        self._clock = clock
        self._arrears_seconds = 0.0
        self._waiting_since: float | None = None
        self._limits: set[asyncio.Timeout] = set()
        self.is_lost = False

    @property
    def is_waiting(self) -> bool:
        """Tell whether the service has nothing to do now but to wait for this caller."""
        return self._waiting_since is not None

    @property
    def arrears_seconds(self) -> float:
        """Seconds of waiting that no bytes have paid for, those of the present wait included."""
        if self._waiting_since is None:
            return self._arrears_seconds
        return self._arrears_seconds + self._clock() - self._waiting_since

    @asynccontextmanager
    async def wait(self, verb: str) -> AsyncIterator[None]:
        """Wait for the caller in the block.

        Args:
            verb: what it is waited for to have done, "sent" or "read".

        Raises:
            DeadlineError: the caller was silent for `stall_seconds_max`.
            BusyError: others need the room; says when to come back.
        """
        if self.is_lost:
            raise made_room()
        if not self._limits:
            self._waiting_since = self._clock()
        limit = asyncio.timeout(self._stall_seconds_max)
        self._limits.add(limit)
        try:
            async with limit:
                yield
        except TimeoutError:
            raise self._end(verb) from None
        finally:
            self._limits.remove(limit)
            if not self._limits:
                self._arrears_seconds = self.arrears_seconds
                self._waiting_since = None

    def moved(self, size_bytes: int) -> None:
        """Take note of bytes that the caller has sent or read."""
        paid_seconds = size_bytes / BYTES_PER_SECOND_MIN
        # Nobody pays in advance: who has sent much may not sleep the longer for it.
        self._arrears_seconds = max(0.0, self._arrears_seconds - paid_seconds)

    def lose(self) -> None:
        """End the present waits, or the next: the caller has to make room."""
        self.is_lost = True
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    def _end(self, verb: str) -> MeshError:
        return made_room() if self.is_lost else stalled(verb)


def stalled(verb: str) -> DeadlineError:
    """End the call of a caller that keeps silent for too long."""
    return DeadlineError(Reason.UPLOAD_STALLED, f"the caller {verb} nothing for too long")


def made_room() -> BusyError:
    """End the call of a caller that kept the service waiting while others wanted in."""
    return BusyError(
        Reason.SERVICE_BUSY,
        "the caller kept the service waiting while others wanted in",
        retry_after_seconds=RETRY_SECONDS,
    )
