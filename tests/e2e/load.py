"""Callers that never stop: the SDK under load, every call and every attempt counted."""

import io
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from PIL import Image

from batchpix_client import BatchpixError, Client, StylizedPicture
from batchpix_client.calls import Call
from tests.e2e.fleet import Fleet, until
from tests.e2e.stand_in import STYLE

THREADS_OF_A_CONNECTION = 2
PROGRESS_SECONDS_MAX = 180.0
PNG_SIDE_PIXELS = 64


def small_picture() -> bytes:
    """Draw a PNG of 64x64."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((PNG_SIDE_PIXELS, PNG_SIDE_PIXELS)).save(file, "PNG")
    return file.getvalue()


class CountedAttempts:
    """Counts the attempts of all stylize calls that were not let in, by code and reason."""

    def __init__(self) -> None:
        self.refused: Counter[tuple[str, str]] = Counter()
        self._genuine = Call._attempt

    def attempt(self, call: Call, timeout_seconds: float) -> object:
        """Make an attempt."""
        try:
            return self._genuine(call, timeout_seconds)
        except BatchpixError as error:
            self.refused[error.code, error.reason] += 1
            raise


class Load:
    """Threads that call without a pause; a context manager that stops them."""

    def __init__(self, fleet: Fleet) -> None:
        port = fleet.gateway_port
        # gRPC shares a connection between channels to one address, so each name is a connection.
        self._clients = [
            Client(address, ca=fleet.authority, token=fleet.token())
            for address in (f"localhost:{port}", f"127.0.0.1:{port}", f"ipv4:127.0.0.1:{port}")
        ]
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._picture = small_picture()
        self._pool = ThreadPoolExecutor(THREADS_OF_A_CONNECTION * len(self._clients))
        self.done = 0
        self.failed: Counter[tuple[str, str]] = Counter()
        self._running: list[Future[None]] = []

    def __enter__(self) -> Self:
        """Begin to call."""
        self._running = [
            self._pool.submit(self._call_on, client)
            for client in self._clients
            for _ in range(THREADS_OF_A_CONNECTION)
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the calls that run end, and disconnect."""
        self._stopped.set()
        self._pool.shutdown()
        for client in self._clients:
            client.close()
        for running in self._running:
            running.result()

    def pass_calls(self, count: int) -> None:
        """Wait until so many more calls have ended."""
        goal = self.done + count
        until(lambda: self.done >= goal, PROGRESS_SECONDS_MAX)

    def _call_on(self, client: Client) -> None:
        while not self._stopped.is_set():
            self._count(client, iter([self._picture]))

    def _count(self, client: Client, pictures: Iterable[bytes]) -> None:
        try:
            with client.stylize(pictures, STYLE) as call:
                (result,) = call
            assert isinstance(result, StylizedPicture)
            assert call.receipt is not None
        except BatchpixError as error:
            with self._lock:
                self.failed[error.code, error.reason] += 1
        with self._lock:
            self.done += 1


class HeldCalls:
    """Calls that were let in and wait with the second half of their picture."""

    def __init__(self, fleet: Fleet, count: int) -> None:
        self._client = Client(
            f"localhost:{fleet.gateway_port}", ca=fleet.authority, token=fleet.token()
        )
        self._released = threading.Event()
        self._begun = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(count)
        self._calls = [self._pool.submit(self._call) for _ in range(count)]
        for _ in range(count):
            assert self._begun.acquire(timeout=PROGRESS_SECONDS_MAX)

    def finish(self) -> Counter[tuple[str, str]]:
        """Send the rest; count how they failed."""
        self._released.set()
        failed = Counter(end for end in (call.result() for call in self._calls) if end)
        self._pool.shutdown()
        self._client.close()
        return failed

    def _call(self) -> tuple[str, str] | None:
        try:
            list(self._client.stylize(self._pictures(), STYLE))
        except BatchpixError as error:
            return error.code, error.reason
        return None

    def _pictures(self) -> Iterator[bytes]:
        # Asked for only once the call is let in.
        self._begun.release()
        self._released.wait()
        yield small_picture()
