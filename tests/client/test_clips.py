"""Calls that make clips against scripted services: pieces, frames, files, and what goes wrong."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import grpc
import pytest

from batchpix.dance.v1 import dance_pb2
from batchpix.media.v1 import media_pb2
from batchpix.video.v1 import video_pb2
from batchpix_client import (
    BatchpixError,
    Client,
    ClipFacts,
    Figure,
    Frame,
    KeyFrame,
    LivingRegion,
    Piece,
    Progress,
)
from tests.client import fakes
from tests.client.fakes import Context, FakeMesh

PHOTO = b"\xff\xd8\xff\xe0 a photo"
RESPONSE = video_pb2.AnimateResponse
FACTS = ClipFacts(
    media_type="video/mp4",
    width_pixels=64,
    height_pixels=48,
    frames_per_second=30.0,
    frame_count=120,
)


@pytest.fixture
def mesh() -> FakeMesh:
    """Make a fake that answers with clips."""
    return FakeMesh(script=fakes.filming)


def test_pieces_arrive_as_they_are_sent(client: Client) -> None:
    """Each chunk of the service is a piece in the caller's hands, with what the clip is."""
    pieces = list(client.video(PHOTO))

    assert [piece.data for piece in pieces] == list(fakes.PIECES)
    assert all(isinstance(piece, Piece) and piece.clip == FACTS for piece in pieces)


def test_the_first_piece_is_there_before_the_second_is_made(client: Client, mesh: FakeMesh) -> None:
    """A piece reaches the caller while the service still works on the next."""

    def slow(fake: FakeMesh, requests: Iterator[Any], context: Context) -> Iterator[Any]:
        yield from islice(fakes.filming(fake, requests, context), 4)
        fake.ended.wait()

    mesh.script = slow
    with client.video(PHOTO) as call:
        piece = next(call)

    assert piece.data == fakes.PIECES[0]


def test_a_clip_is_saved_under_its_name(client: Client, tmp_path: Path) -> None:
    """The file holds all pieces in order, and nothing else is left beside it."""
    saved = client.video(PHOTO).save(tmp_path / "deep" / "clip.mp4")

    whole = b"".join(fakes.PIECES)
    assert (tmp_path / "deep" / "clip.mp4").read_bytes() == whole
    assert (len(whole), FACTS) == (saved.size_bytes, saved.facts)
    assert 0 < saved.first_seconds <= saved.elapsed_seconds
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["clip.mp4"]


def test_a_clip_is_collected(client: Client) -> None:
    """A caller who wants bytes gets them in one piece."""
    clip = client.video(PHOTO).collect()

    assert (b"".join(fakes.PIECES), FACTS) == (clip.data, clip.facts)


def test_frames_come_one_by_one(client: Client, tmp_path: Path) -> None:
    """A call for frames yields whole pictures, and saves them as files of a folder."""
    frames = list(client.video(PHOTO, container="frames", frame_format="png"))
    saved = client.video(PHOTO, container="frames").save(tmp_path / "frames")

    assert all(isinstance(frame, Frame) for frame in frames)
    assert [frame.data for frame in frames] == list(fakes.FRAMES)
    assert {file.name: file.read_bytes() for file in saved.path.iterdir()} == {
        "00000.png": fakes.FRAMES[0],
        "00001.png": fakes.FRAMES[1],
    }
    assert (saved.facts.frame_count, saved.facts.media_type) == (2, "image/png")


def test_frames_are_not_mixed_with_what_is_there(client: Client, tmp_path: Path) -> None:
    """A folder that holds something is left as it was."""
    (tmp_path / "keep.txt").touch()

    with pytest.raises(OSError, match="not empty"):
        client.video(PHOTO, container="frames").save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["keep.txt"]


def test_frames_cannot_be_collected_to_a_file(client: Client) -> None:
    """Bytes of pictures one after the other would be no clip."""
    with pytest.raises(BatchpixError, match="iterate over them"):
        client.video(PHOTO, container="frames").collect()


def ending(*answers: Any) -> fakes.Script:  # noqa: ANN401  # messages of any feature
    """Make a script that lets the call in, takes the upload and then sends these."""

    def script(fake: FakeMesh, requests: Iterator[Any], _: Context) -> Iterator[Any]:
        next(requests)
        yield fake.accepted(RESPONSE)
        list(fakes.received(fake, requests))
        yield from answers

    return script


