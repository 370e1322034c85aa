"""Films and sounds of callers: read within limits, refused where they are broken."""

import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media.movie import MovieFormat
from services.chassis.media.reel import ReelLimits, read_reel
from services.chassis.media.sound import decode_sound
from services.chassis.memory.arena import Arena
from tests.chassis.media.films import click_places, clicks, film, scene, wav
from tests.fuzz import films

LIMITS = ReelLimits(seconds_max=10.0, frames_per_second=15.0, long_side_pixels=96)

# Reads the film on its standard input again and again, as a service does.
PROGRAM = """
import sys
from contextlib import suppress
from services.chassis.errors import InvalidRequestError
from services.chassis.media import containers
from services.chassis.media.reel import ReelLimits, read_reel
from services.chassis.memory.arena import Budget
containers.keep_quiet()
film = memoryview(sys.stdin.buffer.read())
limits = ReelLimits(seconds_max=10.0, frames_per_second=15.0, long_side_pixels=96)
for _ in range(40):
    with suppress(InvalidRequestError), Budget(1 << 26).lease(0) as arena:
        list(read_reel(film, "", limits, arena))
"""


@pytest.fixture(scope="module")
def movie() -> bytes:
    """Make one second of a bar that moves to the right."""
    return b"".join(film(scene(place) for place in range(30)))


def bar(picture: np.ndarray) -> float:
    """Find the middle of the bar."""
    columns = np.flatnonzero(picture.min(axis=(0, 2)) > 200)
    return float(columns.mean())


def test_frames_are_picked_at_the_rate_asked_for(movie: bytes, arena: Arena) -> None:
    """Half the rate gives every second frame."""
    places = [bar(picture) for picture in read_reel(memoryview(movie), "", LIMITS, arena)]

    np.testing.assert_allclose(places, np.arange(0, 30, 2) + 3.5, atol=0.6)


def test_frames_are_scaled_down(movie: bytes, arena: Arena) -> None:
    """The longer side fits the limit."""
    limits = ReelLimits(seconds_max=10.0, frames_per_second=15.0, long_side_pixels=48)
    first = next(read_reel(memoryview(movie), "video/mp4", limits, arena))

    assert first.shape == (32, 48, 3)


def test_a_film_that_is_too_long_is_refused(movie: bytes, arena: Arena) -> None:
    """The limit is told, and the film is not read to its end."""
    limits = ReelLimits(seconds_max=0.5, frames_per_second=15.0, long_side_pixels=48)
    with pytest.raises(LimitError) as refusal:
        list(read_reel(memoryview(movie), "", limits, arena))

    assert refusal.value.metadata == {"seconds_max": "0.5"}


def test_a_film_whose_frames_are_too_large_is_refused(arena: Arena) -> None:
    """Pixels are counted before memory is taken for them."""
    made = MovieFormat(height=2160, width=4160, frames_per_second=30.0, quality=1)
    large = b"".join(film([np.zeros((2160, 4160, 3), np.uint8)], made=made))
    with pytest.raises(LimitError) as refusal:
        list(read_reel(memoryview(large), "", LIMITS, arena))

    assert refusal.value.reason == Reason.PIXELS_TOO_MANY


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        (b"", "", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "", Reason.MEDIA_UNREADABLE),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "audio/mpeg", Reason.MEDIA_TYPE_MISMATCH),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "text/plain", Reason.MEDIA_TYPE_UNSUPPORTED),
        (b"RIFF\xff\xff\xff\x7fWAVEfmt " + bytes(20), "", Reason.MEDIA_UNREADABLE),
    ],
)
def test_what_is_no_film_is_refused(
    data: bytes, declared: str, reason: Reason, arena: Arena
) -> None:
    """Lists that name other files are never opened, broken files have one clear error."""
    with pytest.raises(InvalidRequestError) as refusal:
        list(read_reel(memoryview(data), declared, LIMITS, arena))

    assert refusal.value.reason == reason


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_a_film_that_is_cut_off_ends_in_our_own_error(
    movie: bytes, keep: float, arena: Arena
) -> None:
    """What is there is read or refused; nothing foreign comes up."""
    cut = memoryview(movie)[: int(len(movie) * keep)]
    with suppress(InvalidRequestError):
        assert len(list(read_reel(cut, "", LIMITS, arena))) <= 15


