"""Options of clips and try-ons, of any content, for what holds them to their ranges."""

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from batchpix.dance.v1 import dance_pb2
from batchpix.tryon.v1 import tryon_pb2
from batchpix.video.v1 import video_pb2
from services.chassis.clips import read_clip_format
from services.chassis.errors import MeshError
from services.chassis.media import clip
from services.chassis.media.clip import ClipFormat, Container
from services.chassis.media.headers import ALLOWED_MEDIA_TYPES
from services.dance.servicer import read_wish
from services.dance.stage import Background
from services.tryon.servicer import GARMENTS_MAX, read_manner
from services.video.camera import CameraPath
from services.video.servicer import read_shot
from tests.fuzz.files import sources

MessageT = TypeVar("MessageT", bound=Message)

UINT32_MAX, UINT64_MAX = (1 << 32) - 1, (1 << 64) - 1
FLOATS = (
    *(0.0, -0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 12.0, 24.0, 30.0, 60.0, 120.0, 359.0),
    *(-1.0, -30.0, 1e-30, 1e30, -1e30, 3.4e38, 61.0, 3600.0),
    *(math.inf, -math.inf, math.nan),
)
INTEGERS = (0, 0, 1, 2, 3, 15, 16, 50, 100, 101, 640, 720, 3840, 3841, UINT32_MAX)
TEXTS = ("", "image/jpeg", "image/png", "image/webp", "image/gif", "floss", "two_step", "\0", "é")
MANY_MAX = 70  # more than any list of the contract takes
SET_SHARE = 0.4


def filled(kind: type[MessageT], source: Random) -> MessageT:
    """Fill a message of any kind, some of its fields, often with what lies at the edges."""
    message = kind()
    share = source.choice((SET_SHARE, SET_SHARE, 1.0, 0.1))
    for field in message.DESCRIPTOR.fields:
        if source.random() > share:
            continue
        if field.is_repeated:
            target = getattr(message, field.name)
            for _ in range(source.choice((1, 2, 2, 3, 8, 9, MANY_MAX))):
                target.append(value_of(field, source))
        elif field.message_type is not None:
            inner = filled(field.message_type._concrete_class, source)
            getattr(message, field.name).CopyFrom(inner)
        else:
            setattr(message, field.name, value_of(field, source))
    if isinstance(message, video_pb2.AnimateOptions) and source.random() < SET_SHARE:
        put_in_order(message)
    return message


def put_in_order(options: video_pb2.AnimateOptions) -> None:
    """Give key frames times that ascend, which chance hardly ever does."""
    options.camera = video_pb2.CAMERA_PATH_KEY_FRAMES
    for place, frame in enumerate(options.key_frames):
        frame.time = place / max(len(options.key_frames) - 1, 1)


def value_of(field: FieldDescriptor, source: Random) -> object:
    """Choose a value for a field."""
    if field.message_type is not None:
        return filled(field.message_type._concrete_class, source)
    if field.enum_type is not None:
        return source.choice((*field.enum_type.values_by_number, 99, -1))
    choices: Mapping[int, Sequence[object]] = {
        FieldDescriptor.CPPTYPE_FLOAT: (*FLOATS, source.uniform(0, 1), source.uniform(-40, 70)),
        FieldDescriptor.CPPTYPE_DOUBLE: (*FLOATS, source.uniform(0, 1), source.uniform(-40, 70)),
        FieldDescriptor.CPPTYPE_BOOL: (False, True),
        FieldDescriptor.CPPTYPE_STRING: TEXTS,
        FieldDescriptor.CPPTYPE_UINT64: (0, 1, UINT64_MAX),
        FieldDescriptor.CPPTYPE_UINT32: INTEGERS,
    }
    return source.choice(choices[field.cpp_type])


def damaged(data: bytes, source: Random) -> bytes:
    """Put a few bytes in, now and then."""
    if source.random() > 0.2:
        return data
    place = source.randrange(len(data) + 1)
    return data[:place] + source.randbytes(source.randint(1, 6)) + data[place:]


