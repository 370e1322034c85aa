"""Reading films: encoded bytes to frames at a steady rate (PyAV: FFmpeg)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media import containers
from services.chassis.memory.arena import Arena

PIXELS_MAX: Final = 8_900_000
"""Pixels of a frame: 4K with a little room."""

FRAMES_READ_MAX: Final = 120 * 60
"""Frames that are decoded at most: a minute of 120 a second."""

QUARTERS: Final = 4
# Times in files are rounded.
TICK_ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReelLimits:
    """How much of a film is read.

    Attributes:
        seconds_max: a longer film is refused by its header; beyond it nothing is decoded.
        frames_per_second: frames are picked at this rate.
        long_side_pixels: frames are scaled down to it.
    """

    seconds_max: float
    frames_per_second: float
    long_side_pixels: int


def read_reel(
    data: memoryview, declared_media_type: str, limits: ReelLimits, arena: Arena
) -> Iterator[NDArray[np.uint8]]:
    """Read the frames of a film, upright, at a steady rate.

    Args:
        data: the whole file.
        declared_media_type: what the caller says it is; empty to go by the bytes alone.
        limits: what is read of it.
        arena: where the current frame goes.

    Yields:
        HxWx3 uint8 RGB in the arena, the same memory each time.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED, MEDIA_TYPE_MISMATCH or MEDIA_UNREADABLE.
        LimitError: PIXELS_TOO_MANY or FRAMES_TOO_MANY.
    """
    with containers.open_media(data, declared_media_type) as container:
        if not container.streams.video:
            raise InvalidRequestError(Reason.MEDIA_UNREADABLE, "the file holds no pictures")
        stream = container.streams.video[0]
        containers.require_codec(stream)
        require_size(stream, limits)
        stream.thread_type = "AUTO"
        target: NDArray[np.uint8] | None = None
        for frame in picked(container, stream, limits):
            pixels = upright(frame, limits.long_side_pixels)
            if target is None:
                target = arena.array(pixels.shape, np.uint8)
            if pixels.shape != target.shape:
                raise containers.unreadable()
            target[:] = pixels
            yield target


def picked(
    container: av.container.InputContainer, stream: av.VideoStream, limits: ReelLimits
) -> Iterator[av.VideoFrame]:
    """Pick the frame that is shown at each tick of the wanted rate."""
    ticks, start = 0, None
    for read, frame in enumerate(containers.frames(container, stream, av.VideoFrame)):
        if read >= FRAMES_READ_MAX:
            raise too_long(limits)
        require_pixels(frame.width, frame.height)
        seconds = frame.time if frame.time is not None else read / limits.frames_per_second
        start = seconds if start is None else start
        if seconds - start > limits.seconds_max:
            raise too_long(limits)
        while ticks <= (seconds - start) * limits.frames_per_second + TICK_ROUNDING:
            ticks += 1
            yield frame


def upright(frame: av.VideoFrame, long_side_pixels: int) -> NDArray[np.uint8]:
    """Scale a frame down and turn it as it is meant to be shown: HxWx3 uint8 RGB."""
    scale = min(1.0, long_side_pixels / max(frame.width, frame.height))
    width, height = max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)
    turns = round((frame.rotation or 0) / 90) % QUARTERS
    pixels = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.asarray(np.rot90(pixels, turns), np.uint8)


def require_size(stream: av.VideoStream, limits: ReelLimits) -> None:
    """Refuse by the header what is too large or too long."""
    require_pixels(stream.width, stream.height)
    if (stream.duration or 0) * (stream.time_base or 0) > limits.seconds_max:
        raise too_long(limits)


def require_pixels(width: int, height: int) -> None:
    """Refuse frames that are too large."""
    if not 0 < width * height <= PIXELS_MAX:
        raise LimitError(
            Reason.PIXELS_TOO_MANY,
            f"a frame of a film may have {PIXELS_MAX} pixels",
            metadata={"pixels_max": str(PIXELS_MAX)},
        )


def too_long(limits: ReelLimits) -> LimitError:
    """Refuse a film that is too long, and tell the limit."""
    return LimitError(
        Reason.FRAMES_TOO_MANY,
        f"a film may last {limits.seconds_max:g} seconds",
        metadata={"seconds_max": f"{limits.seconds_max:g}"},
    )