def test_a_film_in_a_codec_that_nobody_knows_is_refused(movie: bytes, arena: Arena) -> None:
    """A stream without a decoder is told as such before anything else is asked of it."""
    with pytest.raises(InvalidRequestError) as refusal:
        list(read_reel(memoryview(movie.replace(b"avc1", b"none")), "", LIMITS, arena))

    assert refusal.value.reason == Reason.MEDIA_TYPE_UNSUPPORTED


@pytest.mark.parametrize(
    ("table", "count_offset_bytes", "hidden_in"),
    [(b"trun", 8, b""), (b"stsz", 12, b""), (b"stts", 8, b""), (b"stsz", 12, b"udta")],
)
def test_a_film_that_claims_too_many_pictures_is_refused(
    table: bytes, count_offset_bytes: int, hidden_in: bytes, arena: Arena
) -> None:
    """Found by fuzzing and by reading: a small file that claims fifty million is not opened.

    Nor is it where the claim lies in a box that the standard has no tables in.
    """
    whole = films.whole_files()[0]
    if hidden_in:
        box = (count_offset_bytes + 8).to_bytes(4) + table + bytes(count_offset_bytes)
        whole += (len(box) + 8).to_bytes(4) + hidden_in + box
    place = whole.rindex(table) + count_offset_bytes
    claiming = whole[:place] + (0x03000000).to_bytes(4) + whole[place + 4 :]

    with pytest.raises(InvalidRequestError) as refusal:
        list(read_reel(memoryview(claiming), "", films.LIMITS, arena))
    assert refusal.value.reason == Reason.MEDIA_UNREADABLE


def test_a_track_of_a_number_below_zero_is_refused(arena: Arena) -> None:
    """Found by fuzzing: FFmpeg counted for eight seconds from such a number on."""
    whole = films.whole_files()[0]
    place = whole.index(b"tkhd") + 16
    claiming = whole[:place] + (0xFFFFFFFF).to_bytes(4) + whole[place + 4 :]

    with pytest.raises(InvalidRequestError) as refusal:
        list(read_reel(memoryview(claiming), "", films.LIMITS, arena))
    assert refusal.value.reason == Reason.MEDIA_UNREADABLE


def test_what_stands_in_media_data_claims_nothing(movie: bytes, arena: Arena) -> None:
    """Compressed pictures may hold the name of a table by chance: the film is read all the same."""
    chance = b"stsz" + b"\xff" * 16
    media = (len(chance) + 8).to_bytes(4) + b"mdat" + chance
    assert len(list(read_reel(memoryview(movie + media), "", LIMITS, arena))) > 0


def test_a_broken_film_locks_nothing_up(movie: bytes) -> None:
    """What decoder threads have to say of broken frames never makes anybody wait for them."""
    place = movie.index(b"mdat") + len(b"mdat")
    # The sizes that stand before each part of a frame now reach beyond the frame.
    broken = movie[:place] + movie[place:].replace(b"\0\0", b"\x7f\0")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=broken, capture_output=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_sound_is_decoded(arena: Arena) -> None:
    """A WAV's clicks stand where they were written."""
    heard = decode_sound(memoryview(wav(clicks(2.0, 0.5))), "audio/wav", 60.0, arena)

    np.testing.assert_allclose(click_places(heard.samples), [0.0, 0.5, 1.0, 1.5], atol=0.001)


def test_sound_is_read_up_to_its_limit(arena: Arena) -> None:
    """What lies beyond is left alone."""
    assert decode_sound(memoryview(wav(clicks(2.0, 0.5))), "", 0.75, arena).seconds == 0.75


def test_a_film_without_sound_has_none(movie: bytes, arena: Arena) -> None:
    """It is refused as music."""
    with pytest.raises(InvalidRequestError, match="no sound"):
        decode_sound(memoryview(movie), "", 60.0, arena)