RECEIPT = RESPONSE(receipt=fakes.signed(fakes.erasure()))
START, ONE, TWO, THREE, END = fakes.whole(RESPONSE, fakes.clip_start(0), fakes.PIECES)
BAD_CHUNK = RESPONSE(chunk=media_pb2.Chunk(data=b"x", crc32c=1))
SIZED = fakes.clip_start(0)
SIZED.size_bytes = 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((START, ONE, BAD_CHUNK), "RESULT_CORRUPT"),
        ((START, ONE, THREE, END, RECEIPT), "RESULT_CORRUPT"),
        ((RESPONSE(media_start=SIZED), ONE, TWO, THREE, END, RECEIPT), "RESULT_CORRUPT"),
        ((START, ONE, TWO, THREE, RECEIPT), "PROTOCOL_BROKEN"),
        ((START, ONE, TWO, THREE, END), "PROTOCOL_BROKEN"),
        ((START, START), "PROTOCOL_BROKEN"),
        ((RECEIPT,), "PROTOCOL_BROKEN"),
        ((RESPONSE(media_start=fakes.clip_start(7)),), "PROTOCOL_BROKEN"),
    ],
)
def test_a_broken_clip_leaves_nothing(
    client: Client, mesh: FakeMesh, tmp_path: Path, answers: tuple[Any, ...], reason: str
) -> None:
    """Damaged bytes, missing ends and strange messages are errors, and no half a file stays."""
    mesh.script = ending(*answers)

    with pytest.raises(BatchpixError) as caught:
        client.video(PHOTO).save(tmp_path / "clip.mp4")
    assert reason == caught.value.reason
    assert list(tmp_path.iterdir()) == []


def test_a_service_lost_in_mid_clip_leaves_an_older_clip_alone(
    client: Client, mesh: FakeMesh, tmp_path: Path
) -> None:
    """What was there under the name before stays until a new clip is whole."""
    old = tmp_path / "clip.mp4"
    old.write_bytes(b"old")

    def lost(fake: FakeMesh, requests: Iterator[Any], context: Context) -> Iterator[Any]:
        yield from ending(START, ONE)(fake, requests, context)
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    mesh.script = lost
    with pytest.raises(BatchpixError, match="gone"):
        client.video(PHOTO).save(old)

    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("clip.mp4", b"old")]


