"""What an attack must not touch: a normal caller's calls, and the memory of every process."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from batchpix_client import BatchpixError, Client
from tests.e2e.fleet import Fleet, Part, until
from tests.e2e.load import small_picture
from tests.e2e.stand_in import STYLE

MEBIBYTE = 1 << 20
GATEWAY_BYTES_MAX = 400 * MEBIBYTE
REPLICA_GROWTH_BYTES_MAX = 200 * MEBIBYTE
CALL_SECONDS_MAX = 10.0
PAUSE_SECONDS = 0.05
FIRST_CALLS = 3
FIRST_SECONDS_MAX = 60.0
Record = Callable[[str, object], None]


class Watch:
    """A normal caller and a meter, while the block attacks; leaving it holds both to bounds.

    Attributes:
        seconds: how long each call took, further attempts of the SDK included.
        failed: calls that failed, by code and reason.
    """

    def __init__(self, fleet: Fleet, record: Record) -> None:
        self._fleet = fleet
        self._record = record
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._call)
        self._parts = {"gateway": fleet.gateway, **fleet.replicas}
        self._bytes_before = measured(self._parts)
        self._bytes_max = dict(self._bytes_before)
        self.seconds: list[float] = []
        self.failed: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Self:
        """Begin to call."""
        self._thread.start()
        until(lambda: len(self.seconds) >= FIRST_CALLS, FIRST_SECONDS_MAX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, record the figures and check them."""
        self._stopped.set()
        self._thread.join()
        slowest = max(self.seconds, default=0.0)
        memory = ", ".join(
            f"{name} {self._bytes_before[name] // MEBIBYTE} -> {most // MEBIBYTE}"
            for name, most in self._bytes_max.items()
        )
        self._record("figure", f"MiB before -> at most: {memory}")
        calls = f"{len(self.seconds)} normal calls, {self.failed.total()} failed"
        ends = f" {dict(self.failed)}" if self.failed else ""
        self._record("figure", f"{calls}{ends}, the slowest took {slowest:.2f} s")
        if error is None:
            self._check(slowest)

    def _check(self, slowest_seconds: float) -> None:
        assert not self.failed
        assert slowest_seconds < CALL_SECONDS_MAX
        for name, most in self._bytes_max.items():
            if name == "gateway":
                assert most < GATEWAY_BYTES_MAX
            else:
                assert most - self._bytes_before[name] < REPLICA_GROWTH_BYTES_MAX

    def _call(self) -> None:
        address, token = f"localhost:{self._fleet.gateway_port}", self._fleet.token("normal")
        with Client(address, ca=self._fleet.authority, token=token) as client:
            while not self._stopped.wait(PAUSE_SECONDS):
                started = time.monotonic()
                try:
                    list(client.stylize([small_picture()], STYLE))
                except BatchpixError as error:
                    self.failed[error.code, error.reason] += 1
                self.seconds.append(time.monotonic() - started)
                for name, size_bytes in measured(self._parts).items():
                    self._bytes_max[name] = max(self._bytes_max[name], size_bytes)


def measured(parts: Mapping[str, Part]) -> dict[str, int]:
    """Measure the resident memory of each part, in bytes."""
    return {name: part.resident_bytes() for name, part in parts.items()}
