"""Messages in any order and of any content, for the chunk assembler."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

import google_crc32c
from hypothesis import strategies as st

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from services.chassis.chunks import CallMemory, Upload
from services.chassis.errors import MeshError
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget
from services.chassis.memory.reservation import whole_pages
from services.chassis.patience import Patience

Request = stylize_pb2.StylizeRequest

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
# A medium of unknown size takes its bytes anew each time it has doubled.
ARENA_BYTES_MAX = whole_pages(4 * LIMITS.call_bytes_max)
BUDGET_BYTES = 1 << 24
INDEX_MAX = (1 << 32) - 1
SIZE_MAX = (1 << 64) - 1

indices = st.one_of(st.integers(0, 4), st.integers(0, INDEX_MAX))
sizes = st.one_of(st.integers(0, 64), st.integers(0, SIZE_MAX))
kinds = st.one_of(st.integers(0, 12), st.integers(-(1 << 31), (1 << 31) - 1))
options = st.just(Request(options=stylize_pb2.StylizeOptions()))
starts = st.builds(
    lambda index, kind, size, belongs_to: Request(
        media_start=media_pb2.MediaStart(
            index=index, kind=kind, size_bytes=size, belongs_to=belongs_to
        )
    ),
    indices,
    kinds,
    sizes,
    st.none() | indices,
)
wrong_chunks = st.builds(
    lambda data, crc32c: Request(chunk=media_pb2.Chunk(data=data, crc32c=crc32c)),
    st.binary(max_size=12),
    st.integers(0, INDEX_MAX),
)


def chunk(data: bytes) -> Request:
    """Carry bytes with their checksum."""
    return Request(chunk=media_pb2.Chunk(data=data, crc32c=google_crc32c.value(data)))


def medium(index: int, pieces: Sequence[bytes], is_told: bool) -> list[Request]:
    """Make a medium that keeps to the protocol, its size told or not."""
    size = sum(map(len, pieces)) if is_told else 0
    start = media_pb2.MediaStart(index=index, kind=media_pb2.MEDIA_KIND_IMAGE, size_bytes=size)
    return [Request(media_start=start), *(chunk(piece) for piece in pieces)]


def well_kept(source: Random) -> list[Request]:
    """Make a conversation that keeps to the protocol."""
    messages = [Request(options=stylize_pb2.StylizeOptions())]
    for index in range(source.randint(0, LIMITS.media_max)):
        pieces = [
            source.randbytes(source.randint(1, LIMITS.chunk_bytes_max))
            for _ in range(source.randint(1, 3))
        ]
        messages += medium(index, pieces, is_told=source.random() < 0.5)
    return messages


def disturbed(source: Random, strangers: Sequence[Request]) -> list[Request]:
    """Put strangers into a good conversation, and drop, repeat or exchange messages of it."""
    messages = well_kept(source)
    for stranger in strangers:
        place = source.randrange(len(messages) + 1)
        match source.randrange(5):
            case 0:
                messages[place:place] = [stranger]
            case 1:
                messages[place : place + 1] = [stranger]
            case 2:
                del messages[place : place + 1]
            case 3:
                messages[place:place] = messages[place : place + 2]
            case _:
                messages[place : place + 2] = reversed(messages[place : place + 2])
    return messages


strangers = st.one_of(
    options, starts, wrong_chunks, st.builds(chunk, st.binary(max_size=10)), st.just(Request())
)
conversations = st.builds(
    disturbed, st.randoms(use_true_random=True), st.lists(strangers, max_size=3)
)


def check_conversation(messages: Sequence[Request], loop: asyncio.AbstractEventLoop) -> None:
    """Read a conversation as a service does: whole media or a refusal, and no memory kept.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    budget = Budget(BUDGET_BYTES)
    with budget.lease(0) as arena:
        try:
            media = loop.run_until_complete(read_all(messages, arena))
        except MeshError:
            pass
        else:
            assert media == sent(messages)
    assert arena.release().leased_bytes_peak <= ARENA_BYTES_MAX
    assert budget.leased_bytes == 0


async def read_all(messages: Sequence[Request], memory: CallMemory) -> list[bytes]:
    """Read options and all media."""

    async def stream() -> AsyncIterator[Request]:
        for message in messages:
            yield message

    upload, media = Upload(stream(), LIMITS, Patience(LIMITS.stall_seconds_max)), []
    await upload.first()
    while (header := await upload.next_medium()) is not None:
        media.append(bytes(await upload.read(header, memory)))
    return media


def sent(messages: Sequence[Request]) -> list[bytes]:
    """Put the media of a good conversation together, the simple way."""
    media: list[bytes] = []
    for message in messages:
        if message.WhichOneof("message") == "media_start":
            media.append(b"")
        elif message.WhichOneof("message") == "chunk":
            media[-1] += message.chunk.data
    return media
