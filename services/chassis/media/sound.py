"""Sound files: encoded bytes to samples in the arena (PyAV: FFmpeg)."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media import containers
from services.chassis.memory.arena import Arena

SAMPLES_PER_SECOND: Final = 48_000
CHANNELS: Final = 2
# Converting costs by the ratio of the rates: a claim of 1.8 GHz was computed for minutes, one of
# 1 Hz makes 48,000 samples of each.
RATES_HZ: Final = range(4_000, 384_001)
CHANNELS_MAX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Decoded sound; the memory belongs to the arena it was decoded into.

    Attributes:
        samples: 2xN float32, left and right, -1..1, 48,000 a second.
    """

    samples: NDArray[np.float32]

    @property
    def seconds(self) -> float:
        """Length."""
        return float(self.samples.shape[1]) / SAMPLES_PER_SECOND


def decode_sound(
    data: memoryview, declared_media_type: str, seconds_max: float, arena: Arena
) -> Sound:
    """Decode the beginning of a sound file, or of a film's sound.

    Args:
        data: the whole file.
        declared_media_type: what the caller says it is; empty to go by the bytes alone.
        seconds_max: nothing is read beyond.
        arena: where the samples go.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED, MEDIA_TYPE_MISMATCH or MEDIA_UNREADABLE: no
            sound in it, or none that can be decoded.
    """
    samples = arena.array((CHANNELS, int(seconds_max * SAMPLES_PER_SECOND)), np.float32)
    with containers.open_media(data, declared_media_type) as container:
        if not container.streams.audio:
            raise no_sound()
        filled = fill(container, samples)
    if not filled:
        raise no_sound()
    return Sound(samples=samples[:, :filled])


def fill(container: av.container.InputContainer, samples: NDArray[np.float32]) -> int:
    """Decode until the samples are full or the sound ends; return how many were filled."""
    filled, room = 0, samples.shape[1]
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLES_PER_SECOND)
    for decoded in containers.frames(container, container.streams.audio[0], av.AudioFrame):
        if decoded.sample_rate not in RATES_HZ or decoded.layout.nb_channels > CHANNELS_MAX:
            raise containers.unreadable()
        # Broken files give times that run backwards; the samples alone count.
        decoded.pts = None
        # A broken file may claim a form of samples that nobody can convert.
        for frame in containers.attempt(partial(resampler.resample, decoded)):
            part = frame.to_ndarray()[:, : room - filled]
            np.nan_to_num(part, copy=False, posinf=1.0, neginf=-1.0)
            samples[:, filled : filled + part.shape[1]] = np.clip(part, -1.0, 1.0)
            filled += part.shape[1]
        if filled == room:
            break
    return filled


def no_sound() -> InvalidRequestError:
    """Refuse a file that can't be heard."""
    return InvalidRequestError(Reason.MEDIA_UNREADABLE, "the file holds no sound that can be read")
