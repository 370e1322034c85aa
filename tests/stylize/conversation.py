"""Speaking the chunk protocol by hand, so that tests can also speak it wrongly."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import google_crc32c
import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc

CHUNK_BYTES = 1 << 18
DEADLINE_SECONDS = 20.0
Request = stylize_pb2.StylizeRequest


@dataclass(kw_only=True)
class Answer:
    """All that came back of one call.

    Attributes:
        accepted: the first message.
        pictures: encoded results by index of their image.
        types: their media types.
        failures: failures by index of their image.
        receipt: the last message of a call that ended well.
        latest: index of the image whose result came last.
    """

    accepted: media_pb2.Accepted | None = None
    pictures: dict[int, bytes] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    failures: dict[int, media_pb2.Failure] = field(default_factory=dict)
    receipt: media_pb2.ErasureReceipt | None = None
    latest: int = 0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How a call was refused.

    Attributes:
        code: name of the status code.
        reason: ErrorInfo's reason.
        field: first field violation of BadRequest, empty without one.
        message: the status message.
        metadata: ErrorInfo's metadata.
        has_receipt: whether the trailers hold an erasure receipt.
    """

    code: str
    reason: str
    field: str
    message: str
    metadata: dict[str, str]
    retry: bool
    has_receipt: bool


def options(**values: object) -> Request:
    """Make the first message; without a style the plain one is asked for."""
    if "styles" not in values:
        values["styles"] = [stylize_pb2.StyleWeight(name="plain")]
    return Request(options=stylize_pb2.StylizeOptions(**values))  # type: ignore[arg-type]


def medium(  # each may be got wrong by a test
    index: int,
    data: bytes | memoryview,
    media_type: str = "image/png",
    kind: media_pb2.MediaKind.ValueType = media_pb2.MEDIA_KIND_IMAGE,
    belongs_to: int | None = None,
    size_bytes: int | None = None,
) -> Iterator[Request]:
    """Make the messages of one medium."""
    start = media_pb2.MediaStart(
        index=index,
        kind=kind,
        media_type=media_type,
        size_bytes=len(data) if size_bytes is None else size_bytes,
        belongs_to=belongs_to,
    )
    yield Request(media_start=start)
    for offset in range(0, len(data), CHUNK_BYTES):
        piece = bytes(data[offset : offset + CHUNK_BYTES])
        yield Request(chunk=media_pb2.Chunk(data=piece, crc32c=google_crc32c.value(piece)))


async def converse(
    stub: "stylize_pb2_grpc.StylizeServiceStub",
    messages: Iterable[Request],
    seconds: float | None = DEADLINE_SECONDS,
) -> Answer:
    """Hold one whole call; nothing is sent before the service has let it in.

    The call blocks a thread: gRPC's awaiting client may overwrite the status of a call that is
    refused while it still sends (grpc/grpc#36066).

    Raises:
        grpc.RpcError: the call was refused.
    """
    return await asyncio.to_thread(hold, stub, messages, seconds)


def hold(
    stub: "stylize_pb2_grpc.StylizeServiceStub", messages: Iterable[Request], seconds: float | None
) -> Answer:
    """Hold one whole call, blocking; see `converse`."""
    answered, answer = threading.Event(), Answer()

    def requests() -> Iterator[Request]:
        answered.wait()
        if answer.accepted:
            yield from messages

    try:
        for response in stub.Stylize(requests(), timeout=seconds):
            note(response, answer)
            answered.set()
    finally:
        answered.set()
    return answer


def note(response: stylize_pb2.StylizeResponse, answer: Answer) -> None:
    """Add one message to what came back, and hold results to their digests."""
    match response.WhichOneof("message"):
        case "accepted":
            answer.accepted = response.accepted
        case "media_start":
            answer.latest = response.media_start.belongs_to
            answer.pictures[answer.latest] = b""
            answer.types[answer.latest] = response.media_start.media_type
        case "chunk":
            answer.pictures[answer.latest] += response.chunk.data
        case "media_end":
            end, whole = response.media_end, answer.pictures[answer.latest]
            assert (google_crc32c.value(whole), len(whole)) == (end.crc32c, end.size_bytes)
        case "failure":
            answer.failures[response.failure.index] = response.failure
        case "receipt":
            answer.receipt = response.receipt


def refusal_of(error: grpc.RpcError) -> Refusal:
    """Read everything that a refused caller is told."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # has what is read of a call
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    has_retry = False
    for detail in status.details if status else ():
        detail.Unpack(info)
        detail.Unpack(bad)
        has_retry = detail.Unpack(retry) or has_retry
    trailers = dict(error.trailing_metadata() or ())
    return Refusal(
        code=error.code().name,
        reason=info.reason,
        field=bad.field_violations[0].field if bad.field_violations else "",
        message=error.details() or "",
        metadata=dict(info.metadata),
        retry=has_retry,
        has_receipt="batchpix-receipt-bin" in trailers,
    )
