"""The commands `video`, `dance` and `moves` against the fake mesh."""

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from batchpix.dance.v1 import dance_pb2
from batchpix.media.v1 import media_pb2
from batchpix.video.v1 import video_pb2
from tests.client import fakes
from tests.client.conftest import Batchpix
from tests.client.fakes import FakeMesh

WHOLE = b"".join(fakes.PIECES)


@pytest.fixture
def mesh() -> FakeMesh:
    """Make a fake that answers with clips."""
    return FakeMesh(script=fakes.filming)


def test_a_clip_goes_to_its_file(batchpix: Batchpix, photo: Path, tmp_path: Path) -> None:
    """The clip is whole, people are told on standard error, nothing goes to standard output."""
    out = tmp_path / "new" / "clip.mp4"
    result = batchpix("video", photo, "-o", out)

    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_bytes() == WHOLE
    assert "64 x 48  120 frames  first after" in result.stderr


def test_scripts_get_one_document(batchpix: Batchpix, photo: Path, tmp_path: Path) -> None:
    """JSON tells all figures of the clip, the time to its first piece among them."""
    out, receipt = tmp_path / "clip.mp4", tmp_path / "r.json"
    result = batchpix("video", photo, "-o", out, "--json", "--receipt", receipt)
    document = json.loads(result.stdout)
    first, last = document.pop("first_milliseconds"), document.pop("milliseconds")

    assert 0 < first <= last
    assert document == {
        "input": str(photo),
        "status": "ok",
        "output": str(out),
        "media_type": "video/mp4",
        "width_pixels": 64,
        "height_pixels": 48,
        "frames_per_second": 30.0,
        "frame_count": 120,
        "bytes": len(WHOLE),
    }
    assert batchpix("verify-receipt", receipt).exit_code == 0


def test_frames_go_to_a_folder(batchpix: Batchpix, photo: Path, tmp_path: Path) -> None:
    """With --frames each frame is a file of its own."""
    out = tmp_path / "frames"
    result = batchpix("video", photo, "-o", out, "--frames", "png", "--quality", 80)

    assert result.exit_code == 0
    assert [file.read_bytes() for file in sorted(out.iterdir())] == list(fakes.FRAMES)


