"""Sounds whose beats are known, and files of them."""

import wave
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
FIRST_SECONDS = 0.3


def clicks(tempo: float, seconds: float) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Make a click on every beat over soft noise: 2xN samples, and when the beats are."""
    rng = np.random.default_rng(1)
    samples = rng.normal(0.0, 0.002, (2, int(seconds * RATE))).astype(np.float32)
    beats = np.arange(FIRST_SECONDS, seconds - 0.2, 60.0 / tempo)
    click = 0.5 * np.exp(-np.arange(2400) / 400) * np.sin(np.arange(2400) * 0.2)
    for beat in beats:
        start = int(beat * RATE)
        samples[:, start : start + len(click)] += click.astype(np.float32)
    return samples, beats


def wav(samples: NDArray[np.float32]) -> bytes:
    """Write 2xN samples as a WAV file."""
    target = BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples.T * 32_767).astype("<i2").tobytes())
    return target.getvalue()
