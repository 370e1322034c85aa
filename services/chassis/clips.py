"""Clips in the chunk protocol: how one is wanted, and sending it while it is made."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchpix.media.v1 import media_pb2
from services.chassis.calls import Call
from services.chassis.errors import InvalidRequestError, Reason, Stopped
from services.chassis.media import clip, headers, image
from services.chassis.media.clip import ClipFormat, Container
from services.chassis.media.movie import MP4, MovieFormat, MovieWriter, Studio, open_movie
from services.chassis.media.sound import Sound
from services.chassis.telemetry import Stage

Frames: TypeAlias = Iterator[NDArray[np.uint8]]

CONTAINERS = {
    media_pb2.ClipFormat.CONTAINER_UNSPECIFIED: Container.FRAGMENTED_MP4,
    media_pb2.ClipFormat.CONTAINER_FRAGMENTED_MP4: Container.FRAGMENTED_MP4,
    media_pb2.ClipFormat.CONTAINER_FRAMES: Container.FRAMES,
}
CHANNELS_WITH_ALPHA = 4
# What is made leaves frame by frame until so much of the clip has left, and in portions as long as
# that later: a player starts soon, and fewer messages carry the rest.
PORTION_SECONDS = 0.2


def read_clip_format(message: media_pb2.ClipFormat, frames_max: int) -> ClipFormat:
    """Take over how a clip is wanted, with the defaults, and hold it to its ranges.

    Args:
        message: what the caller sent.
        frames_max: most frames of one clip.

    Raises:
        InvalidRequestError: a value out of range, or sizes of single pictures.
        LimitError: more frames than one clip may have.
    """
    if message.container not in CONTAINERS:
        raise InvalidRequestError(
            Reason.OPTION_INVALID, "no such container", field="options.format.container"
        )
    if message.frames.long_side_pixels_max:
        raise InvalidRequestError(
            Reason.OPTION_INVALID,
            "the size of frames is that of the clip",
            field="options.format.frames.long_side_pixels_max",
        )
    wanted = ClipFormat(
        container=CONTAINERS[message.container],
        seconds=message.seconds or clip.SECONDS_DEFAULT,
        frames_per_second=message.frames_per_second or clip.RATE_DEFAULT,
        width_pixels=message.width_pixels,
        height_pixels=message.height_pixels,
        quality=message.quality or clip.QUALITY_DEFAULT,
        frame_media_type=message.frames.media_type or headers.JPEG,
        frame_quality=message.frames.quality or clip.FRAME_QUALITY_DEFAULT,
    )
    wanted.check()
    wanted.require_frames(frames_max)
    return wanted


async def send_clip(
    call: Call,
    wanted: ClipFormat,
    size: tuple[int, int],
    frames: Frames,
    *,
    studio: Studio,
    belongs_to: int,
    sound: Sound | None = None,
) -> None:
    """Send a clip while its frames are made; a cancel is obeyed before the next frame.

    Args:
        call: whom it is sent to.
        wanted: how it is encoded.
        size: rows and columns of its frames, even numbers.
        frames: `wanted.frame_count` arrays HxWx3 uint8 RGB, made on a worker thread when they are
            asked for; each is used up before the next is asked for, so they may share memory.
            Single pictures may have a fourth channel, their opacity.
        studio: what an MP4 is made with.
        belongs_to: index of the uploaded medium that the clip is made from.
        sound: what is heard; single pictures leave it out.
    """
    start = media_pb2.MediaStart(
        belongs_to=belongs_to,
        height_pixels=size[0],
        width_pixels=size[1],
        frames_per_second=wanted.frames_per_second,
    )
    if wanted.container is Container.FRAMES:
        start.kind, start.media_type = media_pb2.MEDIA_KIND_FRAME, wanted.frame_media_type
        with closed(frames):
            await send_frames(call, wanted, frames, start)
        return
    start.kind, start.media_type = media_pb2.MEDIA_KIND_CLIP, MP4
    start.frame_count = wanted.frame_count
    made = MovieFormat(
        height=size[0],
        width=size[1],
        frames_per_second=wanted.frames_per_second,
        quality=wanted.quality,
    )
    memory = call.arena.scope()
    with memory, open_movie(made, studio, call.arena, sound) as writer, closed(frames):
        await send_movie(call, frames, writer, start)


@contextmanager
def closed(frames: Frames) -> Iterator[None]:
    """Let go of a generator's memory when the block is left, not when it is collected.

    A generator that is stopped between two frames holds scopes of the call's memory open.
    """
    try:
        yield
    finally:
        if isinstance(frames, Generator):
            frames.close()


async def send_movie(
    call: Call, frames: Frames, writer: MovieWriter, start: media_pb2.MediaStart
) -> None:
    """Send a film piece by piece."""
    done, portion = 0, max(round(PORTION_SECONDS * start.frames_per_second), 1)

    def film() -> bytes:
        """Make frames until a portion is finished; nothing = the film is."""
        nonlocal done
        for picture in obedient(frames, call):
            writer.frame(picture)
            done += 1
            due = done <= portion or done % portion == 0
            if due and (piece := writer.take()):
                return piece
        if done >= 0:
            writer.finish()
            done = -1
        return writer.take()

    piece = await call.compute(Stage.RENDER, film)
    outlet = await call.open_result(start)
    while piece:
        await outlet.send(memoryview(piece))
        made = start.frame_count if done < 0 else done
        await call.progress(media_pb2.STAGE_RENDER, made, start.frame_count)
        piece = await call.compute(Stage.RENDER, film)
    await outlet.close()


async def send_frames(
    call: Call, wanted: ClipFormat, frames: Frames, start: media_pb2.MediaStart
) -> None:
    """Send a clip as single pictures."""

    def draw() -> NDArray[np.uint8] | None:
        return next(obedient(frames, call), None)

    done = 0
    while (picture := await call.compute(Stage.RENDER, draw)) is not None:
        with call.arena.scope():
            encoded = await call.compute(Stage.ENCODE, encode_frame, picture, wanted, call)
            await call.result(start, encoded)
        done += 1
        await call.progress(media_pb2.STAGE_RENDER, done, wanted.frame_count)


def encode_frame(picture: NDArray[np.uint8], wanted: ClipFormat, call: Call) -> memoryview:
    """Encode one frame as a picture of its own."""
    alpha = None
    if picture.shape[2] == CHANNELS_WITH_ALPHA:
        alpha = np.ascontiguousarray(picture[:, :, 3])
    pixels = np.ascontiguousarray(picture[:, :, :3])
    return image.encode(pixels, alpha, wanted.frame_media_type, wanted.frame_quality, call.arena)


def obedient(frames: Frames, call: Call) -> Frames:
    """Ask for frames only while somebody waits for them.

    Raises:
        Stopped: nobody does.
    """
    while not call.cancelled.is_set():
        picture = next(frames, None)
        if picture is None:
            return
        yield picture
    raise Stopped