def test_video_options_reach_the_service(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """Every option of the command is one of the call."""
    batchpix(
        "video", photo, "-o", tmp_path / "clip.mp4", "--camera", "dolly-zoom", "--intensity", 0.5,
        "--focus", "0.25,0.75", "--dof", 0.5, "--loop", "--living", f"{photo}:90:0.25",
        "--depth-map", photo, "--seconds", 5, "--fps", 24, "--size", "640x", "--quality", 70,
        "--seed", 3,
    )  # fmt: skip

    expected = video_pb2.AnimateOptions(
        camera=video_pb2.CAMERA_PATH_DOLLY_ZOOM,
        intensity=0.5,
        focus=media_pb2.Point(x=0.25, y=0.75),
        depth_of_field=0.5,
        loop=True,
        living_regions=[video_pb2.LivingRegion(direction_degrees=90, speed=0.25)],
        seed=3,
        format=media_pb2.ClipFormat(
            container=media_pb2.ClipFormat.CONTAINER_FRAGMENTED_MP4,
            seconds=5,
            frames_per_second=24,
            width_pixels=640,
            quality=70,
            frames=media_pb2.PictureFormat(),
        ),
    )
    assert expected == mesh.options


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("path.toml", "[[key_frames]]\ntime = 0\n[[key_frames]]\ntime = 1\nx = 0.5\n"),
        ("path.json", '[{"time": 0}, {"time": 1, "x": 0.5}]'),
        ("path.JSON", '{"key_frames": [{"time": 0}, {"time": 1, "x": 0.5}]}'),
    ],
)
def test_key_frames_come_from_a_file(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path, name: str, text: str
) -> None:
    """TOML and JSON say the same, and key frames take the place of a path."""
    file = tmp_path / name
    file.write_text(text)
    batchpix("video", photo, "-o", tmp_path / "clip.mp4", "--key-frames", file)

    assert mesh.options.camera == video_pb2.CAMERA_PATH_KEY_FRAMES
    assert [(frame.time, frame.x) for frame in mesh.options.key_frames] == [(0, 0), (1, 0.5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[key_frames]]\nx = 0\n", "needs a time"),
        ("[[key_frames]]\ntime = 0\nwarp = 9\n", "unknown warp"),
        ("[[key_frames]]\ntime = 'now'\n", "is a number"),
        ("time = 0\n", "holds no list"),
        ("}", "cannot read"),
    ],
)
def test_a_bad_file_of_key_frames_is_one_line(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path, text: str, message: str
) -> None:
    """What is wrong is told before anything is sent."""
    file = tmp_path / "path.toml"
    file.write_text(text)
    result = batchpix("video", photo, "-o", tmp_path / "clip.mp4", "--key-frames", file)

    assert (result.exit_code, mesh.attempts) == (1, 0)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_dance_options_reach_the_service(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """Every option of the command is one of the call, and what was found is told."""
    mesh.script = fakes.dancing
    result = batchpix(
        "dance", photo, "-o", tmp_path / "clip.mp4", "--move", "floss", "--move", "twist",
        "--music", photo, "--bpm", 100, "--intensity", 1.5, "--person", "0.5,0.5",
        "--background", "#102030", "--no-shadow", "--camera-push", 0.25, "--seed", 4, "--json",
    )  # fmt: skip

    options = mesh.options
    options.ClearField("format")
    expected = dance_pb2.DanceOptions(
        moves=["floss", "twist"],
        beats_per_minute=100,
        intensity=1.5,
        person=media_pb2.Point(x=0.5, y=0.5),
        background=dance_pb2.BACKGROUND_COLOUR,
        background_colour=0x102030,
        shadow_off=True,
        camera_push=0.25,
        seed=4,
    )
    assert expected == options
    document = json.loads(result.stdout)
    assert (document["beats_per_minute"], document["missing_limbs"]) == (96.0, "left-arm")


def test_what_leads_a_dance_is_uploaded(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """A driving video and a motion file each go up as what they are."""
    mesh.script = fakes.dancing
    out = tmp_path / "clip.mp4"
    batchpix("dance", photo, "-o", out, "--driving-video", photo)
    batchpix("dance", photo, "-o", out, "--bvh", photo)

    assert [medium.start.kind for medium in mesh.media] == [
        media_pb2.MEDIA_KIND_DRIVING_VIDEO,
        media_pb2.MEDIA_KIND_IMAGE,
        media_pb2.MEDIA_KIND_MOTION,
        media_pb2.MEDIA_KIND_IMAGE,
    ]


def test_moves_are_listed(batchpix: Batchpix) -> None:
    """People get a table, scripts get documents."""
    assert batchpix("moves").stdout == "name\ttitle\tbeats\nfloss\tFloss\t4\n"
    assert json.loads(batchpix("moves", "--json").stdout)["beats"] == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["--camera", "spiral"],
        ["--focus", "0.5"],
        ["--size", "large"],
        ["--size", "640"],
        ["--living", "mask.png"],
        ["--living", "none.png:90:1"],
        ["--living", f"{__file__}:left:1"],
        ["--key-frames", "none.toml"],
    ],
)
def test_wrong_usage_ends_with_status_2(
    batchpix: Batchpix, photo: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """Usage errors are told apart from failures."""
    assert batchpix("video", photo, "-o", tmp_path / "clip.mp4", *arguments).exit_code == 2


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_sent(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """A folder for a clip, a file for frames and a full folder for frames are refused."""
    results = [
        batchpix("video", photo, "-o", tmp_path),
        batchpix("video", photo, "-o", photo, "--frames", "png"),
        batchpix("video", photo, "-o", tmp_path, "--frames", "png"),
    ]

    assert [result.exit_code for result in results] == [1, 1, 1]
    assert mesh.attempts == 0


def test_a_lost_service_leaves_no_half_clip(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """A call that breaks is one line, status 1 and no file; its receipt is kept all the same."""

    def lost(fake: FakeMesh, requests: Any, context: fakes.Context) -> Any:  # noqa: ANN401
        next(requests)
        yield fake.accepted(video_pb2.AnimateResponse)
        list(fakes.received(fake, requests))
        yield from list(fakes.whole(video_pb2.AnimateResponse, fakes.clip_start(0), fakes.PIECES))[
            :2
        ]
        data = fakes.signed(fakes.erasure()).SerializeToString()
        context.set_trailing_metadata((("batchpix-receipt-bin", data),))
        context.abort(grpc.StatusCode.INTERNAL, "fault")

    mesh.script = lost
    out = tmp_path / "out"
    out.mkdir()
    receipt = tmp_path / "r.json"
    result = batchpix("video", photo, "-o", out / "clip.mp4", "--receipt", receipt)

    assert (result.exit_code, result.stderr) == (1, "batchpix: INTERNAL: fault\n")
    assert list(out.iterdir()) == []
    assert receipt.is_file()
