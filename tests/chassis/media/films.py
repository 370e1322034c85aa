"""Films and sounds for tests, made here."""

import io
import wave
from collections.abc import Iterable

import av
import numpy as np
from numpy.typing import NDArray

from services.chassis.media.movie import MovieFormat, Studio, open_movie
from services.chassis.media.sound import SAMPLES_PER_SECOND, Sound
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster

STUDIO = Studio(raster=CpuRaster(1), threads=1)
FORMAT = MovieFormat(height=64, width=96, frames_per_second=30.0, quality=90)
CLICK_SAMPLES = 200


def scene(place: int) -> NDArray[np.uint8]:
    """Draw a smooth scene in which a bright bar stands at a place: 64x96x3."""
    rows, columns = np.mgrid[:64, :96]
    picture = np.dstack([rows * 3, columns * 2, np.full_like(rows, 90)]).astype(np.uint8)
    picture[:, place : place + 8] = 250
    return picture


def film(
    pictures: Iterable[NDArray[np.uint8]],
    sound: Sound | None = None,
    made: MovieFormat = FORMAT,
) -> list[bytes]:
    """Make a film and keep it in the pieces in which it came."""
    pieces = []
    with Budget(1 << 26).lease(0) as arena, open_movie(made, STUDIO, arena, sound) as writer:
        for picture in pictures:
            writer.frame(picture)
            pieces.append(writer.take())
        writer.finish()
        pieces.append(writer.take())
    return [piece for piece in pieces if piece]


def plainly_decoded(data: bytes) -> list[NDArray[np.uint8]]:
    """Decode all frames as HxWx3 RGB without asking for any care."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def clicks(seconds: float, every_seconds: float) -> Sound:
    """Make a sound of short clicks."""
    samples = np.zeros((2, int(seconds * SAMPLES_PER_SECOND)), np.float32)
    for start in range(0, samples.shape[1], int(every_seconds * SAMPLES_PER_SECOND)):
        samples[:, start : start + CLICK_SAMPLES] = 0.5
    return Sound(samples=samples)


def click_places(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Find where clicks begin, in seconds."""
    loud = np.abs(samples[0]) > 0.2
    starts = np.flatnonzero(loud & ~np.roll(loud, 1))
    apart = np.diff(starts, prepend=-SAMPLES_PER_SECOND) > SAMPLES_PER_SECOND // 20
    return starts[apart] / SAMPLES_PER_SECOND


def wav(sound: Sound) -> bytes:
    """Write a sound as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLES_PER_SECOND)
        writer.writeframes((sound.samples.T * 32767).astype("<i2").tobytes())
    return file.getvalue()
