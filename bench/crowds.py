"""Many callers at a time, and several replicas: who waits for how long, and who is refused."""

import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from batchpix_client import BatchpixError, Client
from batchpix_client.mesh import LocalMesh
from bench.features import stylize_call, take
from loadtest.target import target_of

CALLERS, CALLERS_SHORT = (1, 2, 4, 8, 16, 32, 64), (1, 4, 64)
CALLER_SIDE, CALLER_SECONDS_MIN, CALLS_OF_EACH = 256, 4.0, 3
REPLICA_CALLERS = 8
CORES = os.cpu_count() or 1
FAILURES_MAX = 100  # of each caller, after which it gives up


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """So many callers at a time.

    Attributes:
        callers: how many, each with a connection and a token of its own.
        replicas: of the service.
        threads: of the processor, for each replica.
        seconds: how long they called.
        calls: that ended well.
        latencies: seconds of the calls of each caller.
        failures: calls that ended otherwise, by code and reason.
    """

    callers: int
    replicas: int
    threads: int
    seconds: float
    calls: int
    latencies: list[list[float]]
    failures: dict[str, int]

    @property
    def unfairness(self) -> float:
        """Mean latency of the caller who waited longest, over that of the one who waited least."""
        means = [statistics.fmean(each) for each in self.latencies if each]
        return max(means) / min(means) if means else float("nan")

    def __str__(self) -> str:
        rate = self.calls / self.seconds
        return (
            f"{self.callers:3} callers, {self.replicas} x {self.threads} threads: {rate:6.2f}/s  "
            f"slowest/fastest {self.unfairness:.2f}  {self.failures}"
        )


def all_crowds(seconds: float, *, short: bool) -> Iterator[Crowd]:
    """Let more and more callers call; then share their calls out among replicas."""
    counts = CALLERS_SHORT if short else CALLERS
    each_seconds = max(CALLER_SECONDS_MIN, seconds / (len(counts) + 4))
    with tempfile.TemporaryDirectory() as home, LocalMesh(Path(home), features=["stylize"]) as mesh:
        for callers in counts:
            yield crowd(mesh, callers, each_seconds, replicas=1, threads=CORES)
    if short:
        return
    # The same processors: all to one service, or a half to each of two.
    for replicas, threads in ((1, CORES), (2, max(1, CORES // 2))):
        settings = {"BATCHPIX_THREADS": str(threads)}
        with (
            tempfile.TemporaryDirectory() as home,
            LocalMesh(
                Path(home), features=["stylize"], replicas=replicas, environment=settings
            ) as mesh,
        ):
            yield crowd(mesh, REPLICA_CALLERS, each_seconds, replicas=replicas, threads=threads)


def crowd(mesh: LocalMesh, callers: int, seconds: float, *, replicas: int, threads: int) -> Crowd:
    """Let so many callers call for a while; each makes a few calls at least."""
    begin = stylize_call(CALLER_SIDE, CALLER_SIDE)
    latencies: list[list[float]] = [[] for _ in range(callers)]
    failures: Counter[str] = Counter()
    with ExitStack() as stack:
        target = target_of(mesh.profile, callers, ["stylize"])
        clients = [
            stack.enter_context(Client(target.address, ca=mesh.profile.ca, token=token))
            for token in target.tokens
        ]
        for client in clients:
            client.policy()
        started = time.perf_counter()

        def call_on(number: int) -> None:
            done = latencies[number]
            while time.perf_counter() - started < seconds or len(done) < CALLS_OF_EACH:
                try:
                    done.append(round(take(clients[number], begin).seconds, 4))
                except BatchpixError as error:
                    failures[f"{error.code} {error.reason}".strip()] += 1
                    if failures.total() > FAILURES_MAX * callers:
                        return

        workers = [threading.Thread(target=call_on, args=(number,)) for number in range(callers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return Crowd(
        callers=callers,
        replicas=replicas,
        threads=threads,
        seconds=time.perf_counter() - started,
        calls=sum(len(each) for each in latencies),
        latencies=latencies,
        failures=dict(failures),
    )
