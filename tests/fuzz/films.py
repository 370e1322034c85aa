"""Files of film and sound, damaged, for their readers."""

import io
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

import av
import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import MeshError
from services.chassis.media.movie import MovieFormat
from services.chassis.media.reel import ReelLimits, read_reel
from services.chassis.media.sound import SAMPLES_PER_SECOND, Sound, decode_sound
from services.chassis.memory.arena import Budget
from tests.chassis.media import films
from tests.fuzz import files

LIMITS = ReelLimits(seconds_max=2.0, frames_per_second=15.0, long_side_pixels=64)
SOUND_SECONDS_MAX = 1.0
BUDGET_BYTES = 1 << 26
SOUND_CODECS = (("ogg", "libopus"), ("flac", "flac"), ("mp3", "libmp3lame"), ("mp4", "aac"))
NEAR_START_SHARE = 0.6
NEAR_START_BYTES = 900
FORMAT = MovieFormat(height=32, width=48, frames_per_second=15.0, quality=50)
FRAMES = 12
PIECES = (
    *files.PIECES[:4],
    b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"stsd", b"stts", b"stsc",
    b"stsz", b"stco", b"co64", b"avc1", b"avcC", b"mp4a", b"esds", b"moof", b"mfhd", b"traf",
    b"tfhd", b"tfdt", b"trun", b"mdat", b"dref", b"url ", b"http://127.0.0.1/", b"file:/etc/passwd",
    b"RIFF", b"WAVE", b"fmt ", b"data", b"LIST", b"fLaC", b"OggS", b"ID3\x04\x00", b"\xff\xfb\x90",
    b"\x1a\x45\xdf\xa3", b"\x00\x00\x00\x01\x67", b"\x00\x00\x00\x01\x68", b"\x00\x00\x01\x65",
)  # fmt: skip
MEDIA_TYPES = ("",) * 6 + ("video/mp4", "audio/wav", "video/webm", "audio/mpeg", "x")


@cache
def whole_files() -> tuple[bytes, ...]:
    """Make small files that can be read: film with and without sound, and sounds."""
    shown = [np.ascontiguousarray(films.scene(4 * place)[:32, :48]) for place in range(FRAMES)]
    sound = films.clicks(0.5, 0.2)
    return (
        b"".join(films.film(shown, made=FORMAT)),
        b"".join(films.film(shown, sound, made=FORMAT)),
        films.wav(sound),
        *(recording(sound, container, codec) for container, codec in SOUND_CODECS),
        webm(shown),
    )


def recording(sound: Sound, container: str, codec: str) -> bytes:
    """Write a sound in another format than WAV."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=SAMPLES_PER_SECOND)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound.samples), format="fltp", layout="stereo"
        )
        frame.sample_rate = SAMPLES_PER_SECOND
        # Encoders want frames of their own form and size.
        into = av.AudioResampler(format=stream.format, layout="stereo", rate=SAMPLES_PER_SECOND)
        fifo = av.AudioFifo()
        for part in into.resample(frame):
            fifo.write(part)
        for part in fifo.read_many(stream.frame_size or SAMPLES_PER_SECOND, partial=True):
            file.mux(stream.encode(part))
        file.mux(stream.encode())
    return target.getvalue()


def webm(pictures: Sequence[NDArray[np.uint8]]) -> bytes:
    """Write pictures as a film in VP9."""
    target = io.BytesIO()
    with av.open(target, "w", format="webm") as file:
        stream = file.add_stream("libvpx-vp9", rate=int(FORMAT.frames_per_second))
        stream.width, stream.height, stream.pix_fmt = FORMAT.width, FORMAT.height, "yuv420p"
        stream.options = {"cpu-used": "8", "deadline": "realtime"}
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        file.mux(stream.encode())
    return target.getvalue()


def damaged(source: Random) -> bytes:
    """Damage a whole file a few times, most often once."""
    data = source.choice(whole_files())
    for _ in range(source.choice((0, 1, 1, 1, 2, 4))):
        place = source.randrange(len(data) + 1)
        if source.random() < NEAR_START_SHARE:
            # What a file says of itself stands at its start.
            place = min(place, source.randrange(1, NEAR_START_BYTES))
        piece = source.choice((source.choice(PIECES), source.randbytes(source.randint(1, 4))))
        data = source.choice(files.DAMAGES)(data, place, piece)
    return data


damaged_films = files.sources.map(lambda source: (damaged(source), source.choice(MEDIA_TYPES)))


def check_film(data: bytes, media_type: str) -> None:
    """Read a file as film and as sound: what is told or a refusal, and no memory kept.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    check(lambda: read_frames(data, media_type))
    check(lambda: read_sound(data, media_type))


def check(read: Callable[[], None]) -> None:
    """Read, or be refused."""
    try:
        read()
    except MeshError:
        return


def read_frames(data: bytes, media_type: str) -> None:
    """Read all frames: of one size, and no more than the limits let through."""
    budget = Budget(BUDGET_BYTES)
    count, shapes = 0, set()
    try:
        with budget.lease(0) as arena:
            for frame in read_reel(memoryview(data), media_type, LIMITS, arena):
                count += 1
                shapes.add(frame.shape)
    finally:
        assert budget.leased_bytes == 0
    assert len(shapes) <= 1
    assert all(max(shape) <= LIMITS.long_side_pixels for shape in shapes)
    assert count <= LIMITS.seconds_max * LIMITS.frames_per_second + 1


def read_sound(data: bytes, media_type: str) -> None:
    """Read the sound: numbers in their range, and no more than was asked for."""
    budget = Budget(BUDGET_BYTES)
    try:
        with budget.lease(0) as arena:
            sound = decode_sound(memoryview(data), media_type, SOUND_SECONDS_MAX, arena)
            assert 0 < sound.samples.shape[1] <= SOUND_SECONDS_MAX * SAMPLES_PER_SECOND
            assert bool((np.abs(sound.samples) <= 1.0).all())
    finally:
        assert budget.leased_bytes == 0
