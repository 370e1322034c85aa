"""Clips in the chunk protocol: sent while they are made, stopped within a frame."""

import asyncio
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import av
import google_crc32c
import numpy as np
import pytest
from google.protobuf.message import Message
from numpy.typing import NDArray

from batchpix.media.v1 import media_pb2
from batchpix.video.v1 import video_pb2
from services.chassis.calls import Call
from services.chassis.clips import read_clip_format, send_clip
from services.chassis.errors import InvalidRequestError, LimitError
from services.chassis.limits import CallLimits
from services.chassis.media.clip import ClipFormat, Container
from services.chassis.memory.arena import Arena, Budget
from services.chassis.patience import Patience
from services.chassis.settings import Settings
from services.chassis.telemetry import Telemetry
from services.chassis.workers import Workers
from tests.chassis.media.films import STUDIO, scene

SIZE = (64, 96)
ONE_SECOND = ClipFormat(seconds=1.0)
SECONDS_MAX = 10.0


class Listener:
    """The caller's side of a stream: keeps what it is sent."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    async def write(self, message: Message) -> None:
        """Take one message."""
        self.heard.append(message)


@pytest.fixture
def listener() -> Listener:
    """Make a caller."""
    return Listener()


@pytest.fixture
def call(listener: Listener) -> Iterator[Call]:
    """Open a call of the listener."""
    with ThreadPoolExecutor(1) as pool, Budget(64 << 20).lease(0) as arena:
        yield Call(
            call_id="call",
            arena=arena,
            limits=CallLimits.from_settings(Settings()),
            patience=Patience(SECONDS_MAX),
            cancelled=threading.Event(),
            _context=listener,  # type: ignore[arg-type]  # has all that is used
            _response=video_pb2.AnimateResponse,
            _workers=Workers.of_one(pool),
            _telemetry=Telemetry("video"),
            _started=0.0,
        )


def frames(count: int, arena: Arena, channels: int = 3) -> Iterator[NDArray[np.uint8]]:
    """Draw frames into one and the same memory."""
    with arena.scope():
        picture = arena.array((*SIZE, channels), np.uint8)
        for place in range(count):
            picture[:, :, :3] = scene(place)
            if channels > 3:
                picture[:, :, 3] = place
            yield picture


def chunks(heard: list[Message]) -> bytes:
    """Join the bytes of all chunks."""
    return b"".join(message.chunk.data for message in heard if message.HasField("chunk"))


async def test_a_clip_leaves_while_it_is_made(call: Call, listener: Listener) -> None:
    """Chunks come between frames, the end digest holds, and progress ends with all frames."""
    made: list[int] = []

    def counted() -> Iterator[NDArray[np.uint8]]:
        for picture in frames(30, call.arena):
            made.append(len(chunks(listener.heard)))
            yield picture

    await send_clip(call, ONE_SECOND, SIZE, counted(), studio=STUDIO, belongs_to=2)
    start, end = listener.heard[0].media_start, listener.heard[-1].media_end
    data = chunks(listener.heard)

    assert (start.kind, start.belongs_to, start.frame_count, start.size_bytes) == (
        media_pb2.MEDIA_KIND_CLIP,
        2,
        30,
        0,
    )
    assert (start.width_pixels, start.height_pixels) == (96, 64)
    # A fragment is whole once the frame after it is encoded.
    assert made[1] == 0 < made[2] < made[3] < made[15] < made[29] < len(data)
    assert len(set(made)) < 15
    assert (end.size_bytes, end.crc32c) == (len(data), google_crc32c.value(data))
    with av.open(io.BytesIO(data)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30
    progress = [m.progress for m in listener.heard if m.HasField("progress")]
    assert (progress[-1].done, progress[-1].total) == (30, 30)
    assert call.arena.used_bytes == 0


async def test_a_cancel_stops_before_the_next_frame(call: Call) -> None:
    """Nothing is drawn for nobody, and the call's memory is let go of."""
    begun, drawn = threading.Event(), list[int]()

    def endless() -> Iterator[NDArray[np.uint8]]:
        for place, picture in enumerate(frames(10_000, call.arena)):
            drawn.append(place)
            if place == 3:
                begun.set()
                assert call.cancelled.wait(SECONDS_MAX)
            yield picture

    sending = send_clip(call, ONE_SECOND, SIZE, endless(), studio=STUDIO, belongs_to=0)
    task = asyncio.create_task(sending)
    await asyncio.to_thread(begun.wait, SECONDS_MAX)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert drawn == [0, 1, 2, 3]


async def test_single_pictures_keep_their_opacity(call: Call, listener: Listener) -> None:
    """Each frame is a picture of its own, with the opacity that it was drawn with."""
    wanted = ClipFormat(container=Container.FRAMES, frame_media_type="image/png")
    drawn = frames(3, call.arena, channels=4)
    await send_clip(call, wanted, SIZE, drawn, studio=STUDIO, belongs_to=0)
    starts = [m.media_start for m in listener.heard if m.HasField("media_start")]

    assert [start.index for start in starts] == [0, 1, 2]
    assert {start.kind for start in starts} == {media_pb2.MEDIA_KIND_FRAME}
    assert chunks(listener.heard).count(b"\x89PNG") == 3
    assert call.arena.used_bytes == 0


def test_a_clip_has_defaults() -> None:
    """An empty message is a clip of four seconds at thirty frames."""
    wanted = read_clip_format(media_pb2.ClipFormat(), frames_max=3600)

    assert (wanted, wanted.frame_count) == (ClipFormat(), 120)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (media_pb2.ClipFormat(seconds=-1.0), "options.format.seconds"),
        (media_pb2.ClipFormat(container=9), "options.format.container"),  # type: ignore[arg-type]
        (
            media_pb2.ClipFormat(frames=media_pb2.PictureFormat(long_side_pixels_max=100)),
            "options.format.frames.long_side_pixels_max",
        ),
    ],
)
def test_what_no_clip_can_be_is_refused(message: media_pb2.ClipFormat, field: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidRequestError) as refusal:
        read_clip_format(message, frames_max=3600)

    assert refusal.value.field == field


def test_a_clip_of_too_many_frames_is_refused() -> None:
    """The limit of the call holds before anything is drawn."""
    with pytest.raises(LimitError):
        read_clip_format(media_pb2.ClipFormat(seconds=60.0, frames_per_second=60.0), 100)
