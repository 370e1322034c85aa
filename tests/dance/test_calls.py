"""Calls of the running service: a clip comes back, and what is wrong is refused by name."""

import asyncio
from io import BytesIO
from typing import TypeAlias

import av
import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from PIL import Image

from batchpix.dance.v1 import dance_pb2, dance_pb2_grpc
from batchpix.media.v1 import media_pb2
from tests.dance.conftest import photo
from tests.dance.conversation import Request, converse, medium, options
from tests.dance.motions import waving
from tests.dance.sounds import clicks, wav
from tests.house import House
from tests.pictures import encoded

Stub: TypeAlias = dance_pb2_grpc.DanceServiceStub
MUSIC = media_pb2.MEDIA_KIND_MUSIC
MOTION = media_pb2.MEDIA_KIND_MOTION
DRIVING = media_pb2.MEDIA_KIND_DRIVING_VIDEO
PERSON = bytes(encoded(photo("anna_teal", 240), "PNG"))
WALL = bytes(encoded(np.full((120, 80, 3), 128, np.uint8), "PNG"))
SONG = wav(clicks(120.0, 4.0)[0])
SILENCE = wav(np.zeros((2, 48_000 * 3), np.float32))


async def test_a_photo_comes_back_as_a_clip_with_its_music(house: House, stub: Stub) -> None:
    """The film plays, has the frames that were told, and sounds; all memory is given back."""
    answer = await converse(
        stub,
        [
            options(moves=["floss"]),
            *medium(0, SONG, MUSIC, media_type="audio/wav"),
            *medium(1, PERSON),
        ],
    )
    ((start, data),) = answer.media
    with av.open(BytesIO(data)) as film:
        frames = sum(1 for _ in film.decode(video=0))
        sounds = len(film.streams.audio)

    assert (start.kind, start.belongs_to) == (media_pb2.MEDIA_KIND_CLIP, 1)
    assert (frames, start.frame_count, sounds) == (12, 12, 1)
    assert (start.height_pixels, start.width_pixels) == (240, 160)
    assert answer.figure is not None
    assert abs(answer.figure.beats_per_minute - 120.0) < 1.0
    assert not answer.figure.missing_limbs
    assert answer.receipt is not None
    assert house.desk.leased_bytes == 0


async def test_a_motion_leads_and_frames_can_be_transparent(stub: Stub) -> None:
    """Single pictures with an alpha channel, from an uploaded motion."""
    wanted = media_pb2.ClipFormat(
        container=media_pb2.ClipFormat.CONTAINER_FRAMES,
        seconds=1.0,
        frames_per_second=12.0,
        height_pixels=240,
        frames=media_pb2.PictureFormat(media_type="image/png"),
    )
    answer = await converse(
        stub,
        [
            options(format=wanted, background=dance_pb2.BACKGROUND_TRANSPARENT),
            *medium(0, waving(), MOTION, media_type="text/plain"),
            *medium(1, PERSON),
        ],
    )
    pictures = [Image.open(BytesIO(data)) for _, data in answer.media]

    assert len(pictures) == 12
    assert {picture.mode for picture in pictures} == {"RGBA"}


async def test_the_moves_are_listed(stub: Stub) -> None:
    """Names, titles and lengths, ordered by name."""
    answer = await asyncio.to_thread(stub.ListMoves, dance_pb2.ListMovesRequest(), timeout=5.0)
    names = [move.name for move in answer.moves]

    assert names == sorted(names)
    assert "floss" in names
    assert all(move.title and move.beats for move in answer.moves)


