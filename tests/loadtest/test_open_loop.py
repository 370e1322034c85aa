"""The open loop: when calls begin, and what their latencies count."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from itertools import pairwise
from typing import ParamSpec, TypeVar

import pytest

from loadtest.callers import Ending
from loadtest.loads import OK
from loadtest.open_loop import Clock, Sample, arrivals, run
from loadtest.report import report_of

P = ParamSpec("P")
T = TypeVar("T")


class Time:
    """Time that passes only when somebody waits or works."""

    def __init__(self) -> None:
        self.now = 100.0

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @property
    def clock(self) -> Clock:
        """The clock that shows it."""
        return Clock(now=lambda: self.now, wait=self.pass_by)


class OneAtATime(Executor):
    """An executor without threads: a slow call holds the next one up."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Do it now."""
        future: Future[T] = Future()
        future.set_result(function(*args, **kwargs))
        return future


def test_a_stall_shows_in_every_call_that_was_due_meanwhile() -> None:
    """Calls of no time, due each 0.1 s behind one that takes 1 s, are told as late as they are."""
    time = Time()

    def call(number: int) -> Ending:
        time.pass_by(1.0 if number == 0 else 0.0)
        return Ending(code=OK, first_byte=time.now, end=time.now, received_bytes=1)

    samples = run([0.0, 0.1, 0.2, 2.0], call, OneAtATime(), time.clock)

    assert [sample.seconds for sample in samples] == pytest.approx([1.0, 0.9, 0.8, 0.0])
    assert [sample.first_byte_seconds for sample in samples] == pytest.approx([1.0, 0.9, 0.8, 0.0])


def test_arrivals_are_a_poisson_process() -> None:
    """Moments ascend, are as many as the rate says, and their gaps vary as their mean."""
    moments = arrivals(50.0, 200.0, seed=3)
    gaps = [after - before for before, after in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5

    assert moments == sorted(moments) == arrivals(50.0, 200.0, seed=3)
    assert 0 <= moments[0] < moments[-1] < 200.0
    assert mean == pytest.approx(1 / 50, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.05)


def test_percentiles_are_values_that_were_measured() -> None:
    """The p-th percentile is the smallest value that p percent of the calls do not exceed."""
    samples = [
        Sample(code=OK, first_byte_seconds=number / 2000, seconds=number / 1000)
        for number in range(1, 1001)
    ]
    report = report_of("video", samples, 10.0)

    assert report.latency_ms == {"p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": 999.0}
    assert report.first_frame_ms["p50"] == 250.0
    assert report.rate_per_second == 100.0


def test_failures_are_counted_by_name_and_leave_latencies_alone() -> None:
    """A refusal that comes at once does not make the mesh look fast."""
    good = Sample(code=OK, first_byte_seconds=0.5, seconds=1.0)
    refused = Sample(code="UNAVAILABLE SERVICE_UNREACHABLE", first_byte_seconds=None, seconds=0.001)
    report = report_of("video", [good, refused, refused], 1.0)

    assert report.codes == {"UNAVAILABLE SERVICE_UNREACHABLE": 2, OK: 1}
    assert report.latency_ms["p50"] == 1000.0
    assert "     2 UNAVAILABLE SERVICE_UNREACHABLE\n" in report.text()
