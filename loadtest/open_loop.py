"""An open loop: calls begin when their time has come, however slow the ones before are.

A closed loop sends its next call when the last has ended, so a mesh that stalls is asked less just
then, and its stall hardly shows. Here every latency counts from the moment at which the call was
due, the time that it waited for a free thread of the driver included.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import takewhile

from loadtest.callers import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call, measured from the moment at which it was due.

    Attributes:
        code: how it ended.
        first_byte_seconds: until the first byte of a result, None if none came.
        seconds: until its end.
    """

    code: str
    first_byte_seconds: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What tells time and waits; tests bring their own."""

    now: Callable[[], float]
    wait: Callable[[float], None]


def arrivals(rate_per_second: float, seconds: float, seed: int) -> list[float]:
    """Draw the moments of a Poisson process, in seconds from its start."""
    return list(takewhile(lambda moment: moment < seconds, _arrivals(rate_per_second, seed)))


def _arrivals(rate_per_second: float, seed: int) -> Iterator[float]:
    # Repeatable load, no secret.
    source, moment = random.Random(seed), 0.0  # noqa: S311
    while True:
        moment += source.expovariate(rate_per_second)
        yield moment


def run(
    moments: Sequence[float],
    call: Callable[[int], Ending],
    executor: Executor,
    clock: Clock,
) -> list[Sample]:
    """Begin a call at each moment and wait for all.

    Args:
        moments: when calls are due, ascending, in seconds from now.
        call: makes the call of a number.
        executor: makes calls at the same time; its waiting line counts as latency.
        clock: of the same kind as the moments in `Ending`.
    """
    started = clock.now()
    running: list[tuple[float, Future[Ending]]] = []
    for number, moment in enumerate(moments):
        clock.wait(max(0.0, started + moment - clock.now()))
        running.append((started + moment, executor.submit(call, number)))
    return [sample_of(due, future.result()) for due, future in running]


def sample_of(due: float, ending: Ending) -> Sample:
    """Measure a call from the moment at which it was due."""
    first = None if ending.first_byte is None else ending.first_byte - due
    return Sample(code=ending.code, first_byte_seconds=first, seconds=ending.end - due)
