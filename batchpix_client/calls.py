"""One blocking call of any feature: what the caller iterates over."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import grpc
from google.protobuf.message import Message

from batchpix_client.answers import Answers
from batchpix_client.channels import Line
from batchpix_client.clips import Clip, SavedClip, collect_clip, save_clip
from batchpix_client.errors import BatchpixError, protocol_error
from batchpix_client.jobs.job import Job
from batchpix_client.media import Source
from batchpix_client.receipts import Receipt
from batchpix_client.results import ClipPart, Progress
from batchpix_client.retries import attempts
from batchpix_client.statuses import lost, trailing_receipt, translated
from batchpix_client.uploads import Upload
from batchpix_client.wire import Response, Stream

ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")


class Gate:
    """Holds the upload back until the service has let the call in, or the call is over."""

    def __init__(self) -> None:
        self._decided = threading.Event()
        self._open = False

    def open(self) -> None:
        """Let the upload go on."""
        self._open = True
        self._decided.set()

    def shut(self) -> None:
        """End the upload if it has not begun."""
        self._decided.set()

    def passed(self) -> bool:
        """Wait for the decision; tell whether to go on."""
        self._decided.wait()
        return self._open


class Call(Iterator[ResultT], Generic[ResultT, FoundT]):
    """One call: iterate to get each result as it arrives.

    Nothing is sent before the first step. Iterate to the end, or use it as a context manager, or
    `close` it: a call that is left open runs until its deadline.
    """

    def __init__(self, line: Line, job: Job[ResultT, FoundT], photos: Iterable[Source]) -> None:
        """Prepare the call; nothing is sent yet.

        Args:
            line: where to call.
            job: what is wanted.
            photos: what it is wanted of; they are taken one by one once the call is let in.
        """
        self._line = line
        self._job = job
        self._photos = photos
        self._upload = Upload(job)
        self._answers = Answers(job, self._upload)
        self._stream: Stream | None = None
        self._upload_error: Exception | None = None
        self._ended = False
        self._whole = False
        self._watchers: list[Callable[[Progress], None]] = []

    def __next__(self) -> ResultT:
        """Return the next result.

        Raises:
            BatchpixError: the call as a whole failed.
            OSError: a picture's file cannot be read; the call is cancelled.
            StopIteration: every picture is answered.
        """
        if self._ended:
            raise StopIteration
        try:
            result = self._step()
        except grpc.RpcError as error:
            self._ended = True
            raise self._upload_error or self._failure(error) from None
        except BaseException:
            self.close()
            raise
        if result is None:
            raise StopIteration
        return result

    def to_the_end(self) -> Iterator[ResultT]:
        """Iterate, and take a call that was closed on the way for the failure that it is.

        Raises:
            BatchpixError: the call as a whole failed, or was closed before its end.
            OSError: a picture's file cannot be read; the call is cancelled.
        """
        yield from self
        if not self._whole:
            raise closed_early()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is still running, upon which the service wipes."""
        self._ended = True
        if self._stream is not None:
            self._stream.cancel()

    @property
    def call_id(self) -> str:
        """Name that the service gave the call, empty before it was let in."""
        return self._answers.call_id

    @property
    def progress(self) -> Progress | None:
        """How far the service has come, None before it says so."""
        return self._answers.progress

    def watch(self, watcher: Callable[[Progress], None]) -> Self:
        """Have a function told of all progress while results are waited for."""
        self._watchers.append(watcher)
        return self

    @property
    def found(self) -> tuple[FoundT, ...]:
        """What the service found in what was sent, so far."""
        return tuple(self._answers.found)

    @property
    def receipt(self) -> Receipt | None:
        """What was wiped, once a call that was let in has ended, well or not; None before."""
        return self._answers.receipt

    def _step(self) -> ResultT | None:
        """Read until a result is whole; None = the call has ended well."""
        for response in self._stream or self._begin():
            result = self._answers.receive(response)
            if result is not None:
                return result
            self._tell(response)
        self._ended = True
        self._answers.close()
        self._whole = True
        return None

    def _tell(self, response: Response) -> None:
        if self._answers.progress is not None and response.WhichOneof("message") == "progress":
            for watcher in self._watchers:
                watcher(self._answers.progress)

    def _begin(self) -> Stream:
        """Open the stream, trying again while the service does not let the call in."""
        deadline = time.monotonic() + self._job.deadline_seconds
        for attempt in attempts(self._job.deadline_seconds):
            with attempt:
                return self._attempt(deadline - time.monotonic())
        raise AssertionError("the attempts ended without a result or an error")

    def _attempt(self, timeout_seconds: float) -> Stream:
        if self._ended:
            raise closed_early()
        gate = Gate()
        stream = self._job.wire.method(self._line.channel)(
            self._requests(self._upload.opening(), gate),
            timeout=timeout_seconds,
            metadata=self._line.endpoint.metadata(),
        )
        self._stream = stream
        if not stream.add_callback(gate.shut):
            gate.shut()
        if self._ended:
            # Closed by another thread before it could see this stream.
            stream.cancel()
        try:
            self._answers.receive(next(stream))
        except grpc.RpcError as error:
            raise self._not_let_in(self._failure(error)) from None
        except StopIteration:
            raise protocol_error("the service ended the call unanswered") from None
        gate.open()
        return stream

    def _not_let_in(self, failure: BatchpixError) -> BatchpixError:
        """Tell a stream that somebody on the way cancelled from one that the caller did."""
        if failure.code == "CANCELLED" and not self._ended:
            return lost("the call was ended on its way to the service")
        return failure

    def _requests(self, opening: Message, gate: Gate) -> Iterator[Message]:
        """Feed gRPC's sending thread."""
        yield opening
        if not gate.passed():
            return
        try:
            yield from self._upload.media(self._photos)
        except Exception as error:  # the photos are the caller's, so is the error
            # Raised here it would end in the log of gRPC's thread; the reading side raises it.
            self._upload_error = error
            if self._stream is not None:
                self._stream.cancel()

    def _failure(self, error: grpc.RpcError) -> BatchpixError:
        """Translate the end of a failed call and keep the receipt that came with it."""
        self._answers.receipt = trailing_receipt(error)
        return translated(error)


class ClipCall(Call[ClipPart, FoundT]):
    """One call that makes a clip: iterate to get its pieces or frames as they arrive.

    Pieces in order are the file; each can be played or passed on at once.
    """

    def save(self, path: Path) -> SavedClip:
        """Write the clip to a file, or its frames to a new folder; see `clips.save_clip`."""
        return save_clip(self.to_the_end(), path)

    def collect(self) -> Clip:
        """Take the whole clip into memory; see `clips.collect_clip`."""
        return collect_clip(self.to_the_end())


def closed_early() -> BatchpixError:
    """Make the error of a call that its own caller has ended."""
    return BatchpixError("CANCELLED", "", "the call was closed")
