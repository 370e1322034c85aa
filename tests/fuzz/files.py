"""Picture files, damaged at random places and in the ways that break readers."""

import zlib
from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from services.chassis.errors import MeshError
from services.chassis.media.image import ImageLimits, decode, probe
from services.chassis.memory.arena import Budget
from tests import pictures

LIMITS = ImageLimits(pixels_max=1 << 14, side_max=256)
BUDGET_BYTES = 1 << 24
PNG_SIGNATURE_BYTES = 8
PIECES = (
    b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01",
    b"\xff\xd8\xff", b"\xff\xc0\x00\x11", b"\xff\xc2", b"\xff\xc4\x00\x00", b"\xff\xda",
    b"\xff\xd9", b"\xff\xdb\x00\x02", b"\xff\xe1\x00\x08Exif\x00\x00",
    b"\xff\xe2\x00\x10ICC_PROFILE\x00\x01\x02",
    b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"iCCP", b"acTL", b"fcTL", b"eXIf", b"zTXt",
    b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ALPH", b"ICCP", b"EXIF", b"XMP ",
    b"II*\x00", b"MM\x00*",
)  # fmt: skip


@cache
def whole_files() -> tuple[bytes, ...]:
    """Make one file of every kind that is accepted, and some that are not."""
    shown = pictures.gradient(20, 27)
    grey = np.ascontiguousarray(shown[..., 0])
    clear = np.dstack([shown, grey])
    palette = Image.fromarray(shown).quantize(16)
    made = [
        pictures.encoded(shown, "JPEG"),
        pictures.encoded(shown, "JPEG", progressive=True),
        pictures.encoded(grey, "JPEG"),
        pictures.encoded(Image.fromarray(shown).convert("CMYK"), "JPEG"),
        pictures.turned(shown, 6, "JPEG"),
        pictures.encoded(shown, "PNG"),
        pictures.encoded(clear, "PNG"),
        pictures.encoded(palette, "PNG", transparency=3),
        pictures.encoded(grey.astype(np.uint16) * 257, "PNG"),
        pictures.encoded(shown, "PNG", icc_profile=pictures.matrix_profile()),
        pictures.encoded(shown, "WEBP"),
        pictures.encoded(clear, "WEBP", lossless=True),
        pictures.encoded(clear, "WEBP"),
        *(pictures.with_metadata(shown, kind, "x" * 40) for kind in ("JPEG", "PNG", "WEBP")),
        *(pictures.animated(kind) for kind in ("GIF", "PNG", "WEBP")),
        *(pictures.bomb(kind, 16_000, 16_000) for kind in ("JPEG", "PNG", "WEBP")),
    ]
    return tuple(bytes(file) for file in made)


def overwrite(data: bytes, place: int, piece: bytes) -> bytes:
    """Put a piece over what is there."""
    return data[:place] + piece + data[place + len(piece) :]


def insert(data: bytes, place: int, piece: bytes) -> bytes:
    """Put a piece between."""
    return data[:place] + piece + data[place:]


def cut(data: bytes, place: int, piece: bytes) -> bytes:
    """Take a part out, eight bytes for each of the piece."""
    return data[:place] + data[place + 8 * len(piece) :]


def truncate(data: bytes, place: int, _piece: bytes) -> bytes:
    """End early."""
    return data[:place]


def repeat(data: bytes, place: int, piece: bytes) -> bytes:
    """Let a part come twice."""
    return data[: place + 8 * len(piece)] + data[place:]


DAMAGES: tuple[Callable[[bytes, int, bytes], bytes], ...] = (
    overwrite,
    overwrite,
    insert,
    cut,
    truncate,
    repeat,
)
PNG_MENDED_SHARE = 0.7


def damaged(source: Random) -> bytes:
    """Damage a whole file a few times, most often once; most PNGs get right checksums again."""
    data = source.choice(whole_files())
    for _ in range(source.choice((0, 1, 1, 1, 2, 4))):
        place = source.randrange(len(data) + 1)
        piece = source.choice((source.choice(PIECES), source.randbytes(source.randint(1, 4))))
        data = source.choice(DAMAGES)(data, place, piece)
    return mended(data) if source.random() < PNG_MENDED_SHARE else data


def mended(data: bytes) -> bytes:
    """Write the right checksum behind every chunk of a PNG; leave other files alone."""
    if not data.startswith(b"\x89PNG"):
        return data
    out, place = data[:PNG_SIGNATURE_BYTES], PNG_SIGNATURE_BYTES
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        body = data[place + 4 : end]
        out += data[place : place + 4] + body + zlib.crc32(body).to_bytes(4)
        place = end + 4
    return out + data[place:]


def declared(source: Random) -> str:
    """Say what a file is, most often nothing."""
    return source.choice(("",) * 8 + ("image/jpeg", "image/png", "image/webp", "x"))


# True randomness, yet repeatable: places in a file have no order that small numbers come first.
sources = st.randoms(use_true_random=True)
files = sources.map(damaged)
declared_files = sources.map(lambda source: (damaged(source), declared(source)))


def check_file(data: bytes, media_type: str) -> None:
    """Read a file as a service does: a picture of the told size or a refusal, and no memory kept.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    budget = Budget(BUDGET_BYTES)
    with budget.lease(0) as arena:
        try:
            header = probe(memoryview(data), media_type, LIMITS)
            picture = decode(memoryview(data), header, arena)
        except MeshError:
            pass
        else:
            assert picture.pixels.shape == (header.height, header.width, 3)
            assert header.width * header.height <= LIMITS.pixels_max
            assert (picture.alpha is not None) == header.has_alpha
    assert budget.leased_bytes == 0
