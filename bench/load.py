"""A closed loop: so many callers, each of whom calls again as soon as its picture is back."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

from batchpix_client.errors import BatchpixError
from bench.callers import Call, CallError, Connect
from bench.processes import Household, machine_processor_seconds

SAMPLE_SECONDS = 0.5
STRETCH_MAX = 4.0  # a window without enough pictures is kept open for so many times as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What was seen of a load that had been running for a while and ran on.

    Attributes:
        callers: how many called at a time.
        seconds: length of the window.
        pictures: how many came back in it.
        latencies: seconds from a call's begin to its end, of each of them.
        first_bytes: the same to the first byte of the picture.
        failures: calls that ended without a picture in it, by cause.
        processor_seconds: what the contender used in it.
        caller_processor_seconds: what this process used, which calls.
        other_processor_seconds: what everybody else on the machine used.
        memory_bytes_peak: most memory that the contender was seen to hold.
    """

    callers: int
    seconds: float
    pictures: int
    latencies: list[float]
    first_bytes: list[float]
    failures: dict[str, int]
    processor_seconds: float
    caller_processor_seconds: float
    other_processor_seconds: float
    memory_bytes_peak: int

    @property
    def rate(self) -> float:
        """Pictures per second."""
        return self.pictures / self.seconds


@dataclass(slots=True, kw_only=True)
class Log:
    """Calls that have ended, from all threads."""

    ended: list[tuple[float, float, float]] = field(default_factory=list)
    failed: list[tuple[float, str]] = field(default_factory=list)


def observe(
    connect: Connect,
    jpegs: Sequence[bytes],
    callers: int,
    *,
    seconds: float,
    warm_seconds: float,
    household: Household,
) -> Window:
    """Put the load on, let it run warm, look for a while, and let the calls that run end."""
    stop, log, numbers = threading.Event(), Log(), count()
    with ExitStack() as connections:
        calls = [connections.enter_context(connect()) for _ in range(callers)]
        threads = [
            threading.Thread(target=call_on, args=(call, jpegs, numbers, stop, log))
            for call in calls
        ]
        for thread in threads:
            thread.start()
        try:
            time.sleep(warm_seconds)
            return look(log, callers, seconds, household)
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def call_on(
    call: Call, jpegs: Sequence[bytes], numbers: "count[int]", stop: threading.Event, log: Log
) -> None:
    """Call one time after the other; the pictures go round."""
    while not stop.is_set():
        started = time.perf_counter()
        try:
            answer = call(jpegs[next(numbers) % len(jpegs)])
        except (CallError, BatchpixError) as error:
            cause = str(error) if isinstance(error, CallError) else error.code
            log.failed.append((time.perf_counter(), cause))
            stop.wait(0.1)
            continue
        log.ended.append((started, answer.first_byte, time.perf_counter()))


def look(log: Log, callers: int, seconds: float, household: Household) -> Window:
    """Watch a running load."""
    started, calling = time.perf_counter(), time.process_time()
    working, anybody = household.processor_seconds(), machine_processor_seconds()
    memory_bytes_peak = 0
    while True:
        time.sleep(SAMPLE_SECONDS)
        memory_bytes_peak = max(memory_bytes_peak, household.memory_bytes())
        passed = time.perf_counter() - started
        enough = sum(end > started for _, _, end in list(log.ended)) > callers
        if (passed >= seconds and enough) or passed >= STRETCH_MAX * seconds:
            break
    processor = household.processor_seconds() - working
    calling = time.process_time() - calling
    anybody = machine_processor_seconds() - anybody
    stopped = time.perf_counter()
    seen = [each for each in list(log.ended) if started < each[2] <= stopped]
    return Window(
        callers=callers,
        seconds=stopped - started,
        pictures=len(seen),
        latencies=[round(end - begun, 4) for begun, _, end in seen],
        first_bytes=[round(first - begun, 4) for begun, first, _ in seen],
        failures=dict(Counter(cause for moment, cause in list(log.failed) if moment > started)),
        processor_seconds=processor,
        caller_processor_seconds=calling,
        other_processor_seconds=max(0.0, anybody - processor - calling),
        memory_bytes_peak=memory_bytes_peak,
    )
