"""Speaking the chunk protocol of a dance call by hand, so that tests can also speak it wrongly."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import google_crc32c

from batchpix.dance.v1 import dance_pb2, dance_pb2_grpc
from batchpix.media.v1 import media_pb2

CHUNK_BYTES = 1 << 18
DEADLINE_SECONDS = 30.0
Request = dance_pb2.DanceRequest


@dataclass(kw_only=True)
class Answer:
    """All that came back of one call.

    Attributes:
        media: the opening of each result and its bytes.
        progress: what was told of it.
        figure: what was found in the photo.
        receipt: the last message of a call that ended well.
    """

    figure: dance_pb2.Figure | None = None
    media: list[tuple[media_pb2.MediaStart, bytes]] = field(default_factory=list)
    progress: list[media_pb2.Progress] = field(default_factory=list)
    receipt: media_pb2.ErasureReceipt | None = None


def options(seconds: float = 1.0, rate: float = 12.0, **values: object) -> Request:
    """Make the first message: a clip of a second."""
    small = media_pb2.ClipFormat(seconds=seconds, frames_per_second=rate, height_pixels=240)
    values.setdefault("format", small)
    return Request(options=dance_pb2.DanceOptions(**values))  # type: ignore[arg-type]


def medium(
    index: int,
    data: bytes | memoryview,
    kind: media_pb2.MediaKind.ValueType = media_pb2.MEDIA_KIND_IMAGE,
    belongs_to: int | None = None,
    media_type: str = "image/png",
) -> Iterator[Request]:
    """Make the messages of one medium."""
    start = media_pb2.MediaStart(
        index=index,
        kind=kind,
        media_type=media_type,
        size_bytes=len(data),
        belongs_to=belongs_to,
    )
    yield Request(media_start=start)
    for offset in range(0, len(data), CHUNK_BYTES):
        piece = bytes(data[offset : offset + CHUNK_BYTES])
        yield Request(chunk=media_pb2.Chunk(data=piece, crc32c=google_crc32c.value(piece)))


async def converse(stub: "dance_pb2_grpc.DanceServiceStub", messages: Iterable[Request]) -> Answer:
    """Hold one whole call on a thread; nothing is sent before the service has let it in.

    Raises:
        grpc.RpcError: the call was refused.
    """
    return await asyncio.to_thread(hold, stub, messages)


def hold(stub: "dance_pb2_grpc.DanceServiceStub", messages: Iterable[Request]) -> Answer:
    """Hold one whole call, blocking."""
    let_in, answer = threading.Event(), Answer()

    def requests() -> Iterator[Request]:
        let_in.wait()
        yield from messages

    try:
        for response in stub.Dance(requests(), timeout=DEADLINE_SECONDS):
            note(response, answer)
            let_in.set()
    finally:
        let_in.set()
    return answer


def note(response: dance_pb2.DanceResponse, answer: Answer) -> None:
    """Add one message to what came back, and hold results to their digests."""
    match response.WhichOneof("message"):
        case "media_start":
            answer.media.append((response.media_start, b""))
        case "chunk":
            start, data = answer.media.pop()
            answer.media.append((start, data + response.chunk.data))
        case "media_end":
            end, whole = response.media_end, answer.media[-1][1]
            assert (google_crc32c.value(whole), len(whole)) == (end.crc32c, end.size_bytes)
        case "figure":
            answer.figure = response.figure
        case "progress":
            answer.progress.append(response.progress)
        case "receipt":
            answer.receipt = response.receipt
