"""Calls of the service: clips come back as asked for, bad ones are refused, and none is left."""

import asyncio
import math
from io import BytesIO
from typing import TypeAlias

import av
import grpc
import numpy as np
import pytest
from PIL import Image

from batchpix.media.v1 import media_pb2
from batchpix.video.v1 import video_pb2, video_pb2_grpc
from gateway.certs import CertificatePaths
from services.video.pipeline import VideoPipeline
from services.video.render import Renderer
from tests.house import House, channel_to
from tests.pictures import encoded, noise
from tests.stylize.conversation import refusal_of
from tests.video.conversation import Answer, Request, converse, medium, options
from tests.video.scenes import SIZE, KnownDepth, scene, texture

Stub: TypeAlias = video_pb2_grpc.VideoServiceStub
PHOTO = encoded(scene(), "PNG")
MASK_KIND = media_pb2.MEDIA_KIND_MASK
DEPTH_KIND = media_pb2.MEDIA_KIND_DEPTH_MAP
PNG_FRAMES = media_pb2.ClipFormat(
    container=media_pb2.ClipFormat.CONTAINER_FRAMES,
    seconds=1.0,
    frames_per_second=12.0,
    frames=media_pb2.PictureFormat(media_type="image/png"),
)


def film(answer: Answer) -> list[np.ndarray]:
    """Decode the one clip that came back."""
    ((start, data),) = answer.media
    assert (start.kind, start.media_type) == (media_pb2.MEDIA_KIND_CLIP, "video/mp4")
    with av.open(BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def mask(rows: slice = slice(0, 24)) -> memoryview:
    """Encode a mask of some rows."""
    chosen = np.zeros(SIZE, np.uint8)
    chosen[rows] = 255
    return encoded(chosen, "PNG")


def region(**values: object) -> video_pb2.LivingRegion:
    """Make a living region of the first mask."""
    return video_pb2.LivingRegion(**{"speed": 0.1, **values})  # type: ignore[arg-type]


async def refused(stub: Stub, messages: list[Request]) -> tuple[str, str]:
    """Hold a call that is refused: reason and field."""
    with pytest.raises(grpc.RpcError) as error:
        await converse(stub, messages)
    refusal = refusal_of(error.value)
    assert refusal.code in {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
    assert refusal.has_receipt
    return refusal.reason, refusal.field


async def test_a_photo_becomes_a_clip(stub: Stub, house: House) -> None:
    """Size, rate, length and receipt are right, the first frame is the photo, memory is back."""
    # Films keep colours at half the size: where neighbours differ in colour it can't return.
    photo = np.repeat(scene()[:, :, 1:2], 3, axis=2)
    answer = await converse(stub, [options(), *medium(0, encoded(photo, "PNG"))])
    frames, (start, _) = film(answer), answer.media[0]
    error = np.mean((frames[0] - photo) ** 2)

    assert (start.height_pixels, start.width_pixels, start.frame_count) == (*SIZE, 12)
    assert len(frames) == 12
    assert 10 * math.log10(255**2 / error) >= 40
    assert (answer.progress[-1].done, answer.progress[-1].total) == (12, 12)
    assert answer.receipt is not None
    assert house.desk.leased_bytes == 0


async def test_single_frames_are_exact(stub: Stub) -> None:
    """As PNG the first frame is the photo within one level."""
    answer = await converse(stub, [options(format=PNG_FRAMES), *medium(0, PHOTO)])
    first = np.asarray(Image.open(BytesIO(answer.media[0][1]))).astype(int)

    assert len(answer.media) == 12
    assert np.abs(first - scene()).max() <= 1


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(48, 0, (36, 48)), (0, 48, (48, 64)), (64, 64, (64, 64))]
)
async def test_a_clip_has_the_size_that_was_asked_for(
    stub: Stub, width: int, height: int, expected: tuple[int, int]
) -> None:
    """One side gives the other; both cut the middle out."""
    wanted = media_pb2.ClipFormat(
        seconds=1.0, frames_per_second=12.0, width_pixels=width, height_pixels=height
    )
    answer = await converse(stub, [options(format=wanted), *medium(0, PHOTO)])

    assert film(answer)[0].shape[:2] == expected


@pytest.mark.parametrize("size", [(1, 200), (200, 1), (1, 1), (17, 31)])
async def test_photos_of_any_shape_make_clips(stub: Stub, size: tuple[int, int]) -> None:
    """One pixel high or wide, or of odd sides."""
    answer = await converse(stub, [options(), *medium(0, encoded(texture(*size), "PNG"))])
    frames = film(answer)

    assert len(frames) == 12
    assert min(frames[0].shape[:2]) >= 16
    assert frames[-1].min() > 40