def test_a_clip_whose_call_was_closed_is_not_taken_for_whole(
    client: Client, tmp_path: Path
) -> None:
    """Closing between two pieces, as another thread may, saves nothing."""
    call = client.video(PHOTO)
    next(call)
    call.close()

    with pytest.raises(BatchpixError, match="CANCELLED"):
        call.save(tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_clip_is_an_error_with_a_receipt(client: Client, mesh: FakeMesh) -> None:
    """A Failure in place of the only result is raised at the end, when the receipt is there."""
    failure = media_pb2.Failure(
        index=0,
        reason=media_pb2.ERROR_REASON_MEDIA_UNREADABLE,
        message="no readable picture",
        field="media[0]",
    )
    mesh.script = ending(RESPONSE(failure=failure), RECEIPT)
    call = client.video(PHOTO)

    with pytest.raises(BatchpixError) as caught:
        list(call)
    assert (caught.value.reason, caught.value.field) == ("MEDIA_UNREADABLE", "media[0]")
    assert call.receipt is not None


def test_video_options_arrive_as_they_were_given(client: Client, mesh: FakeMesh) -> None:
    """Every argument reaches its field of the protocol."""
    call = client.video(
        PHOTO,
        key_frames=[
            KeyFrame(time=0),
            KeyFrame(time=1, x=0.5, y=0.25, z=-0.5, yaw_degrees=5, pitch_degrees=6,
                     roll_degrees=7, zoom=2, easing="linear"),
        ],
        intensity=0.5,
        focus=(0.25, 0.75),
        depth_of_field=0.5,
        loop=True,
        living=[LivingRegion(mask=b"mask", direction_degrees=90, speed=0.125)],
        depth_map=b"depth",
        seed=7,
        seconds=5,
        frames_per_second=24,
        width_pixels=640,
        height_pixels=360,
        quality=80,
    )  # fmt: skip
    list(call)

    expected = video_pb2.AnimateOptions(
        camera=video_pb2.CAMERA_PATH_KEY_FRAMES,
        key_frames=[
            video_pb2.CameraKeyFrame(zoom=1, easing=video_pb2.EASING_SMOOTH),
            video_pb2.CameraKeyFrame(
                time=1, x=0.5, y=0.25, z=-0.5, yaw_degrees=5, pitch_degrees=6, roll_degrees=7,
                zoom=2, easing=video_pb2.EASING_LINEAR,
            ),
        ],
        intensity=0.5,
        focus=media_pb2.Point(x=0.25, y=0.75),
        depth_of_field=0.5,
        loop=True,
        living_regions=[
            video_pb2.LivingRegion(mask_index=0, direction_degrees=90, speed=0.125)
        ],
        seed=7,
        format=media_pb2.ClipFormat(
            container=media_pb2.ClipFormat.CONTAINER_FRAGMENTED_MP4,
            seconds=5,
            frames_per_second=24,
            width_pixels=640,
            height_pixels=360,
            quality=80,
            frames=media_pb2.PictureFormat(),
        ),
    )  # fmt: skip
    assert expected == mesh.options
    assert [(medium.start.kind, medium.start.belongs_to) for medium in mesh.media] == [
        (media_pb2.MEDIA_KIND_MASK, 2),
        (media_pb2.MEDIA_KIND_DEPTH_MAP, 2),
        (media_pb2.MEDIA_KIND_IMAGE, 0),
    ]


def test_every_camera_of_the_protocol_can_be_asked_for(client: Client, mesh: FakeMesh) -> None:
    """No path of the contract is left out of the SDK."""
    known = video_pb2.CameraPath.keys()
    names = [name.removeprefix("CAMERA_PATH_").lower().replace("_", "-") for name in known[1:]]
    asked = []
    for name in names:
        list(client.video(PHOTO, camera=name))
        asked.append(mesh.options.camera)

    assert asked == list(range(1, len(known)))


@pytest.mark.parametrize(
    "arguments",
    [{"camera": "spiral"}, {"quality": -1}, {"container": "gif"}, {"seed": -1}],
)
def test_options_that_cannot_be_sent_are_refused_here(
    client: Client, mesh: FakeMesh, arguments: dict[str, Any]
) -> None:
    """What the protocol cannot express never reaches the service."""
    with pytest.raises(BatchpixError) as caught:
        list(client.video(PHOTO, **arguments))

    assert (caught.value.reason, mesh.attempts) == ("OPTION_INVALID", 0)


def test_progress_is_told_while_a_clip_is_made(client: Client) -> None:
    """Whoever watches hears of every step that the service tells."""
    heard: list[Progress] = []
    list(client.video(PHOTO).watch(heard.append))

    assert heard == [Progress(stage="render", done=30, total=120)]


def test_a_dance_tells_what_was_found_of_the_person(client: Client, mesh: FakeMesh) -> None:
    """Limbs that are missing and the tempo are there with the first piece."""
    mesh.script = fakes.dancing
    call = client.dance(PHOTO, moves=["floss"])
    next(call)

    assert call.found == (Figure(missing_limbs=("left-arm",), beats_per_minute=96.0),)


def test_dance_options_arrive_as_they_were_given(client: Client, mesh: FakeMesh) -> None:
    """Every argument reaches its field, and music and motion go ahead of the photo."""
    mesh.script = fakes.dancing
    call = client.dance(
        PHOTO,
        moves=["floss", "twist"],
        music=b"RIFF\x00\x00\x00\x00WAVEfmt ",
        motion=b"HIERARCHY\nROOT Hips",
        driving_video=b"\x00\x00\x00\x20ftypisom",
        beats_per_minute=100,
        intensity=1.5,
        person=(0.5, 0.25),
        background_colour="#102030",
        shadow=False,
        camera_push=0.25,
        seed=3,
        seconds=8,
    )
    list(call)

    options = mesh.options
    options.ClearField("format")
    expected = dance_pb2.DanceOptions(
        moves=["floss", "twist"],
        beats_per_minute=100,
        intensity=1.5,
        person=media_pb2.Point(x=0.5, y=0.25),
        background=dance_pb2.BACKGROUND_COLOUR,
        background_colour=0x102030,
        shadow_off=True,
        camera_push=0.25,
        seed=3,
    )
    assert expected == options
    assert [(medium.start.kind, medium.start.media_type) for medium in mesh.media] == [
        (media_pb2.MEDIA_KIND_MUSIC, "audio/wav"),
        (media_pb2.MEDIA_KIND_DRIVING_VIDEO, "video/mp4"),
        (media_pb2.MEDIA_KIND_MOTION, "text/x-bvh"),
        (media_pb2.MEDIA_KIND_IMAGE, "image/jpeg"),
    ]


def test_moves_are_listed(client: Client) -> None:
    """Each move comes with its name, title and length."""
    (move,) = client.moves()

    assert (move.name, move.title, move.beats) == ("floss", "Floss", 4)


@pytest.mark.parametrize("colour", ["red", "#12345", "#gggggg"])
def test_a_colour_that_is_none_is_refused_here(client: Client, colour: str) -> None:
    """Colours are written in hexadecimal."""
    with pytest.raises(BatchpixError) as caught:
        list(client.dance(PHOTO, background_colour=colour))

    assert caught.value.reason == "OPTION_INVALID"
