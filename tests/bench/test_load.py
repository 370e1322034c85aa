"""A closed loop against a contender that is a function."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.callers import Answer, Call, CallError
from bench.load import observe
from bench.processes import Household

SECONDS = 0.4


def test_pictures_and_failures_of_the_window_are_counted() -> None:
    """Every caller calls again and again; what fails is told by its cause and is no picture."""
    callers: set[int] = set()

    @contextmanager
    def connect() -> Iterator[Call]:
        failing = not callers
        callers.add(len(callers))

        def call(jpeg: bytes) -> Answer:
            # Stands for a server that takes a while.
            threading.Event().wait(0.02)
            if failing:
                raise CallError("HTTP 503")
            return Answer(picture=jpeg, first_byte=time.perf_counter())

        yield call

    window = observe(
        connect,
        [b"one", b"two"],
        3,
        seconds=SECONDS,
        warm_seconds=0.1,
        household=Household([os.getpid()]),
    )

    assert callers == {0, 1, 2}
    assert window.pictures == len(window.latencies) == len(window.first_bytes)
    assert window.pictures > 3
    assert set(window.failures) == {"HTTP 503"}
    assert window.seconds >= SECONDS
    assert all(latency >= 0.02 for latency in window.latencies)
    assert window.memory_bytes_peak > 0
