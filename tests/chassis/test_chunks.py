"""The caller's half of the chunk protocol: what is read, and what is refused."""

from collections.abc import AsyncIterator

import google_crc32c
import pytest

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from services.chassis.chunks import Upload, split
from services.chassis.errors import (
    DeadlineError,
    InvalidRequestError,
    LimitError,
    MeshError,
    Reason,
)
from services.chassis.limits import CallLimits
from services.chassis.patience import Patience

LIMITS = CallLimits(
    chunk_bytes_max=8,
    medium_bytes_max=32,
    call_bytes_max=48,
    media_max=3,
    pixels_max=100,
    frames_max=0,
    deadline_seconds_max=10.0,
    stall_seconds_max=5.0,
)
OPTIONS = stylize_pb2.StylizeRequest(options=stylize_pb2.StylizeOptions())


class Heap:
    """Memory for tests: plain bytes, counted."""

    def __init__(self) -> None:
        self.taken_bytes = 0

    def take(self, size_bytes: int) -> memoryview:
        """Hand out zeroed bytes."""
        self.taken_bytes += size_bytes
        return memoryview(bytearray(size_bytes))


def start(index: int = 0, size_bytes: int = 0) -> stylize_pb2.StylizeRequest:
    """Open a medium."""
    medium = media_pb2.MediaStart(
        index=index, kind=media_pb2.MEDIA_KIND_IMAGE, media_type="image/png", size_bytes=size_bytes
    )
    return stylize_pb2.StylizeRequest(media_start=medium)


def chunk(data: bytes, crc32c: int | None = None) -> stylize_pb2.StylizeRequest:
    """Carry bytes, with the right checksum unless another is given."""
    checksum = google_crc32c.value(data) if crc32c is None else crc32c
    return stylize_pb2.StylizeRequest(chunk=media_pb2.Chunk(data=data, crc32c=checksum))


def upload(*messages: stylize_pb2.StylizeRequest) -> Upload[stylize_pb2.StylizeRequest]:
    """Make an upload of scripted messages."""

    async def stream() -> AsyncIterator[stylize_pb2.StylizeRequest]:
        for message in messages:
            yield message

    return Upload(stream(), LIMITS, Patience(LIMITS.stall_seconds_max))


async def read_all(*messages: stylize_pb2.StylizeRequest) -> list[bytes]:
    """Read a whole call as a servicer does."""
    incoming, heap, found = upload(*messages), Heap(), []
    await incoming.first()
    while (header := await incoming.next_medium()) is not None:
        found.append(bytes(await incoming.read(header, heap)))
    return found


async def refusal(*messages: stylize_pb2.StylizeRequest) -> MeshError:
    """Read a call that must be refused."""
    with pytest.raises(MeshError) as caught:
        await read_all(*messages)
    return caught.value


async def test_media_arrive_whole_and_in_order() -> None:
    """Two media, one of known and one of unknown size, come out as they went in."""
    media = await read_all(
        OPTIONS,
        start(0, 10),
        chunk(b"01234567"),
        chunk(b"89"),
        start(1),
        chunk(b"a" * 8),
        chunk(b"b"),
    )

    assert media == [b"0123456789", b"aaaaaaaab"]


async def test_a_medium_of_known_size_ends_without_waiting_for_more() -> None:
    """Work on a picture can begin although the caller has not said whether another follows."""
    requests: list[stylize_pb2.StylizeRequest] = [OPTIONS, start(0, 3), chunk(b"abc")]

    async def stream() -> AsyncIterator[stylize_pb2.StylizeRequest]:
        for message in requests:
            yield message
        raise AssertionError("the upload waited for one message too many")

    incoming = Upload(stream(), LIMITS, Patience(LIMITS.stall_seconds_max))
    await incoming.first()
    header = await incoming.next_medium()
    assert header is not None

    assert bytes(await incoming.read(header, Heap())) == b"abc"


async def test_a_medium_of_unknown_size_takes_memory_as_it_grows() -> None:
    """Not knowing the size costs a few times the medium's bytes and never the limit at once."""
    heap, incoming = Heap(), upload(OPTIONS, start(), *[chunk(b"12345678")] * 4)
    await incoming.first()
    header = await incoming.next_medium()
    assert header is not None

    assert bytes(await incoming.read(header, heap)) == b"12345678" * 4
    assert heap.taken_bytes == 8 + 16 + 32


