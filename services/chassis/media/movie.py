"""Films: frames and sound to fragmented MP4, piece by piece (PyAV: FFmpeg and x264)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.codec.context import ThreadType
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from services.chassis.media import containers
from services.chassis.media.clip import QUALITY_MAX
from services.chassis.media.likeness import liken
from services.chassis.media.sound import SAMPLES_PER_SECOND, Sound
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster import Raster

MP4: Final = "video/mp4"

FRAGMENT_MICROSECONDS: Final = 30_000
"""A fragment plays once it is whole, so one holds a frame or two; a header has about 100 bytes."""

CRF_WORST: Final = 51.0
CRF_PER_QUALITY: Final = 35 / 75
"""Quality 75 is x264's constant rate factor 16: differences that the eye doesn't find."""

X264: Final = {
    "preset": "superfast",
    # No picture waits for later ones, so that the first fragment leaves soon. The first frame, the
    # photo itself, is kept finer than the others. Colour is the mean of 2x2 pixels.
    "x264-params": "bframes=0:rc-lookahead=0:sync-lookahead=0:force-cfr=1:ipratio=6:chromaloc=1",
}

# ITU-T H.273: primaries and matrix of BT.709, curve of IEC 61966-2-1 (sRGB).
PRIMARIES_BT709: Final = 1
CURVE_SRGB: Final = 13
MATRIX_BT709: Final = 1
RANGE_LIMITED: Final = 1

KEY_FRAME_SECONDS: Final = 2.0
RATE_DENOMINATOR_MAX: Final = 1001
SOUND_BITS_PER_SECOND: Final = 160_000
SOUND_FRAME_SAMPLES: Final = 1024
WARM_UP_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What films are made with.

    Attributes:
        raster: turns pictures into the encoder's own form.
        threads: processor threads of the encoder.
    """

    raster: Raster
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieFormat:
    """What one film looks like.

    Attributes:
        height: rows, even.
        width: columns, even.
        frames_per_second: 12 to 60.
        quality: 1 (smallest) to 100 (best).
    """

    height: int
    width: int
    frames_per_second: float
    quality: int

    @property
    def rate(self) -> Fraction:
        """Frames in a second as a fraction: 29.97 is 30000/1001."""
        return Fraction(self.frames_per_second).limit_denominator(RATE_DENOMINATOR_MAX)


class MovieWriter:
    """Writes one film; what is finished can be taken at any time. Made by `open_movie`."""

    def __init__(
        self, made: MovieFormat, studio: Studio, arena: Arena, sound: Sound | None
    ) -> None:
        self._raster = studio.raster
        self._format = made
        self._pieces: list[bytes] = []
        self._planes = arena.array((made.height * 3 // 2, made.width), np.uint8)
        self._container = av.open(self, "w", format="mp4", options=container_options())
        self._video = self._add_video(studio.threads)
        self._sound = sound
        self._audio = self._add_audio() if sound else None
        self._frames = 0
        self._samples = 0

    def frame(self, picture: NDArray[np.uint8]) -> None:
        """Add the next frame; it is copied before this returns.

        The first one is what people hold against their photo, and may take a little longer.

        Args:
            picture: HxWx3 uint8, RGB, sRGB.
        """
        self._raster.to_nv12(picture, self._planes)
        if self._frames == 0:
            liken(picture, self._planes)
        frame = av.VideoFrame.from_ndarray(self._planes, format="nv12")
        frame.pts = self._frames
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        self._frames += 1
        self._container.mux(self._video.encode(frame))
        self._add_sound_until(self._frames / self._format.rate)

    def finish(self) -> None:
        """Add what the encoders still hold back; no frame may follow."""
        self._container.mux(self._video.encode())
        if self._audio is not None:
            self._container.mux(self._audio.encode())
        self._container.close()

    def take(self) -> bytes:
        """Take what has been finished since the last time, often nothing."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece

    def write(self, data: bytes) -> int:
        """Receive what FFmpeg writes."""
        self._pieces.append(bytes(data))
        return len(data)

    def close(self) -> None:
        """Let go of encoders and pieces, finished or not."""
        self._container.close()
        self._pieces.clear()

    def _add_video(self, threads: int) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._format.rate)
        stream.width, stream.height = self._format.width, self._format.height
        stream.pix_fmt = "nv12"
        context = stream.codec_context
        context.options = {**X264, "crf": f"{rate_factor(self._format.quality):.1f}"}
        # A frame is encoded while the next one is drawn.
        context.thread_count, context.thread_type = threads, ThreadType.FRAME
        context.gop_size = round(KEY_FRAME_SECONDS * self._format.frames_per_second)
        context.color_primaries, context.color_trc = PRIMARIES_BT709, CURVE_SRGB
        context.colorspace, context.color_range = MATRIX_BT709, RANGE_LIMITED
        return stream

    def _add_audio(self) -> av.AudioStream:
        stream = self._container.add_stream("aac", rate=SAMPLES_PER_SECOND)
        stream.layout = "stereo"
        stream.bit_rate = SOUND_BITS_PER_SECOND
        return stream

    def _add_sound_until(self, seconds: Fraction) -> None:
        """Add the sound that belongs to the frames so far, in whole frames of the encoder."""
        if self._audio is None or self._sound is None:
            return
        samples = self._sound.samples
        while self._samples < min(seconds * SAMPLES_PER_SECOND, samples.shape[1]):
            part = samples[:, self._samples : self._samples + SOUND_FRAME_SAMPLES]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(part), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts = SAMPLES_PER_SECOND, self._samples
            frame.time_base = Fraction(1, SAMPLES_PER_SECOND)
            self._samples += part.shape[1]
            self._container.mux(self._audio.encode(frame))


@contextmanager
def open_movie(
    made: MovieFormat, studio: Studio, arena: Arena, sound: Sound | None = None
) -> Iterator[MovieWriter]:
    """Make a film in the block; leaving it frees all that the encoders hold.

    Args:
        made: size, rate and quality.
        studio: what it is made with.
        arena: where the encoder's planes go.
        sound: what is heard, cut off where the frames end.
    """
    writer = MovieWriter(made, studio, arena, sound)
    try:
        yield writer
    finally:
        writer.close()


def warm_up(studio: Studio) -> bytes:
    """Make a short film with sound, and keep FFmpeg out of the log; return the film.

    Call it once at start-up: FFmpeg sets up parts of itself when they are first used.
    """
    containers.keep_quiet()
    side, made = 64, b""
    with Budget(WARM_UP_BYTES).lease(0) as arena:
        sound = Sound(samples=arena.array((2, SAMPLES_PER_SECOND // 2), np.float32))
        film = MovieFormat(height=side, width=side, frames_per_second=30, quality=50)
        with open_movie(film, studio, arena, sound) as writer:
            for _ in range(15):
                writer.frame(arena.array((side, side, 3), np.uint8))
                made += writer.take()
            writer.finish()
            made += writer.take()
    return made


def rate_factor(quality: int) -> float:
    """Turn a quality of 1 to 100 into x264's constant rate factor."""
    return CRF_WORST - CRF_PER_QUALITY * min(quality, QUALITY_MAX)


def container_options() -> dict[str, str]:
    """Ask for fragments that play while they arrive (ISO/IEC 14496-12, movie fragments).

    The header waits for the first fragment, since only then it is known where the sound begins.
    """
    return {
        "movflags": "empty_moov+default_base_moof+delay_moov",
        "frag_duration": str(FRAGMENT_MICROSECONDS),
        "flush_packets": "1",
        # No time of making and no name of a program.
        "fflags": "+bitexact",
    }
