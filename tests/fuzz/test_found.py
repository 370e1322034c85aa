"""What fuzzing has found, each kept as a case; what it found of films is in `test_reel.py`."""

from random import Random

import pytest

from services.chassis.errors import InvalidRequestError, Reason
from services.dance.bvh import read_bvh
from tests.chassis.media import films as media_films
from tests.fuzz import films
from tests.fuzz.motions import whole_file


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Ended in a fault: the file breaks off within a list of channels.
        (b"CHANNELS 3 Zrotation", b"CHANNELS 99999999999 Zrotation"),
        (b"CHANNELS 3 Zrotation", b"CHANNELS -1 Zrotation"),
        # Sums of such places were no numbers.
        (b"OFFSET 10 -5 0", b"OFFSET 1e308 1e308 0"),
        (b"OFFSET 10 -5 0", b"OFFSET nan 0 0"),
        # Ended in a fault: an end that no joint has.
        (b"ROOT Hips\n", b"End Site\n"),
    ],
)
def test_a_motion_that_is_no_motion_is_refused(old: bytes, new: bytes) -> None:
    """The file is refused as unreadable, without a fault and without a number beyond all reach."""
    damaged = whole_file().replace(old, new, 1)
    assert damaged != whole_file()

    with pytest.raises(InvalidRequestError) as refusal:
        read_bvh(memoryview(damaged), "media[0]")
    assert refusal.value.reason == Reason.MEDIA_UNREADABLE


def test_a_motion_that_breaks_off_in_its_channels_is_refused() -> None:
    """The end of the file within a list is the end of a broken file."""
    whole = whole_file()
    with pytest.raises(InvalidRequestError):
        read_bvh(memoryview(whole[: whole.index(b"Zrotation") + 9]), "media[0]")


def test_a_sound_that_nobody_can_convert_is_refused() -> None:
    """Ended in a fault: the file claims a sound that FFmpeg finds no memory to resample."""
    source = Random(58599318985)
    data, media_type = films.damaged(source), source.choice(films.MEDIA_TYPES)

    with pytest.raises(InvalidRequestError) as refusal:
        films.read_sound(data, media_type)
    assert refusal.value.reason == Reason.MEDIA_UNREADABLE


@pytest.mark.parametrize("rate_hz", [1, 1_828_764_544])
def test_a_sound_of_a_rate_that_no_sound_has_is_refused(rate_hz: int) -> None:
    """Hung: a resampler's filter grows with the claimed rate, and its output as the rate falls."""
    whole = bytearray(media_films.wav(media_films.clicks(0.5, 0.2)))
    place = whole.index(b"fmt ") + 12
    whole[place : place + 4] = rate_hz.to_bytes(4, "little")

    with pytest.raises(InvalidRequestError) as refusal:
        films.read_sound(bytes(whole), "audio/wav")
    assert refusal.value.reason == Reason.MEDIA_UNREADABLE