@pytest.mark.parametrize(
    ("messages", "kind", "reason", "field"),
    [
        ([], InvalidRequestError, Reason.OPTIONS_MISSING, "options"),
        ([start()], InvalidRequestError, Reason.OPTIONS_MISSING, "options"),
        ([chunk(b"x")], InvalidRequestError, Reason.OPTIONS_MISSING, "options"),
        ([OPTIONS, OPTIONS], InvalidRequestError, Reason.OPTIONS_REPEATED, "options"),
        (
            [OPTIONS, start(), OPTIONS],
            InvalidRequestError,
            Reason.OPTIONS_REPEATED,
            "options",
        ),
        ([OPTIONS, chunk(b"x")], InvalidRequestError, Reason.UPLOAD_OUT_OF_ORDER, "chunk"),
        (
            [OPTIONS, start(1)],
            InvalidRequestError,
            Reason.UPLOAD_OUT_OF_ORDER,
            "media[0].index",
        ),
        ([OPTIONS, start()], InvalidRequestError, Reason.UPLOAD_EMPTY, "media[0]"),
        (
            [OPTIONS, start(), chunk(b"")],
            InvalidRequestError,
            Reason.UPLOAD_EMPTY,
            "media[0].chunk",
        ),
        (
            [OPTIONS, start(), chunk(b"x" * 9)],
            InvalidRequestError,
            Reason.CHUNK_TOO_LARGE,
            "media[0].chunk",
        ),
        (
            [OPTIONS, start(), chunk(b"abc", crc32c=1)],
            InvalidRequestError,
            Reason.CHUNK_CORRUPT,
            "media[0].chunk.crc32c",
        ),
        (
            [OPTIONS, start(0, 5), chunk(b"abc")],
            InvalidRequestError,
            Reason.UPLOAD_SIZE_MISMATCH,
            "media[0].size_bytes",
        ),
        (
            [OPTIONS, start(0, 5), chunk(b"abcdef")],
            InvalidRequestError,
            Reason.UPLOAD_SIZE_MISMATCH,
            "media[0].size_bytes",
        ),
        ([OPTIONS, start(0, 33)], LimitError, Reason.UPLOAD_TOO_LARGE, "media[0].size_bytes"),
        (
            [OPTIONS, start(), *[chunk(b"x" * 8)] * 5],
            LimitError,
            Reason.UPLOAD_TOO_LARGE,
            "media[0]",
        ),
        (
            [OPTIONS, start(), *[chunk(b"x" * 8)] * 4, start(1, 17)],
            LimitError,
            Reason.UPLOAD_TOO_LARGE,
            "media[1].size_bytes",
        ),
        (
            [OPTIONS, *[m for i in range(4) for m in (start(i), chunk(b"x"))]],
            LimitError,
            Reason.UPLOAD_TOO_MANY,
            "media[3]",
        ),
    ],
)
async def test_what_breaks_the_protocol_is_refused(
    messages: list[stylize_pb2.StylizeRequest], kind: type[MeshError], reason: Reason, field: str
) -> None:
    """Each breach has its own class, reason and field."""
    error = await refusal(*messages)

    assert (kind, reason, field) == (type(error), error.reason, error.field)


async def test_a_declared_size_over_the_limit_takes_no_memory() -> None:
    """The limit is checked before anything is carved."""
    incoming = upload(OPTIONS, start(0, 33))
    await incoming.first()

    with pytest.raises(LimitError):
        await incoming.next_medium()


async def test_a_silent_caller_is_given_up_on() -> None:
    """A stream that yields nothing ends as a deadline, not as a hang."""

    async def stream() -> AsyncIterator[stylize_pb2.StylizeRequest]:
        raise TimeoutError
        yield OPTIONS

    with pytest.raises(DeadlineError) as caught:
        await Upload(stream(), LIMITS, Patience(LIMITS.stall_seconds_max)).first()

    assert caught.value.reason is Reason.UPLOAD_STALLED


def test_results_are_cut_into_chunks_with_their_checksums() -> None:
    """All bytes leave in order, in chunks of at most the limit."""
    pieces = list(split(memoryview(b"0123456789"), 4))

    assert [piece.data for piece in pieces] == [b"0123", b"4567", b"89"]
    assert all(piece.crc32c == google_crc32c.value(piece.data) for piece in pieces)
