"""The service's half of a stylize stream: messages put together to results, and checked.

No transport here: the blocking and the awaiting client both feed what arrives to `Answers`.
"""

import time
from dataclasses import dataclass

import google_crc32c

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.errors import BatchpixError, protocol_error
from batchpix_client.receipts import Receipt
from batchpix_client.uploads import Upload

RESULT_BYTES_MAX = 1 << 30  # more than any encoding of the largest picture; held against a loop


@dataclass(frozen=True, slots=True, kw_only=True)
class StylizedPicture:
    """A finished picture.

    Attributes:
        index: place of its photo among the caller's pictures, from 0.
        data: the encoded picture.
        media_type: "image/jpeg" and the like.
        width_pixels: width after orientation.
        height_pixels: height after orientation.
        elapsed_seconds: from the start of the photo's upload to the last byte of the result.
    """

    index: int
    data: bytes
    media_type: str
    width_pixels: int
    height_pixels: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPicture:
    """A picture that could not be made; the others of its call go on.

    Attributes:
        index: place of its photo among the caller's pictures, from 0.
        reason: name of the `batchpix.media.v1.ErrorReason`.
        message: one sentence for a developer.
        field: path of the request field at fault, empty if none is.
    """

    index: int
    reason: str
    message: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a call has come.

    Attributes:
        stage: "upload", "decode", "analyse", "render" or "encode".
        done: steps done.
        total: steps in all, 0 = not known yet.
    """

    stage: str
    done: int
    total: int


Result = StylizedPicture | FailedPicture


class Answers:
    """What has arrived of one call.

    Attributes:
        call_id: name that the service gave the call, empty before it was let in.
        policy_version: privacy policy that the call is served under.
        progress: the latest, None before the first.
        receipt: what was wiped, None before the end.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._start: media_pb2.MediaStart | None = None
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._crc32c = 0
        self._answered: set[int] = set()
        self.call_id = ""
        self.policy_version = ""
        self.progress: Progress | None = None
        self.receipt: Receipt | None = None

    def receive(self, response: stylize_pb2.StylizeResponse) -> Result | None:
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
                self._append(response.chunk)
            case "media_end":
                return self._finish(response.media_end)
            case "failure":
                return self._failed(response.failure)
            case "receipt":
                self.receipt = Receipt.from_message(response.receipt)
            case kind:
                raise protocol_error(f"the service sent {kind or 'an empty message'} out of order")
        return None

    def close(self) -> None:
        """Check that the call is whole, once the stream has ended well.

        Raises:
            BatchpixError: a result or the receipt is missing.
        """
        if self._start is not None or len(self._answered) != self._upload.pictures:
            raise protocol_error("the service ended the call before every picture was answered")
        if self.receipt is None:
            raise protocol_error("the service ended the call without a receipt")

    def _admit(self, response: stylize_pb2.StylizeResponse) -> None:
        accepted = response.accepted
        if response.WhichOneof("message") != "accepted" or not accepted.call_id:
            raise protocol_error("the service did not begin with Accepted")
        self.call_id = accepted.call_id
        self.policy_version = accepted.policy_version
        self._upload.limit_chunks(accepted.limits.chunk_bytes_max)

    def _open(self, start: media_pb2.MediaStart) -> None:
        if self._start is not None:
            raise protocol_error("the service began a result inside another")
        self._start = start
        self._parts.clear()
        self._size_bytes = 0
        self._crc32c = 0

    def _append(self, chunk: media_pb2.Chunk) -> None:
        if self._start is None:
            raise protocol_error("the service sent a chunk outside a result")
        data = chunk.data
        if google_crc32c.value(data) != chunk.crc32c:
            raise damaged("a chunk does not agree with its crc32c")
        self._size_bytes += len(data)
        if self._size_bytes > RESULT_BYTES_MAX:
            raise protocol_error("the service sends a result without end")
        self._crc32c = google_crc32c.extend(self._crc32c, data)
        self._parts.append(data)

    def _finish(self, end: media_pb2.MediaEnd) -> StylizedPicture:
        start = self._start
        if start is None:
            raise protocol_error("the service closed a result that it had not begun")
        if (self._size_bytes, self._crc32c) != (end.size_bytes, end.crc32c):
            raise damaged("a result does not agree with its end digest")
        sent = self._upload.sent(start.belongs_to)
        if sent is None:
            raise protocol_error("the service answered a picture that was not sent")
        data = b"".join(self._parts)
        self._start = None
        self._parts.clear()
        self._answered.add(sent.position)
        return StylizedPicture(
            index=sent.position,
            data=data,
            media_type=start.media_type,
            width_pixels=start.width_pixels,
            height_pixels=start.height_pixels,
            elapsed_seconds=time.perf_counter() - sent.started_seconds,
        )

    def _failed(self, failure: media_pb2.Failure) -> FailedPicture:
        sent = self._upload.sent(failure.index)
        if sent is None:
            raise protocol_error("the service refused a picture that was not sent")
        # A failure stands in place of a result, also of one that had begun to arrive.
        self._start = None
        self._parts.clear()
        self._answered.add(sent.position)
        return FailedPicture(
            index=sent.position,
            reason=reason_name(failure.reason),
            message=failure.message,
            field=failure.field,
        )


def read_progress(message: media_pb2.Progress) -> Progress:
    """Take over the protocol's message; a stage that is newer than the SDK is told by number."""
    known = media_pb2.Stage.values()
    name = media_pb2.Stage.Name(message.stage) if message.stage in known else str(message.stage)
    stage = name.removeprefix("STAGE_").lower()
    return Progress(stage=stage, done=message.done, total=message.total)


def reason_name(reason: media_pb2.ErrorReason.ValueType) -> str:
    """Name a reason without its prefix; one that is newer than the SDK is told by number."""
    if reason not in media_pb2.ErrorReason.values():
        return f"REASON_{reason}"
    return media_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")


def damaged(message: str) -> BatchpixError:
    """Make the error of bytes that changed on their way."""
    return BatchpixError("DATA_LOSS", "RESULT_CORRUPT", message)
