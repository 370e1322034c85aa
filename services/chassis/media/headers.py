"""Read what a picture file says of itself, from its bytes alone and without a decoder.

Every function here looks at bytes in place, takes no memory that grows with the picture, and stops
after a bounded number of steps, so that a hostile file is refused before a decoder sees it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from services.chassis.errors import InvalidRequestError, Reason

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
WEBP: Final = "image/webp"

ALLOWED_MEDIA_TYPES: Final = (JPEG, PNG, WEBP)
"""The only formats that are ever opened."""

PNG_CHUNKS_MAX: Final = 65_536
"""A picture of 40 megapixels in the usual chunks of 8 KiB has about 15,000."""

JPEG_SEGMENTS_MAX: Final = 4_096
"""A colour profile of 16 MB fills 256 of them; no camera comes near."""

JPEG_SCANS_MAX: Final = 100
"""Each scan of a progressive file is a pass over the whole picture; encoders write about ten."""

JPEG_MARKER: Final = 0xFF
JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD8)})
JPEG_END_OF_HEADER: Final = frozenset({0xD9, 0xDA})
JPEG_SCAN: Final = re.compile(rb"\xff\xda")

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
WEBP_FLAG_ANIMATED: Final = 0x02
WEBP_LOSSLESS_SIGNATURE: Final = 0x2F
WEBP_HEADER_BYTES: Final = 30
"""Bytes in which every kind of WebP tells its size."""

FOREIGN_SIGNATURES: Final = (
    re.compile(rb"GIF8[79]a"),
    re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL),
    re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"),
    re.compile(rb"....ftyp", re.DOTALL),
    re.compile(rb"\0\0\0\x0cJXL |\xff\x0a"),
    re.compile(rb"\0\0\0\x0cjP  "),
    re.compile(rb"8BPS"),
    re.compile(rb"\x00\x00\x01\x00"),
    re.compile(rb"%PDF-"),
    re.compile(rb"\s*<(\?xml|svg)", re.IGNORECASE),
)
"""Other picture formats a caller may well send: GIF, BMP, TIFF, HEIF and AVIF (and video), JPEG XL,
JPEG 2000, Photoshop, icon, PDF, SVG. Naming what is allowed helps more than `unreadable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a file's first bytes say of the picture in it.

    Attributes:
        width: columns as stored, before any orientation.
        height: rows as stored.
        bit_depth: bits per sample.
        animated: whether it holds more than one picture.
        complete: False if the container is seen to end too early.
    """

    width: int
    height: int
    bit_depth: int
    animated: bool = False
    complete: bool = True


def sniff(data: memoryview) -> str:
    """Return the media type that the bytes themselves show.

    Raises:
        InvalidRequestError: UPLOAD_EMPTY; MEDIA_TYPE_UNSUPPORTED for a format known but not
            opened here; MEDIA_UNREADABLE for anything else.
    """
    if not data:
        raise InvalidRequestError(Reason.UPLOAD_EMPTY, "the picture has no bytes")
    start = bytes(data[:64])
    if start.startswith(b"\xff\xd8\xff"):
        return JPEG
    if start.startswith(PNG_SIGNATURE):
        return PNG
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return WEBP
    if any(signature.match(start) for signature in FOREIGN_SIGNATURES):
        raise unsupported()
    raise unreadable("the bytes are not a picture")


def read_frame(data: memoryview, media_type: str) -> Frame:
    """Read the frame of a file whose type `sniff` has told.

    Raises:
        InvalidRequestError: MEDIA_TRUNCATED if the bytes end too early, MEDIA_UNREADABLE if they
            do not follow the format.
    """
    return READERS[media_type](data)


def unsupported() -> InvalidRequestError:
    """Make the refusal of a format that is not opened, naming those that are."""
    allowed = ", ".join(ALLOWED_MEDIA_TYPES)
    return InvalidRequestError(
        Reason.MEDIA_TYPE_UNSUPPORTED,
        f"pictures are accepted as {allowed}",
        metadata={"allowed": allowed},
    )


def unreadable(message: str) -> InvalidRequestError:
    """Make the refusal of a file that does not follow its format."""
    return InvalidRequestError(Reason.MEDIA_UNREADABLE, message)


def truncated() -> InvalidRequestError:
    """Make the refusal of a file that ends too early."""
    return InvalidRequestError(Reason.MEDIA_TRUNCATED, "the picture's bytes end too early")


def _jpeg_frame(data: memoryview) -> Frame:
    """Walk the segments up to the frame header (ITU-T T.81, annex B)."""
    position = 2
    for _ in range(JPEG_SEGMENTS_MAX):
        if position + 4 > len(data):
            raise truncated()
        marker = data[position + 1]
        if data[position] != JPEG_MARKER or marker in JPEG_END_OF_HEADER:
            raise unreadable("the JPEG has no frame header")
        if marker == JPEG_MARKER:  # a fill byte before the marker proper
            position += 1
        elif marker in JPEG_BARE_MARKERS:
            position += 2
        elif marker in JPEG_FRAMES:
            return _jpeg_frame_header(data, position)
        else:
            position += 2 + _big(data, position + 2, 2)
    raise unreadable("the JPEG has too many segments")


def _jpeg_frame_header(data: memoryview, position: int) -> Frame:
    if position + 9 > len(data):
        raise truncated()
    for scans, _ in enumerate(JPEG_SCAN.finditer(data), start=1):
        if scans > JPEG_SCANS_MAX:
            raise unreadable(f"the JPEG has more than {JPEG_SCANS_MAX} scans")
    return Frame(
        width=_big(data, position + 7, 2),
        height=_big(data, position + 5, 2),
        bit_depth=data[position + 4],
    )


def _png_frame(data: memoryview) -> Frame:
    """Read the header, then walk all chunks: `acTL` before the pixels means an animation."""
    if len(data) < len(PNG_SIGNATURE) + 25:
        raise truncated()
    if bytes(data[12:16]) != b"IHDR":
        raise unreadable("the PNG does not start with its header")
    names = _png_chunk_names(data)
    pixels_at = names.index(b"IDAT") if b"IDAT" in names else len(names)
    return Frame(
        width=_big(data, 16, 4),
        height=_big(data, 20, 4),
        bit_depth=data[24],
        animated=b"acTL" in names[:pixels_at],
        complete=b"IEND" in names,
    )


def _png_chunk_names(data: memoryview) -> list[bytes]:
    names: list[bytes] = []
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data) and len(names) < PNG_CHUNKS_MAX:
        name = bytes(data[position + 4 : position + 8])
        position += 12 + _big(data, position, 4)
        if position > len(data):
            return names  # the chunk itself is cut
        names.append(name)
        if name == b"IEND":
            return names
    if len(names) == PNG_CHUNKS_MAX:
        raise unreadable("the PNG has too many chunks")
    return names


def _webp_frame(data: memoryview) -> Frame:
    """Read the first chunk of the RIFF container, of which there are three kinds."""
    if len(data) < WEBP_HEADER_BYTES:
        raise truncated()
    kind = bytes(data[12:16])
    animated = False
    if kind == b"VP8X":
        width, height = 1 + _little(data, 24, 3), 1 + _little(data, 27, 3)
        animated = bool(data[20] & WEBP_FLAG_ANIMATED)
    elif kind == b"VP8 " and bytes(data[23:26]) == b"\x9d\x01\x2a":
        width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    elif kind == b"VP8L" and data[20] == WEBP_LOSSLESS_SIGNATURE:
        sizes = _little(data, 21, 4)
        width, height = 1 + (sizes & 0x3FFF), 1 + (sizes >> 14 & 0x3FFF)
    else:
        raise unreadable("the WebP has no picture")
    complete = 8 + _little(data, 4, 4) <= len(data)
    return Frame(width=width, height=height, bit_depth=8, animated=animated, complete=complete)


def _big(data: memoryview, position: int, size: int) -> int:
    return int.from_bytes(data[position : position + size], "big")


def _little(data: memoryview, position: int, size: int) -> int:
    return int.from_bytes(data[position : position + size], "little")


READERS: Final[Mapping[str, Callable[[memoryview], Frame]]] = {
    JPEG: _jpeg_frame,
    PNG: _png_frame,
    WEBP: _webp_frame,
}
