"""One awaiting call of any feature: the blocking one on a thread of its own.

gRPC's asyncio API is left aside on purpose: when a service ends a call that is still being written
to, it may report an internal error in place of the service's status
(https://github.com/grpc/grpc/issues/36066), and with it reason, retry delay and receipt are lost.
"""

import asyncio
import concurrent.futures
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from batchpix_client.calls import Call
from batchpix_client.channels import Line
from batchpix_client.clips import Clip, SavedClip, collect_clip, save_clip
from batchpix_client.jobs.job import Job
from batchpix_client.media import Source
from batchpix_client.receipts import Receipt
from batchpix_client.results import ClipPart, Progress

Photos = Iterable[Source] | AsyncIterable[Source]
ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")
AnswerT = TypeVar("AnswerT")


class AwaitedPhotos(Iterator[Source]):
    """Photos of an async iterable, for the thread that sends them."""

    def __init__(self, photos: AsyncIterable[Source]) -> None:
        self._photos = aiter(photos)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaited: concurrent.futures.Future[Source | None] | None = None
        self._closed = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the event loop that the photos are awaited on; later calls change nothing."""
        self._loop = self._loop or loop

    def __next__(self) -> Source:
        """Wait for the next photo; called by the sending thread."""
        if self._loop is None or self._closed:
            raise StopIteration
        self._awaited = asyncio.run_coroutine_threadsafe(self._step(), self._loop)
        try:
            photo = self._awaited.result()
        except concurrent.futures.CancelledError:
            raise StopIteration from None
        if photo is None:
            raise StopIteration
        return photo

    def close(self) -> None:
        """Let the sending thread go; called on the event loop."""
        self._closed = True
        if self._awaited is not None:
            self._awaited.cancel()

    async def _step(self) -> Source | None:
        return await anext(self._photos, None)


class AsyncCall(AsyncIterator[ResultT], Generic[ResultT, FoundT]):
    """One call: iterate to get each result as it arrives.

    Nothing is sent before the first step. Iterate to the end, or use it as a context manager, or
    `close` it: a call that is left open runs until its deadline.
    """

    def __init__(self, line: Line, job: Job[ResultT, FoundT], photos: Photos) -> None:
        """Prepare the call; nothing is sent yet.

        Args:
            line: where to call.
            job: what is wanted.
            photos: what it is wanted of; a plain iterable is stepped through by another thread.
        """
        self._awaited = AwaitedPhotos(photos) if isinstance(photos, AsyncIterable) else None
        sent = photos if isinstance(photos, Iterable) else self._awaited or ()
        self._call: Call[ResultT, FoundT] = Call(line, job, sent)
        self._thread = concurrent.futures.ThreadPoolExecutor(1, job.wire.feature)

    async def __anext__(self) -> ResultT:
        """Return the next result.

        Raises:
            BatchpixError: the call as a whole failed.
            OSError: a picture's file cannot be read; the call is cancelled.
            StopAsyncIteration: every picture is answered.
        """
        result = await self._on_thread(lambda: next(self._call, None))
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

    def watch(self, watcher: Callable[[Progress], None]) -> Self:
        """Have a function told of all progress, by another thread, while results are awaited."""
        self._call.watch(watcher)
        return self

    @property
    def found(self) -> tuple[FoundT, ...]:
        """What the service found in what was sent, so far."""
        return self._call.found

    @property
    def receipt(self) -> Receipt | None:
        """What was wiped, once a call that was let in has ended, well or not; None before."""
        return self._call.receipt

    async def _on_thread(self, work: Callable[[], AnswerT]) -> AnswerT:
        """Do what blocks on the call's own thread."""
        loop = asyncio.get_running_loop()
        if self._awaited is not None:
            self._awaited.bind(loop)
        try:
            return await loop.run_in_executor(self._thread, work)
        except BaseException:
            # A cancelled task ends here too, and takes its call along.
            self.close()
            raise

    def _release(self) -> None:
        """Let both threads of the call end."""
        if self._awaited is not None:
            self._awaited.close()
        self._thread.shutdown(wait=False)


class AsyncClipCall(AsyncCall[ClipPart, FoundT]):
    """One call that makes a clip: iterate to get its pieces or frames as they arrive.

    Pieces in order are the file; each can be played or passed on at once.
    """

    async def save(self, path: Path) -> SavedClip:
        """Write the clip to a file, or its frames to a new folder; see `clips.save_clip`."""
        return await self._on_thread(lambda: save_clip(self._call.to_the_end(), path))

    async def collect(self) -> Clip:
        """Take the whole clip into memory; see `clips.collect_clip`."""
        return await self._on_thread(lambda: collect_clip(self._call.to_the_end()))