def messages(kind: type[Message]) -> Callable[[Random], bytes]:
    """Make serialised messages of a kind."""
    return lambda source: damaged(filled(kind, source).SerializeToString(), source)


video_wishes = sources.map(messages(video_pb2.AnimateOptions))
tryon_wishes = sources.map(messages(tryon_pb2.TryOnOptions))
dance_wishes = sources.map(messages(dance_pb2.DanceOptions))


def check_video_wish(data: bytes) -> None:
    """Read options as video does: all in their ranges or a refusal.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    try:
        options = video_pb2.AnimateOptions.FromString(data)
    except DecodeError:
        return  # gRPC ends such a call before it reaches the service's code
    try:
        shot = read_shot(options)
        shot.check()
        wanted = read_clip_format(options.format, clip.FRAMES_MAX)
    except MeshError:
        return
    assert 0 <= shot.intensity <= 2
    assert 0 <= shot.depth_of_field <= 1
    assert shot.focus is None or all(0 <= part <= 1 for part in shot.focus)
    assert len(shot.living_regions) <= 8
    for region in shot.living_regions:
        assert 0 <= region.direction_degrees <= 360
        assert 0 < region.speed <= 1
    times = [frame.time for frame in shot.key_frames]
    assert times == sorted(set(times))
    assert bool(times) == (shot.path is CameraPath.KEY_FRAMES)
    assert all(-1 <= frame.pose.z <= 0.9 for frame in shot.key_frames)
    assert is_in_range(wanted)


def check_dance_wish(data: bytes) -> None:
    """Read options as dance does: all in their ranges or a refusal.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    try:
        options = dance_pb2.DanceOptions.FromString(data)
    except DecodeError:
        return
    try:
        wanted = read_clip_format(options.format, clip.FRAMES_MAX)
        wish = read_wish(options)
        wish.check(wanted)
    except MeshError:
        return
    assert wish.beats_per_minute == 0 or 40 <= wish.beats_per_minute <= 240
    assert 0 <= wish.intensity <= 2
    assert 0 <= wish.camera_push <= 0.3 + 1e-6
    assert 0 <= wish.colour <= 0xFFFFFF
    assert len(wish.moves) <= 32
    assert wish.person is None or all(0 <= part <= 1 for part in wish.person)
    if wish.background is Background.TRANSPARENT:
        assert wanted.container is Container.FRAMES
    assert is_in_range(wanted)


def check_tryon_wish(data: bytes) -> None:
    """Read options as tryon does: all in their ranges or a refusal.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    try:
        options = tryon_pb2.TryOnOptions.FromString(data)
    except DecodeError:
        return
    try:
        manner = read_manner(options)
        manner.check()
    except MeshError:
        return
    assert all(0 <= index < GARMENTS_MAX for index in manner.hints)
    assert manner.person is None or all(0 <= part <= 1 for part in manner.person)
    assert 1 <= manner.quality <= 100
    assert manner.long_side_pixels_max == 0 or 16 <= manner.long_side_pixels_max <= 16_384
    assert manner.media_type in {"", *ALLOWED_MEDIA_TYPES}


def is_in_range(wanted: ClipFormat) -> bool:
    """Hold what was let through to the published ranges."""
    sides = (wanted.width_pixels, wanted.height_pixels)
    height, width = wanted.size_for(40, 30_000)
    return (
        1 <= wanted.seconds <= 60
        and 12 <= wanted.frames_per_second <= 60
        and 1 <= wanted.frame_count <= clip.FRAMES_MAX
        and all(side == 0 or 16 <= side <= 3840 for side in sides)
        and 1 <= wanted.quality <= 100
        and 1 <= wanted.frame_quality <= 100
        and height % 2 == width % 2 == 0
        and 16 <= min(height, width) <= max(height, width) <= 3840
    )