BAD_CALLS = {
    "no photo": ([options()], "UPLOAD_EMPTY", "media"),
    "nobody in the photo": ([options(), *medium(0, WALL)], "PERSON_NOT_FOUND", "media[0]"),
    "no picture": ([options(), *medium(0, b"holidays")], "MEDIA_UNREADABLE", "media[0]"),
    "two photos": (
        [options(), *medium(0, PERSON), *medium(1, PERSON)],
        "MEDIA_KIND_INVALID",
        "media[1].kind",
    ),
    "a medium of no use": (
        [options(), *medium(0, PERSON, media_pb2.MEDIA_KIND_STYLE)],
        "MEDIA_KIND_INVALID",
        "media[0].kind",
    ),
    "two leaders": (
        [
            options(),
            *medium(0, waving(), MOTION, media_type="text/plain"),
            *medium(1, b"x", DRIVING, media_type="video/mp4"),
        ],
        "MEDIA_KIND_INVALID",
        "media[1].kind",
    ),
    "moves and a leader": (
        [options(moves=["floss"]), *medium(0, waving(), MOTION, media_type="text/plain")],
        "OPTION_INVALID",
        "options.moves",
    ),
    "an unknown move": ([options(moves=["canary"])], "OPTION_INVALID", "options.moves[0]"),
    "too many moves": ([options(moves=["floss"] * 33)], "OPTION_INVALID", "options.moves"),
    "a tempo out of range": (
        [options(beats_per_minute=500.0)],
        "OPTION_INVALID",
        "options.beats_per_minute",
    ),
    "an intensity out of range": ([options(intensity=3.0)], "OPTION_INVALID", "options.intensity"),
    "an intensity that is no number": (
        [options(intensity=float("nan"))],
        "OPTION_INVALID",
        "options.intensity",
    ),
    "a push out of range": ([options(camera_push=0.5)], "OPTION_INVALID", "options.camera_push"),
    "a colour out of range": (
        [options(background_colour=1 << 24)],
        "OPTION_INVALID",
        "options.background_colour",
    ),
    "a background that there is not": (
        [options(background=77)],
        "OPTION_INVALID",
        "options.background",
    ),
    "a transparent film": (
        [options(background=dance_pb2.BACKGROUND_TRANSPARENT)],
        "OPTION_INVALID",
        "options.background",
    ),
    "a person off the photo": (
        [options(person=media_pb2.Point(x=1.5, y=0.5))],
        "OPTION_INVALID",
        "options.person",
    ),
    "silent music": (
        [options(), *medium(0, SILENCE, MUSIC, media_type="audio/wav"), *medium(1, PERSON)],
        "MEDIA_UNREADABLE",
        "media[0]",
    ),
    "broken music": (
        [options(), *medium(0, SONG[:60], MUSIC, media_type="audio/wav"), *medium(1, PERSON)],
        "MEDIA_UNREADABLE",
        "media[0]",
    ),
    "a motion that is none": (
        [options(), *medium(0, b"holidays", MOTION, media_type="text/plain"), *medium(1, PERSON)],
        "MEDIA_UNREADABLE",
        "media[0]",
    ),
    "a driving film that is none": (
        [options(), *medium(0, b"holidays", DRIVING, media_type="video/mp4"), *medium(1, PERSON)],
        "MEDIA_TYPE_UNSUPPORTED",
        "media[0]",
    ),
}


@pytest.mark.parametrize("name", BAD_CALLS)
async def test_a_bad_call_is_refused_by_name(house: House, stub: Stub, name: str) -> None:
    """Reason and field tell what is wrong, nothing is echoed, and the memory is given back."""
    messages, reason, field = BAD_CALLS[name]
    with pytest.raises(grpc.RpcError) as caught:
        await converse(stub, messages)
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]  # has what is read of it
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)

    assert (info.reason, bad.field_violations[0].field) == (reason, field)
    assert "canary" not in (caught.value.details() or "")
    assert house.desk.leased_bytes == 0


async def test_a_lost_caller_ends_the_dance(house: House, stub: Stub) -> None:
    """A call that is cancelled in mid-clip stops drawing and gives its memory back."""
    wanted = media_pb2.ClipFormat(seconds=60.0, frames_per_second=30.0, height_pixels=240)

    def requests() -> list[Request]:
        return [options(format=wanted), *medium(0, PERSON)]

    call = stub.Dance(iter(requests()), timeout=60.0)
    for response in await asyncio.to_thread(take_until_chunk, call):
        assert response
    call.cancel()
    async with asyncio.timeout(20.0):
        while house.desk.leased_bytes or "CANCELLED" not in house.log.getvalue():
            await asyncio.sleep(0.01)


def take_until_chunk(call: grpc.Call) -> list[dance_pb2.DanceResponse]:
    """Read up to the first bytes of the clip."""
    taken = []
    for response in call:  # type: ignore[attr-defined]  # a call is read as its answers
        taken.append(response)
        if response.WhichOneof("message") == "chunk":
            break
    return taken
