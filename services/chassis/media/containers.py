"""Files of sound and film: what may be opened, and opening it from memory alone (PyAV: FFmpeg).

FFmpeg reads some hundred formats, and some of them name other files and addresses. Only the
formats listed here are opened, each by its own reader, so that nothing is guessed from the bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, TypeVar

import av
import av.logging
from av.container import InputContainer

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media.claims import is_plausible

DEMUXERS: Final[Mapping[str, str]] = {
    "mp4": "mov",
    "webm": "matroska",
    "wav": "wav",
    "mp3": "mp3",
    "flac": "flac",
    "ogg": "ogg",
}
"""Kind of file -> FFmpeg's reader of it."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
    "audio/mp4": "mp4",
    "audio/x-m4a": "mp4",
    "video/webm": "webm",
    "audio/webm": "webm",
    "video/x-matroska": "webm",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/ogg": "ogg",
    "video/ogg": "ogg",
}
"""Internet media type -> kind of file."""

CODECS: Final = frozenset(
    {
        *("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mjpeg", "theora"),
        *("aac", "mp3", "mp3float", "flac", "vorbis", "opus", "alac"),
        *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_u8"),
    }
)
"""Decoders that a caller's bytes may reach."""

# Nothing of a file's tail or of its other streams is read to find out what it is.
PROBE: Final = {"probesize": "1000000", "analyzeduration": "2000000"}
# Each frame of an MP3 begins with eleven set bits.
MP3_SYNC: Final = 0xFFE0
UNREADABLE: Final = "the file can't be read as sound or film"
# What broken files make FFmpeg's bindings raise beside their own errors.
FOREIGN_ERRORS: Final = (av.FFmpegError, ValueError, OverflowError, MemoryError, LookupError)


T = TypeVar("T")
FrameT = TypeVar("FrameT", av.VideoFrame, av.AudioFrame)


class Source:
    """Call memory as a file to read; FFmpeg sees no other file."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._place = 0

    def read(self, size_bytes: int) -> bytes:
        """Read on."""
        piece = bytes(self._data[self._place : self._place + size_bytes])
        self._place += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; beyond the ends is the end."""
        start = (0, self._place, len(self._data))[whence]
        self._place = min(max(start + offset, 0), len(self._data))
        return self._place

    def tell(self) -> int:
        """Tell the place."""
        return self._place


@contextmanager
def open_media(data: memoryview, declared_media_type: str) -> Iterator[InputContainer]:
    """Open a file of sound or film.

    Args:
        data: the whole file.
        declared_media_type: what the caller says it is; empty to go by the bytes alone.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED, MEDIA_TYPE_MISMATCH or MEDIA_UNREADABLE.
    """
    kind = sniff(data)
    require_declared(declared_media_type, kind)
    if kind == "mp4" and not is_plausible(data):
        raise unreadable()
    container = attempt(partial(av.open, Source(data), "r", format=DEMUXERS[kind], options=PROBE))
    try:
        yield container
    finally:
        container.close()


def frames(
    container: InputContainer, stream: av.VideoStream | av.AudioStream, kind: type[FrameT]
) -> Iterator[FrameT]:
    """Decode one stream of an opened file in order.

    Args:
        kind: class of the stream's frames.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED for a codec that is not listed, or
            MEDIA_UNREADABLE where decoding fails.
    """
    require_codec(stream)
    decoding = container.decode(stream)
    while (frame := attempt(partial(next, decoding, None))) is not None:
        if isinstance(frame, kind):
            yield frame


def attempt(work: Callable[[], T]) -> T:
    """Have FFmpeg do something with a caller's file.

    Raises:
        InvalidRequestError: MEDIA_UNREADABLE, where it fails.
    """
    with suppress(*FOREIGN_ERRORS):
        return work()
    # Not within a handler, so that no chain of exceptions keeps the caller's bytes alive.
    raise unreadable()


def require_codec(stream: av.VideoStream | av.AudioStream) -> None:
    """Refuse a stream that no listed decoder reads; nothing else can be asked of it.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED.
    """
    if stream.codec_context is None or stream.codec_context.name not in CODECS:
        raise InvalidRequestError(
            Reason.MEDIA_TYPE_UNSUPPORTED, "the file is coded in a way that is not read here"
        )


def sniff(data: memoryview) -> str:
    """Tell a file's kind by its first bytes.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED.
    """
    head = bytes(data[:12])
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith((b"fLaC", b"OggS")):
        return "flac" if head.startswith(b"fLaC") else "ogg"
    if head.startswith(b"ID3") or int.from_bytes(head[:2]) >= MP3_SYNC:
        return "mp3"
    raise unsupported()


def require_declared(declared: str, kind: str) -> None:
    """Hold a file to what the caller says it is.

    Raises:
        InvalidRequestError: MEDIA_TYPE_UNSUPPORTED or MEDIA_TYPE_MISMATCH.
    """
    if not declared:
        return
    if declared not in MEDIA_TYPES:
        raise unsupported()
    if MEDIA_TYPES[declared] != kind:
        raise InvalidRequestError(
            Reason.MEDIA_TYPE_MISMATCH, "the bytes are of another type than declared"
        )


def unsupported() -> InvalidRequestError:
    """Refuse a kind of file that is not read here, and name those that are."""
    known = ", ".join(sorted(MEDIA_TYPES))
    return InvalidRequestError(
        Reason.MEDIA_TYPE_UNSUPPORTED,
        f"sound and film are read as {known}",
        metadata={"known": known},
    )


def unreadable() -> InvalidRequestError:
    """Refuse bytes that are not what they claim to be."""
    return InvalidRequestError(Reason.MEDIA_UNREADABLE, UNREADABLE)


def keep_quiet() -> None:
    """Keep FFmpeg out of the log: what it warns of quotes from files, and a log outlives a call.

    No level but none will do: at any other, a decoder's own threads wait for the interpreter's lock
    to say what is wrong with a file, while whoever holds the lock waits for these threads.
    """
    av.logging.set_level(None)
