"""One awaiting stylize call: the blocking one on a thread of its own.

gRPC's asyncio API is left aside on purpose: when a service ends a call that is still being written
to, it may report an internal error in place of the service's status
(https://github.com/grpc/grpc/issues/36066), and with it reason, retry delay and receipt are lost.
"""

import asyncio
import concurrent.futures
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from batchpix_client.answers import Progress, Result
from batchpix_client.pictures import Source
from batchpix_client.receipts import Receipt
from batchpix_client.stylization import Stylization

Pictures = Iterable[Source] | AsyncIterable[Source]


class AwaitedPictures(Iterator[Source]):
    """Pictures of an async iterable, for the thread that sends them."""

    def __init__(self, pictures: AsyncIterable[Source]) -> None:
        self._pictures = aiter(pictures)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaited: concurrent.futures.Future[Source | None] | None = None
        self._closed = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the event loop that the pictures are awaited on; later calls change nothing."""
        self._loop = self._loop or loop

    def __next__(self) -> Source:
        """Wait for the next picture; called by the sending thread."""
        if self._loop is None or self._closed:
            raise StopIteration
        self._awaited = asyncio.run_coroutine_threadsafe(self._step(), self._loop)
        try:
            picture = self._awaited.result()
        except concurrent.futures.CancelledError:
            raise StopIteration from None
        if picture is None:
            raise StopIteration
        return picture

    def close(self) -> None:
        """Let the sending thread go; called on the event loop."""
        self._closed = True
        if self._awaited is not None:
            self._awaited.cancel()

    async def _step(self) -> Source | None:
        return await anext(self._pictures, None)


class AsyncStylization(AsyncIterator[Result]):
    """One call of `AsyncClient.stylize`: iterate to get each result as it arrives.

    Nothing is sent before the first step. Iterate to the end, or use it as a context manager, or
    `close` it: a call that is left open runs until its deadline.
    """

    def __init__(
        self, begin: Callable[[Iterable[Source]], Stylization], pictures: Pictures
    ) -> None:
        """Prepare the call.

        Args:
            begin: makes the blocking call for the pictures that it is given.
            pictures: what to send; a plain iterable is stepped through by another thread.
        """
        self._awaited = AwaitedPictures(pictures) if isinstance(pictures, AsyncIterable) else None
        self._call = begin(pictures if isinstance(pictures, Iterable) else self._awaited or ())
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "stylize")

    async def __anext__(self) -> Result:
        """Return the next result.

        Raises:
            BatchpixError: the call as a whole failed.
            OSError: a picture's file cannot be read; the call is cancelled.
            StopAsyncIteration: every picture is answered.
        """
        loop = asyncio.get_running_loop()
        if self._awaited is not None:
            self._awaited.bind(loop)
        try:
            result = await loop.run_in_executor(self._thread, next, self._call, None)
        except BaseException:
            # A cancelled task ends here too, and takes its call along.
            self.close()
            raise
        if result is None:
            self._release()
            raise StopAsyncIteration
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is still running, upon which the service wipes."""
        self._call.close()
        self._release()

    @property
    def call_id(self) -> str:
        """Name that the service gave the call, empty before it was let in."""
        return self._call.call_id

    @property
    def progress(self) -> Progress | None:
        """How far the service has come, None before it says so."""
        return self._call.progress

    @property
    def receipt(self) -> Receipt | None:
        """What was wiped, once a call that was let in has ended, well or not; None before."""
        return self._call.receipt

    def _release(self) -> None:
        """Let both threads of the call end."""
        if self._awaited is not None:
            self._awaited.close()
        self._thread.shutdown(wait=False)