async def test_40_megapixels_are_scaled_down(stub: Stub) -> None:
    """The largest photo makes a clip of the usual size; no more of it is held than its pixels."""
    photo = Image.new("RGB", (8000, 5000), (90, 120, 150))
    answer = await converse(
        stub, [options(), *medium(0, encoded(photo, "JPEG"), media_type="image/jpeg")]
    )
    frames = film(answer)
    assert answer.receipt is not None
    statement = media_pb2.ErasureStatement.FromString(answer.receipt.statement)

    assert frames[0].shape[:2] == (800, 1280)
    assert np.abs(frames[-1] - (90, 120, 150)).max() <= 2
    assert statement.host_bytes_leased < 3 * 40e6 + 64e6


async def test_more_than_40_megapixels_are_refused(stub: Stub) -> None:
    """By the header alone."""
    photo = encoded(Image.new("L", (8000, 5001), 90), "PNG")

    assert await refused(stub, [options(), *medium(0, photo)]) == ("PIXELS_TOO_MANY", "media[0]")


async def test_a_transparent_photo_is_laid_on_white(stub: Stub) -> None:
    """What is clear in the photo is white in the clip."""
    picture = Image.fromarray(texture(*SIZE)).convert("RGBA")
    picture.putalpha(Image.fromarray(mask_of_left_half()))
    answer = await converse(
        stub,
        [
            options(format=PNG_FRAMES, camera="CAMERA_PATH_STILL"),
            *medium(0, encoded(picture, "PNG")),
        ],
    )
    first = np.asarray(Image.open(BytesIO(answer.media[0][1])))

    assert first[:, 60:].min() == 255
    assert np.array_equal(first[:, :40], texture(*SIZE)[:, :40])


def mask_of_left_half() -> np.ndarray:
    """Choose the left half."""
    chosen = np.zeros(SIZE, np.uint8)
    chosen[:, :48] = 255
    return chosen


async def test_living_regions_come_with_their_masks(stub: Stub) -> None:
    """Under a still camera the region moves and the rest stays."""
    messages = [
        options(
            format=PNG_FRAMES, camera="CAMERA_PATH_STILL", loop=True, living_regions=[region()]
        ),
        *medium(0, mask(), MASK_KIND, belongs_to=1),
        *medium(1, PHOTO),
    ]
    answer = await converse(stub, messages)
    first, later = (
        np.asarray(Image.open(BytesIO(answer.media[place][1]))).astype(int) for place in (0, 5)
    )

    assert np.abs(first - later)[2:20].mean() > 1
    assert np.abs(first - later)[30:].max() <= 1


