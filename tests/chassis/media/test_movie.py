"""Films are written in fragments that play while they arrive, and read back as they were."""

import io
import struct

import av
import numpy as np

from services.chassis.media.sound import decode_sound
from services.chassis.memory.arena import Arena
from tests.chassis.media.films import FORMAT, click_places, clicks, film, plainly_decoded, scene


def boxes(data: bytes) -> list[str]:
    """List the top-level boxes of an MP4 (ISO/IEC 14496-12)."""
    names, place = [], 0
    while place < len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        names.append(name.decode())
        place += size
    return names


def test_a_film_comes_in_fragments() -> None:
    """The header stands first, each fragment is whole, and the first one leaves early."""
    pieces = film(scene(place) for place in range(30))
    names = boxes(b"".join(pieces))

    assert names[:2] == ["ftyp", "moov"]
    assert names.count("moof") == names.count("mdat") >= 4
    assert [boxes(piece)[-1] for piece in pieces[:-1]] == ["mdat"] * (len(pieces) - 1)


def test_the_first_fragment_is_one_frame() -> None:
    """It leaves as soon as the next frame is there, and opens as a film of its own."""
    drawn = [scene(place) for place in range(4)]
    first = film(drawn)[0]

    assert boxes(first) == ["ftyp", "moov", "moof", "mdat"]
    assert len(plainly_decoded(first)) == 1


def test_frames_come_back() -> None:
    """Every frame is there, in order, and looks as it did."""
    drawn = [scene(2 * place) for place in range(20)]
    seen = plainly_decoded(b"".join(film(drawn)))

    assert len(seen) == len(drawn)
    errors = [np.mean((a - b.astype(float)) ** 2) for a, b in zip(seen, drawn, strict=True)]
    assert max(errors) < 20.0


def test_a_film_says_what_its_colours_mean() -> None:
    """BT.709 with the curve of sRGB, limited range, and the rate that was asked for."""
    with av.open(io.BytesIO(b"".join(film([scene(3)] * 3)))) as container:
        context = container.streams.video[0].codec_context
        found = (
            context.color_primaries,
            context.color_trc,
            context.colorspace,
            context.color_range,
        )

        assert found == (1, 13, 1, 1)
        assert container.streams.video[0].average_rate == FORMAT.rate


def test_sound_keeps_its_time(arena: Arena) -> None:
    """Clicks come back within three milliseconds of where they were, and end with the frames."""
    sound = clicks(3.0, every_seconds=0.4)
    data = b"".join(film((scene(place) for place in range(45)), sound))
    heard = decode_sound(memoryview(data), "video/mp4", 60.0, arena)
    places = click_places(heard.samples)

    np.testing.assert_allclose(places, np.arange(4) * 0.4, atol=0.003)
    assert abs(heard.seconds - 1.5) < 0.03


def test_the_same_frames_make_the_same_bytes() -> None:
    """No time of making, no name of a machine."""
    assert film([scene(5)] * 5) == film([scene(5)] * 5)
