"""The places for calls in one process: who gets one, and who makes room when all are taken.

Who calls is not known here and need not be. The gateway marks each call with a lane, one of 64
letters drawn from the signature of its token: calls of one token share a lane, other callers hardly
ever do, and nobody can tell from it who it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.chassis.errors import BusyError, Reason
from services.chassis.patience import Patience

BUSY_RETRY_SECONDS = 1.0
# While more than half of the places are taken, calls of one lane may hold a quarter of them.
CROWDED_SHARE = 0.5
LANE_SHARE = 0.25
# How far behind a waiting caller has to be before it makes room for another: longer than an honest
# answer takes to come over a bad line.
ARREARS_SECONDS_MIN = 2.0
# Calls that make room are wiped before they are gone; so many times the places may be in memory.
CALLS_FACTOR_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """What is known of a call that holds a place.

    Attributes:
        lane: mark of the calls of one token, empty for callers that are not counted.
        patience: how the call waits for its caller.
    """

    lane: str
    patience: Patience


class Places:
    """So many calls may run at a time. For the event loop."""

    def __init__(self, count: int) -> None:
        """Begin with all places free."""
        self._count = count
        self._held: set[Place] = set()

    @contextmanager
    def take(self, lane: str, patience: Patience) -> Iterator[None]:
        """Hold a place around the block.

        Args:
            lane: mark of the caller's calls, empty for callers that are not counted.
            patience: how the call waits for its caller; may be told to end it.

        Raises:
            BusyError: the lane has its share, or all callers are at work; says when to come back.
        """
        self._admit(lane)
        place = Place(lane=lane, patience=patience)
        self._held.add(place)
        try:
            yield
        finally:
            self._held.discard(place)

    def make_room(self) -> bool:
        """End the call that waits for the slowest caller; False if none is far behind."""
        slowest = max(
            (each.patience for each in self._staying() if each.patience.is_waiting),
            key=lambda patience: patience.arrears_seconds,
            default=None,
        )
        if slowest is None or slowest.arrears_seconds < ARREARS_SECONDS_MIN:
            return False
        slowest.lose()
        return True

    def _admit(self, lane: str) -> None:
        staying = self._staying()
        mine = sum(each.lane == lane for each in staying) if lane else 0
        if len(staying) >= CROWDED_SHARE * self._count and mine >= LANE_SHARE * self._count:
            raise busy("this caller holds as many calls as one may while others call")
        if len(self._held) >= CALLS_FACTOR_MAX * self._count:
            raise busy("as many calls as the service takes are running")
        if len(staying) >= self._count and not self.make_room():
            raise busy("as many calls as the service takes are running")

    def _staying(self) -> list[Place]:
        return [each for each in self._held if not each.patience.is_lost]


def busy(message: str) -> BusyError:
    """Refuse a call for which there is no place now."""
    return BusyError(Reason.SERVICE_BUSY, message, retry_after_seconds=BUSY_RETRY_SECONDS)
