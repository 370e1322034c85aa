"""Speaking the chunk protocol of a try-on by hand, so that tests can also speak it wrongly."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import google_crc32c
import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from batchpix.media.v1 import media_pb2
from batchpix.tryon.v1 import tryon_pb2, tryon_pb2_grpc
from services.tryon import figure
from services.tryon.garment import GarmentCategory
from tests.pictures import encoded
from tests.tryon.conftest import garment_picture

CHUNK_BYTES = 1 << 18
DEADLINE_SECONDS = 30.0
Request = tryon_pb2.TryOnRequest
GARMENT = media_pb2.MEDIA_KIND_GARMENT
IMAGE = media_pb2.MEDIA_KIND_IMAGE


@dataclass(kw_only=True)
class Answer:
    """All that came back of one call.

    Attributes:
        accepted: whether it was let in.
        garments: what each garment was taken for.
        media: the opening of each result and its bytes.
        failures: what could not be worked on.
        receipt: the last message of a call that ended well.
        error: how the call was refused, None if it was not.
    """

    accepted: bool = False
    garments: list[tryon_pb2.GarmentFound] = field(default_factory=list)
    media: list[tuple[media_pb2.MediaStart, bytes]] = field(default_factory=list)
    failures: list[media_pb2.Failure] = field(default_factory=list)
    receipt: media_pb2.ErasureReceipt | None = None
    error: "Refusal | None" = None


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How a call was refused."""

    code: str
    reason: str
    field: str


def photo() -> bytes:
    """Encode the photo of the figure."""
    return bytes(encoded(figure.wearer().pixels, "PNG"))


def garment(category: GarmentCategory) -> bytes:
    """Encode the picture of a garment."""
    return bytes(encoded(garment_picture(category), "PNG"))


def options(**values: object) -> Request:
    """Make the first message."""
    return Request(options=tryon_pb2.TryOnOptions(**values))  # type: ignore[arg-type]


def medium(
    index: int,
    data: bytes,
    kind: media_pb2.MediaKind.ValueType = IMAGE,
    media_type: str = "image/png",
) -> Iterator[Request]:
    """Make the messages of one medium."""
    start = media_pb2.MediaStart(
        index=index, kind=kind, media_type=media_type, size_bytes=len(data)
    )
    yield Request(media_start=start)
    for offset in range(0, len(data), CHUNK_BYTES):
        piece = bytes(data[offset : offset + CHUNK_BYTES])
        yield Request(chunk=media_pb2.Chunk(data=piece, crc32c=google_crc32c.value(piece)))


async def converse(stub: "tryon_pb2_grpc.TryonServiceStub", messages: Iterable[Request]) -> Answer:
    """Hold one whole call on a thread; nothing is sent before the service has let it in."""
    return await asyncio.to_thread(hold, stub, messages)


def hold(stub: "tryon_pb2_grpc.TryonServiceStub", messages: Iterable[Request]) -> Answer:
    """Hold one whole call, blocking."""
    let_in, answer = threading.Event(), Answer()

    def requests() -> Iterator[Request]:
        let_in.wait()
        if answer.accepted:
            yield from messages

    try:
        for response in stub.TryOn(requests(), timeout=DEADLINE_SECONDS):
            note(response, answer)
            let_in.set()
    except grpc.RpcError as error:
        answer.error = refusal_of(error)
    finally:
        let_in.set()
    return answer


def note(response: tryon_pb2.TryOnResponse, answer: Answer) -> None:
    """Add one message to what came back, and hold results to their digests."""
    match response.WhichOneof("message"):
        case "accepted":
            answer.accepted = True
        case "garment":
            answer.garments.append(response.garment)
        case "media_start":
            answer.media.append((response.media_start, b""))
        case "chunk":
            start, data = answer.media[-1]
            answer.media[-1] = start, data + response.chunk.data
        case "media_end":
            end, whole = response.media_end, answer.media[-1][1]
            assert (google_crc32c.value(whole), len(whole)) == (end.crc32c, end.size_bytes)
        case "failure":
            answer.failures.append(response.failure)
        case "receipt":
            answer.receipt = response.receipt


def refusal_of(error: grpc.RpcError) -> Refusal:
    """Read what a refused caller is told."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # has what is read of a call
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        detail.Unpack(info)
        detail.Unpack(bad)
    fields = bad.field_violations
    return Refusal(
        code=error.code().name, reason=info.reason, field=fields[0].field if fields else ""
    )
