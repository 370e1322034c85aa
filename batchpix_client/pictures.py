"""Pictures on their way in: where their bytes come from and what they are."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 16  # more than any signature below needs
SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"BM": "image/bmp",
}
MEDIA_TYPE_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture to send.

    Attributes:
        source: the encoded bytes, or the file that holds them; a file is read while it is sent.
        media_type: "image/jpeg" and the like; empty = told by the first bytes.
    """

    source: Path | bytes
    media_type: str = ""

    @property
    def size_bytes(self) -> int:
        """Length of the encoded picture.

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


Source = Path | bytes | Picture


def as_picture(source: Source) -> Picture:
    """Wrap a path or bytes; a picture stays what it is."""
    return source if isinstance(source, Picture) else Picture(source=source)


def recognised_type(head: bytes) -> str:
    """Name the media type that the first bytes show, empty if they show none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    matches = (kind for mark, kind in SIGNATURES.items() if head.startswith(mark))
    return next(matches, "")
