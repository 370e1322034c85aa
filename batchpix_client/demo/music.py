"""Music for the demonstration, made here: a drum on each beat and a hi-hat between."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

SAMPLES_PER_SECOND = 22_050
DRUM_HZ = (120.0, 45.0)  # at the stroke, and where it falls to
DRUM_FALL_SECONDS = 0.03
DRUM_SECONDS = 0.25
HAT_SECONDS = 0.05
FADES = 5.0  # time constants within the length of a stroke
PEAK = 0.8
HAT_PEAK = 0.15
SAMPLE_MAX = 32_767


def make_music(beats_per_minute: float, seconds: float) -> bytes:
    """Play a steady beat.

    Returns:
        A WAV file, mono, 16 bits.
    """
    track = np.zeros(int(seconds * SAMPLES_PER_SECOND))
    beat = 60.0 / beats_per_minute
    for number in range(int(seconds / beat) + 1):
        add(track, drum(), number * beat)
        add(track, hat(), (number + 0.5) * beat)
    samples = (np.clip(track, -1.0, 1.0) * SAMPLE_MAX).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLES_PER_SECOND)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def add(track: NDArray[np.float64], stroke: NDArray[np.float64], seconds: float) -> None:
    """Mix a stroke into a track, cut off at its end."""
    start = int(seconds * SAMPLES_PER_SECOND)
    room = track[start : start + stroke.size]
    room += stroke[: room.size]


def drum() -> NDArray[np.float64]:
    """Make a stroke of a bass drum: a tone that falls and fades."""
    time = np.arange(0.0, DRUM_SECONDS, 1 / SAMPLES_PER_SECOND)
    high, low = DRUM_HZ
    pitch = low + (high - low) * np.exp(-time / DRUM_FALL_SECONDS)
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLES_PER_SECOND)
    return PEAK * tone * np.exp(-FADES * time / DRUM_SECONDS)


def hat() -> NDArray[np.float64]:
    """Make a stroke of a hi-hat: noise that fades at once."""
    time = np.arange(0.0, HAT_SECONDS, 1 / SAMPLES_PER_SECOND)
    noise = np.random.default_rng(0).uniform(-1.0, 1.0, time.size)
    return HAT_PEAK * noise * np.exp(-FADES * time / HAT_SECONDS)
