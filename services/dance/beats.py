"""When the beats are: found in music, or counted.

Beats are found by onset strength and dynamic programming: Ellis, "Beat Tracking by Dynamic
Programming" (2007). The libraries that do the same can't be loaded where no file may be written, or
are under licences that this project can't take over.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason

Samples: TypeAlias = NDArray[np.float32]
Times: TypeAlias = NDArray[np.float64]
Strength: TypeAlias = NDArray[np.float64]

TEMPO_DEFAULT = 120.0
TEMPO_MIN = 40.0
TEMPO_MAX = 240.0
# Slower or faster music is danced on every half, or on every other beat.
DANCED_TEMPO_MIN = 70.0
DANCED_TEMPO_MAX = 170.0
# Music that is nowhere louder than this holds nothing to dance to.
SILENCE = 1e-3
BEATS_MIN = 4
SECONDS_MIN = 2.0

# Spectra are taken over so many samples, so many samples apart.
WINDOW = 2048
HOP = 512
BANDS = 40
BAND_HERTZ_MIN = 40.0
BAND_HERTZ_MAX = 10_000.0
FRAMES_AT_ONCE = 512
# Softer sound than this, below the loudest, is silence.
DECIBELS = 80.0
# People tap about twice a second; tempi an octave from it are so much less likely.
OCTAVES = 0.9
# A rise is seen so long before the onset that makes it: the window's edge meets it first.
EARLY_SECONDS = 0.0105
# How much steadiness counts against strength.
TIGHTNESS = 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatGrid:
    """The beats of a clip.

    Attributes:
        times: seconds from the clip's start, rising, from at or before 0 to after its end.
        tempo: beats a minute.
    """

    times: Times
    tempo: float

    @property
    def beats(self) -> int:
        """How many there are."""
        return len(self.times)

    @property
    def beat_seconds(self) -> float:
        """From one beat to the next, on average."""
        return 60.0 / self.tempo

    def beat_at(self, seconds: Times) -> Times:
        """Return at which beat, and where between two, times are."""
        numbers = np.arange(len(self.times), dtype=np.float64)
        inside = np.interp(seconds, self.times, numbers)
        before = np.minimum(0.0, (seconds - self.times[0]) / self.beat_seconds)
        after = np.maximum(0.0, (seconds - self.times[-1]) / self.beat_seconds)
        return np.asarray(inside + before + after)


def counted_beats(tempo: float, seconds: float) -> BeatGrid:
    """Count beats of one tempo, from the clip's start on."""
    step = 60.0 / tempo
    times = np.arange(int(seconds / step) + 2, dtype=np.float64) * step
    return BeatGrid(times=times, tempo=tempo)


def beats_of(samples: Samples, rate: int, seconds: float, tempo: float, field: str) -> BeatGrid:
    """Find the beats of music.

    Args:
        samples: CxN, channels and samples, -1 to 1.
        rate: samples a second.
        seconds: length of the clip; beats go on beyond the end of shorter music.
        tempo: beats a minute if the caller knows them, or 0.
        field: path of the music in error details.

    Raises:
        InvalidRequestError: the music is silent, or too short to have a beat.
    """
    if samples.shape[1] < SECONDS_MIN * rate:
        message = f"music must last {SECONDS_MIN:g} seconds at least"
        raise InvalidRequestError(Reason.MEDIA_UNREADABLE, message, field=field)
    if float(np.abs(samples).max()) < SILENCE:
        raise InvalidRequestError(
            Reason.MEDIA_UNREADABLE, "the music is silent: there is no beat in it", field=field
        )
    strength = onset_strength(samples, rate)
    frames_per_second = rate / HOP
    period = frames_per_second * 60.0 / (tempo or tempo_of(strength, frames_per_second))
    times = track(strength, period) / frames_per_second + EARLY_SECONDS
    if len(times) < BEATS_MIN:
        return counted_beats(tempo or TEMPO_DEFAULT, seconds)
    return continued(times if tempo else danceable(times), seconds)


