"""Beats are found where they are, or counted; what has none is refused."""

import numpy as np
import pytest

from services.chassis.errors import InvalidRequestError
from services.dance.beats import beats_of, counted_beats
from tests.dance.sounds import RATE, clicks


@pytest.mark.parametrize("tempo", [90.0, 120.0, 140.0])
def test_clicks_are_found_within_20_milliseconds(tempo: float) -> None:
    """Each beat lies on a click, and the tempo is theirs."""
    samples, beats = clicks(tempo, 15.0)
    grid = beats_of(samples, RATE, 15.0, 0.0, "media[0]")
    inside = grid.times[(grid.times > 0.2) & (grid.times < beats[-1] + 0.1)]
    away = np.abs(inside[:, None] - beats).min(axis=1)

    assert abs(grid.tempo - tempo) < 1.0
    assert away.max() < 0.02


def test_a_beat_goes_on_over_a_clip_that_is_longer_than_its_music() -> None:
    """Beats reach from before the clip's start to after its end, evenly."""
    samples, _ = clicks(120.0, 6.0)
    grid = beats_of(samples, RATE, 12.0, 0.0, "media[0]")

    assert grid.times[0] <= 0.0
    assert grid.times[-1] >= 12.0
    assert np.allclose(np.diff(grid.times), 0.5, atol=0.03)


def test_very_fast_music_is_danced_on_every_other_beat() -> None:
    """Nobody steps four times a second."""
    samples, _ = clicks(230.0, 10.0)

    assert beats_of(samples, RATE, 10.0, 0.0, "media[0]").tempo < 170.0


def test_a_tempo_that_the_caller_knows_is_kept() -> None:
    """Clicks twice a second are followed once a second where that was asked for."""
    samples, _ = clicks(120.0, 12.0)

    assert abs(beats_of(samples, RATE, 12.0, 60.0, "media[0]").tempo - 60.0) < 1.0


@pytest.mark.parametrize(
    ("seconds", "loudness"), [(10.0, 0.0), (10.0, 1e-5), (1.0, 1.0)], ids=["none", "faint", "short"]
)
def test_music_without_a_beat_is_refused(seconds: float, loudness: float) -> None:
    """Silence and snippets are named as what they are."""
    samples, _ = clicks(120.0, seconds)
    with pytest.raises(InvalidRequestError) as caught:
        beats_of(samples * np.float32(loudness), RATE, 4.0, 0.0, "media[1]")

    assert (caught.value.reason, caught.value.field) == ("MEDIA_UNREADABLE", "media[1]")


def test_times_and_beats_are_told_apart_between_beats_too() -> None:
    """Half way between two beats is half a beat."""
    grid = counted_beats(120.0, 4.0)

    assert np.allclose(grid.beat_at(np.array([0.0, 0.25, 3.0, 9.0])), [0.0, 0.5, 6.0, 18.0])