@pytest.mark.parametrize("size", [SIZE, (36, 48), (144, 192)])
async def test_a_depth_map_may_have_another_size(stub: Stub, size: tuple[int, int]) -> None:
    """Of the photo's proportions it is scaled."""
    depth = np.zeros(size, np.uint8)
    depth[size[0] // 3 :, size[1] // 3 :] = 230
    messages = [
        options(),
        *medium(0, encoded(depth, "PNG"), DEPTH_KIND, belongs_to=1),
        *medium(1, PHOTO),
    ]

    assert len(film(await converse(stub, messages))) == 12


async def test_a_depth_map_keeps_its_16_bits(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels that differ in their low byte alone arrive as they were sent."""
    sent = np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE)
    taken: list[np.ndarray] = []
    plain = KnownDepth.fit_depth_map

    def kept(self: KnownDepth, depth_map: np.ndarray, *rest: object) -> np.ndarray:
        taken.append(depth_map.copy())
        return plain(self, depth_map, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(KnownDepth, "fit_depth_map", kept)
    messages = [
        options(),
        *medium(0, encoded(sent, "PNG"), DEPTH_KIND, belongs_to=1),
        *medium(1, PHOTO),
    ]
    await converse(stub, messages)

    assert np.array_equal(taken[0], sent)


async def test_a_depth_map_is_followed(stub: Stub) -> None:
    """With an even map a pan has no parallax; with another one it has."""

    async def last(depth: np.ndarray) -> np.ndarray:
        messages = [
            options(format=PNG_FRAMES, camera="CAMERA_PATH_PAN_LEFT", intensity=2.0),
            *medium(0, encoded(depth, "PNG"), DEPTH_KIND, belongs_to=1),
            *medium(1, PHOTO),
        ]
        answer = await converse(stub, messages)
        return np.asarray(Image.open(BytesIO(answer.media[-1][1]))).astype(int)

    even, stepped = np.full(SIZE, 128, np.uint8), np.full(SIZE, 40, np.uint8)
    stepped[:, 48:] = 220

    assert np.abs(await last(even) - await last(stepped)).mean() > 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"intensity": 2.5}, "options.intensity"),
        ({"intensity": math.nan}, "options.intensity"),
        ({"depth_of_field": -0.1}, "options.depth_of_field"),
        ({"focus": media_pb2.Point(x=1.2)}, "options.focus.x"),
        ({"camera": 77}, "options.camera"),
        ({"camera": "CAMERA_PATH_KEY_FRAMES"}, "options.key_frames"),
        ({"key_frames": [video_pb2.CameraKeyFrame()] * 2}, "options.key_frames"),
        ({"seconds": 0.5}, "options.format.seconds"),
        ({"seconds": 61.0}, "options.format.seconds"),
        ({"rate": 5.0}, "options.format.frames_per_second"),
        ({"rate": 61.0}, "options.format.frames_per_second"),
        ({"living_regions": [region()]}, "options.living_regions[0].mask_index"),
        ({"living_regions": [region(speed=0.0)]}, "options.living_regions[0].speed"),
        (
            {"living_regions": [region(direction_degrees=400.0)]},
            "options.living_regions[0].direction_degrees",
        ),
        ({"living_regions": [region()] * 9}, "options.living_regions"),
    ],
)
async def test_options_out_of_range_are_refused(
    stub: Stub, values: dict[str, object], field: str
) -> None:
    """The field is named and no value is echoed."""
    assert await refused(stub, [options(**values), *medium(0, PHOTO)]) == (  # type: ignore[arg-type]
        "OPTION_INVALID",
        field,
    )


@pytest.mark.parametrize(
    ("key_frame", "field"),
    [
        ({"time": 0.2}, "options.key_frames[1].time"),
        ({"time": 1.5}, "options.key_frames[1].time"),
        ({"time": 0.9, "z": 0.95}, "options.key_frames[1].z"),
        ({"time": 0.9, "zoom": 5.0}, "options.key_frames[1].zoom"),
        ({"time": 0.9, "easing": 9}, "options.key_frames[1].easing"),
    ],
)
async def test_key_frames_out_of_range_are_refused(
    stub: Stub, key_frame: dict[str, float], field: str
) -> None:
    """Times ascend, and each number keeps to its range."""
    frames = [video_pb2.CameraKeyFrame(time=0.3), video_pb2.CameraKeyFrame(**key_frame)]  # type: ignore[arg-type]
    opening = options(camera="CAMERA_PATH_KEY_FRAMES", key_frames=frames)

    assert await refused(stub, [opening, *medium(0, PHOTO)]) == ("OPTION_INVALID", field)


async def test_masks_without_a_direction_are_refused(stub: Stub) -> None:
    """A mask that no living region uses is told so, rather than left out."""
    messages = [options(), *medium(0, mask(), MASK_KIND, belongs_to=1), *medium(1, PHOTO)]

    assert await refused(stub, messages) == ("OPTION_INVALID", "media[0]")


async def test_media_out_of_place_are_refused(stub: Stub) -> None:
    """One photo, last; masks and one depth map that name it; of the photo's proportions."""
    tall = encoded(noise(90, 20, 1), "PNG")
    flowing = options(living_regions=[region()])
    cases: list[tuple[list[Request], tuple[str, str]]] = [
        ([options()], ("UPLOAD_EMPTY", "media")),
        (
            [options(), *medium(0, PHOTO), *medium(1, PHOTO)],
            ("UPLOAD_OUT_OF_ORDER", "media[1].kind"),
        ),
        (
            [options(), *medium(0, PHOTO, media_pb2.MEDIA_KIND_STYLE)],
            ("MEDIA_KIND_INVALID", "media[0].kind"),
        ),
        (
            [flowing, *medium(0, mask(), MASK_KIND, belongs_to=3), *medium(1, PHOTO)],
            ("OPTION_INVALID", "media[0].belongs_to"),
        ),
        (
            [flowing, *medium(0, tall, MASK_KIND, belongs_to=1), *medium(1, PHOTO)],
            ("OPTION_INVALID", "media[0]"),
        ),
        (
            [options(), *medium(0, tall, DEPTH_KIND, belongs_to=1), *medium(1, PHOTO)],
            ("OPTION_INVALID", "media[0]"),
        ),
        (
            [options(), *medium(0, b"no picture at all")],
            ("MEDIA_UNREADABLE", "media[0]"),
        ),
    ]
    for messages, expected in cases:
        assert await refused(stub, messages) == expected


async def test_a_cancel_stops_within_one_frame(
    house: House, certificates: CertificatePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who leaves is not rendered for, and nothing of the call stays."""
    rendered: list[int] = []
    plain = Renderer.frame

    def counted(self: Renderer, *pose: object) -> np.ndarray:
        rendered.append(house.desk.leased_bytes)
        return plain(self, *pose)  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "frame", counted)
    long = options(seconds=60.0, rate=60.0)
    async with channel_to(house.address, certificates, "gateway") as channel:
        call = video_pb2_grpc.VideoServiceStub(channel).Animate(
            iter([long, *medium(0, PHOTO)]), timeout=30.0
        )
        async for response in call:
            if response.HasField("chunk"):
                break
        call.cancel()
        while house.desk.leased_bytes:
            await asyncio.sleep(0.01)
    made = len(rendered)

    assert 0 < made < 3600
    await asyncio.sleep(0.05)
    assert len(rendered) == made


def test_a_pipeline_names_its_engine(pipeline: VideoPipeline) -> None:
    """The start line of the service tells what runs the networks."""
    assert pipeline.engine == "fake"
