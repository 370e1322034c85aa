"""The service's half of a stream: messages put together to results, and checked.

No transport here: the blocking and the awaiting client both feed what arrives to `Answers`.
"""

import time
from typing import Generic, TypeVar

import google_crc32c

from batchpix.media.v1 import media_pb2
from batchpix_client.errors import BatchpixError, protocol_error
from batchpix_client.jobs.job import Arrival, Job
from batchpix_client.receipts import Receipt
from batchpix_client.results import Progress, read_progress
from batchpix_client.uploads import Sent, Upload
from batchpix_client.wire import Response

WHOLE_BYTES_MAX = 1 << 30  # more than any encoding of the largest picture; held against a loop

ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")


class Answers(Generic[ResultT, FoundT]):
    """What has arrived of one call.

    A clip is passed on piece by piece as it comes, anything else once it is whole. All bytes are
    held to the checksum of their chunk, and every result to the digest at its end.

    Attributes:
        call_id: name that the service gave the call, empty before it was let in.
        policy_version: privacy policy that the call is served under.
        progress: the latest, None before the first.
        found: what the service found in what was sent.
        receipt: what was wiped, None before the end.
    """

    def __init__(self, job: Job[ResultT, FoundT], upload: Upload) -> None:
        self._job = job
        self._upload = upload
        self._start: media_pb2.MediaStart | None = None
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._crc32c = 0
        self._answered: set[int] = set()
        self._refusal: BatchpixError | None = None
        self.call_id = ""
        self.policy_version = ""
        self.progress: Progress | None = None
        self.found: list[FoundT] = []
        self.receipt: Receipt | None = None

    def receive(self, response: Response) -> ResultT | None:
        """Take one message in; return the result that it completes.

        Raises:
            BatchpixError: the message breaks the protocol or its bytes are damaged.
        """
        if not self.call_id:
            self._admit(response)
            return None
        match response.WhichOneof("message"):
            case "progress":
                self.progress = read_progress(response.progress)
            case "media_start":
                self._open(response.media_start)
            case "chunk":
                return self._append(response.chunk)
            case "media_end":
                return self._finish(response.media_end)
            case "failure":
                return self._failed(response.failure)
            case "receipt":
                self.receipt = Receipt.from_message(response.receipt)
            case kind:
                self._find(response, kind)
        return None

    def close(self) -> None:
        """Check that the call is whole, once the stream has ended well.

        Raises:
            BatchpixError: a result or the receipt is missing, or the only result was refused.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._start is not None or len(self._answered) != self._upload.photos:
            raise protocol_error("the service ended the call before every picture was answered")
        if self.receipt is None:
            raise protocol_error("the service ended the call without a receipt")

    def _admit(self, response: Response) -> None:
        accepted = response.accepted
        if response.WhichOneof("message") != "accepted" or not accepted.call_id:
            raise protocol_error("the service did not begin with Accepted")
        self.call_id = accepted.call_id
        self.policy_version = accepted.policy_version
        self._upload.limit_chunks(accepted.limits.chunk_bytes_max)

    def _find(self, response: Response, kind: str | None) -> None:
        found = self._job.finding(response, kind or "")
        if found is None:
            raise protocol_error(f"the service sent {kind or 'an empty message'} out of order")
        self.found.append(found)

    def _open(self, start: media_pb2.MediaStart) -> None:
        if self._start is not None:
            raise protocol_error("the service began a result inside another")
        self._photo(start)
        self._start = start
        self._parts.clear()
        self._size_bytes = 0
        self._crc32c = 0

    def _append(self, chunk: media_pb2.Chunk) -> ResultT | None:
        start, data = self._start, chunk.data
        if start is None:
            raise protocol_error("the service sent a chunk outside a result")
        if google_crc32c.value(data) != chunk.crc32c:
            raise damaged("a chunk does not agree with its crc32c")
        self._size_bytes += len(data)
        self._crc32c = google_crc32c.extend(self._crc32c, data)
        if is_passed_on(start):
            return self._job.result(self._arrival(start, data))
        if self._size_bytes > WHOLE_BYTES_MAX:
            raise protocol_error("the service sends a result without end")
        self._parts.append(data)
        return None

    def _finish(self, end: media_pb2.MediaEnd) -> ResultT | None:
        start = self._start
        if start is None:
            raise protocol_error("the service closed a result that it had not begun")
        if (self._size_bytes, self._crc32c) != (end.size_bytes, end.crc32c):
            raise damaged("a result does not agree with its end digest")
        if start.size_bytes not in {0, end.size_bytes}:
            raise damaged("a result is not of the size that was told at its start")
        self._answered.add(self._photo(start).position)
        self._start = None
        if is_passed_on(start):
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        return self._job.result(self._arrival(start, data))

    def _failed(self, failure: media_pb2.Failure) -> ResultT | None:
        # A failure stands in place of a result, also of one that had begun to arrive.
        self._start = None
        self._parts.clear()
        sent = self._upload.sent(failure.index)
        result = self._job.failed(failure, None if sent is None else sent.position)
        if isinstance(result, BatchpixError):
            # Raised at the end of the stream, which brings the receipt.
            self._refusal = result
            return None
        if sent is not None:
            self._answered.add(sent.position)
        return result

    def _photo(self, start: media_pb2.MediaStart) -> Sent:
        sent = self._upload.sent(start.belongs_to)
        if sent is None:
            raise protocol_error("the service answered a picture that was not sent")
        return sent

    def _arrival(self, start: media_pb2.MediaStart, data: bytes) -> Arrival:
        sent = self._photo(start)
        elapsed = time.perf_counter() - sent.started_seconds
        return Arrival(start=start, data=data, position=sent.position, elapsed_seconds=elapsed)


def is_passed_on(start: media_pb2.MediaStart) -> bool:
    """Tell whether a result's bytes are of use before it is whole."""
    return start.kind == media_pb2.MEDIA_KIND_CLIP


def damaged(message: str) -> BatchpixError:
    """Make the error of bytes that changed on their way."""
    return BatchpixError("DATA_LOSS", "RESULT_CORRUPT", message)
