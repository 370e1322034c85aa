"""Media on their way in: where their bytes come from and what they are."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 32  # more than any signature below needs
SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"BM": "image/bmp",
    b"fLaC": "audio/flac",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"\xff\xf3": "audio/mpeg",
    b"\xff\xf2": "audio/mpeg",
    b"\x1aE\xdf\xa3": "video/webm",
    b"HIERARCHY": "text/x-bvh",
}
RIFF_FORMS = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
# The brand of an ISO base media file tells sound from pictures.
ISO_BRANDS = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime"}
MEDIA_TYPE_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A picture, clip, sound or motion to send.

    Attributes:
        source: the encoded bytes, or the file that holds them; a file is read while it is sent.
        media_type: "image/jpeg" and the like; empty = told by the first bytes.
    """

    source: Path | bytes
    media_type: str = ""

    @property
    def size_bytes(self) -> int:
        """Length of the encoded medium.

        Raises:
            OSError: the file cannot be looked at.
        """
        if isinstance(self.source, bytes):
            return len(self.source)
        return self.source.stat().st_size

    def declared_type(self) -> str:
        """Name the media type: the one given, else the one that the bytes or the name tell.

        Raises:
            OSError: the file cannot be read.
        """
        if self.media_type:
            return self.media_type
        if isinstance(self.source, bytes):
            return recognised_type(self.source[:HEAD_BYTES]) or MEDIA_TYPE_UNKNOWN
        with self.source.open("rb") as file:
            recognised = recognised_type(file.read(HEAD_BYTES))
        return recognised or mimetypes.guess_type(self.source.name)[0] or MEDIA_TYPE_UNKNOWN

    def chunks(self, chunk_bytes: int) -> Iterator[bytes]:
        """Cut the bytes into runs of at most `chunk_bytes`; holds one run of a file at a time.

        Raises:
            OSError: the file cannot be read.
        """
        if isinstance(self.source, bytes):
            for start in range(0, len(self.source), chunk_bytes):
                yield self.source[start : start + chunk_bytes]
            return
        with self.source.open("rb") as file:
            while data := file.read(chunk_bytes):
                yield data


Source = Path | bytes | Medium


def as_medium(source: Source) -> Medium:
    """Wrap a path or bytes; a medium stays what it is."""
    return source if isinstance(source, Medium) else Medium(source=source)


def recognised_type(head: bytes) -> str:
    """Name the media type that the first bytes show, empty if they show none."""
    if head[:4] == b"RIFF":
        return RIFF_FORMS.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return ISO_BRANDS.get(head[8:12], "video/mp4")
    matches = (kind for mark, kind in SIGNATURES.items() if head.lstrip().startswith(mark))
    return next(matches, "")