def onset_strength(samples: Samples, rate: int) -> Strength:
    """Tell how much louder bands of the spectrum get, one value for every `HOP` samples.

    The value of a frame belongs to the middle of its window.
    """
    padded = np.pad(samples.mean(axis=0), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window, bands = np.hanning(WINDOW).astype(np.float32), band_weights(rate)
    energy = np.concatenate(
        [
            np.abs(np.fft.rfft(frames[start : start + FRAMES_AT_ONCE] * window, axis=1)) ** 2
            @ bands
            for start in range(0, len(frames), FRAMES_AT_ONCE)
        ]
    )
    decibels = 10.0 * np.log10(np.maximum(energy, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - DECIBELS)
    rises = np.maximum(0.0, np.diff(decibels, axis=0, prepend=decibels[:1])).mean(axis=1)
    return np.asarray(rises / max(float(rises.std()), 1e-9))


def band_weights(rate: int) -> NDArray[np.float64]:
    """Return how frequencies share in bands that overlap, FxB; bands are as wide as ears hear."""
    frequencies = np.fft.rfftfreq(WINDOW, 1 / rate)
    edges = np.interp(
        np.linspace(mel(BAND_HERTZ_MIN), mel(BAND_HERTZ_MAX), BANDS + 2),
        mel(frequencies),
        frequencies,
    )
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    away = frequencies[:, None]
    rising = (away - low) / (middle - low)
    falling = (high - away) / (high - middle)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(weights * (2.0 / (high - low)))


def mel(hertz: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Return how high a tone sounds, on the mel scale (O'Shaughnessy, 1987)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))


def tempo_of(strength: Strength, frames_per_second: float) -> float:
    """Find the tempo at which onsets repeat, in beats a minute."""
    size = 2 ** int(np.ceil(np.log2(2 * len(strength))))
    spectrum = np.fft.rfft(strength - strength.mean(), size)
    repeats = np.fft.irfft(np.abs(spectrum) ** 2)
    lags = np.arange(
        int(frames_per_second * 60 / TEMPO_MAX),
        min(int(frames_per_second * 60 / TEMPO_MIN), len(strength) - 1) + 1,
    )
    octaves = np.log2(frames_per_second * 60 / lags / TEMPO_DEFAULT)
    likely = repeats[lags] * np.exp(-0.5 * (octaves / OCTAVES) ** 2)
    best = int(np.argmax(likely))
    return float(frames_per_second * 60 / (lags[best] + vertex(likely, best)))


def vertex(values: Strength, place: int) -> float:
    """Return how far a peak lies off the sample that is highest, by a parabola."""
    if not 0 < place < len(values) - 1:
        return 0.0
    before, here, after = values[place - 1 : place + 2]
    bend = before - 2 * here + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0


def track(strength: Strength, period: float) -> Times:
    """Choose the frames of the beats: strong onsets, as evenly apart as can be.

    Args:
        strength: of onsets.
        period: frames from one beat to the next.
    """
    spread = np.arange(-round(period), round(period) + 1)
    blur = np.exp(-0.5 * (spread * 32.0 / period) ** 2)
    local = np.convolve(strength, blur, mode="same")
    gaps = np.arange(max(1, round(period / 2)), round(2 * period) + 1)
    penalty = -TIGHTNESS * np.log(gaps / period) ** 2
    best, before = local.copy(), np.full(len(local), -1)
    for frame in range(int(gaps[0]), len(local)):
        usable = gaps[gaps <= frame]
        score = best[frame - usable] + penalty[: len(usable)]
        choice = int(np.argmax(score))
        if score[choice] > 0.0:
            best[frame] += score[choice]
            before[frame] = frame - usable[choice]
    last = len(best) - 1 - int(np.argmax(best[::-1][: max(1, round(period))]))
    beats = [last]
    while before[beats[-1]] >= 0:
        beats.append(int(before[beats[-1]]))
    return np.array([frame + vertex(local, frame) for frame in beats[::-1]])


def danceable(times: Times) -> Times:
    """Halve or double beats that are too far apart, or too near, to dance on."""
    tempo = 60.0 / float(np.median(np.diff(times)))
    if tempo < DANCED_TEMPO_MIN:
        places = np.arange(0, len(times) - 0.5, 0.5)
        return np.asarray(np.interp(places, np.arange(len(times)), times))
    return times[::2] if tempo > DANCED_TEMPO_MAX else times


def continued(times: Times, seconds: float) -> BeatGrid:
    """Go on counting before the first beat and after the last, over the whole clip."""
    step = float(np.median(np.diff(times)))
    before = np.arange(int(np.ceil(times[0] / step)), 0, -1)
    first = times[0] - before * step
    after = max(0, int(np.ceil((seconds - times[-1]) / step)) + 1)
    last = times[-1] + np.arange(1, after + 1) * step
    whole = np.concatenate([first, times, last])
    return BeatGrid(times=whole, tempo=60.0 / step)
