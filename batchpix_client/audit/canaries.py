"""Canaries: pictures of pure noise, which nothing but themselves can hold a piece of."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from batchpix_client.audit import forms
from batchpix_client.audit.needles import Needle

SIDE_PIXELS = 512
# A style picture of this side is read as it is, so that all forms of it are known.
STYLE_SIDE_PIXELS = 256
JPEG_QUALITY = 92
EXIF_DESCRIPTION = 0x010E
TEXT_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Something to send that can be recognised.

    Attributes:
        content: as it is sent.
        media_type: what it is.
        needles: pieces of it in every form.
    """

    content: bytes
    media_type: str
    needles: Sequence[Needle]


class Aviary:
    """Breeds canaries; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._pictures = 0

    @property
    def random(self) -> np.random.Generator:
        """Source of all that is random in an audit."""
        return self._random

    def text(self) -> str:
        """Make a word that stands nowhere else."""
        return "canary" + self._random.bytes(TEXT_BYTES).hex()

    def noise(self, height: int = SIDE_PIXELS, width: int = SIDE_PIXELS) -> NDArray[np.uint8]:
        """Make HxWx3 uint8 of noise."""
        return self._random.integers(0, 256, (height, width, 3), np.uint8)

    def picture(self, call: str, media_type: str = "image/jpeg", side: int = SIDE_PIXELS) -> Canary:
        """Make a picture of one of the formats."""
        return photo(self.noise(side, side), media_type, call)

    def described(self, call: str) -> Canary:
        """Make a JPEG with a text in its metadata."""
        words = self.text()
        exif = Image.Exif()
        exif[EXIF_DESCRIPTION] = words
        canary = photo(self.noise(), "image/jpeg", call, exif=exif)
        needles = [*canary.needles, *forms.of_text(words, "metadata", call)]
        return Canary(content=canary.content, media_type=canary.media_type, needles=needles)

    def deep(self, call: str) -> Canary:
        """Make a PNG with 16 bits a sample."""
        samples = self._random.integers(0, 1 << 16, (SIDE_PIXELS, SIDE_PIXELS, 3), np.uint16)
        content = png_of_samples(samples)
        needles = [
            *forms.of_file(content, "input file", call),
            *forms.of_samples(samples, "input", call),
            *forms.of_picture((samples >> 8).astype(np.uint8), "input", call),
        ]
        return Canary(content=content, media_type="image/png", needles=needles)

    def mask(self, call: str, width: int = SIDE_PIXELS) -> Canary:
        """Make a grey mask of noise, as high as the pictures."""
        pixels = self._random.integers(0, 256, (SIDE_PIXELS, width), np.uint8)
        content = encoded(Image.fromarray(pixels), "image/png")
        needles = [
            *forms.of_file(content, "mask file", call),
            *forms.of_grey(pixels, "mask", call),
        ]
        return Canary(content=content, media_type="image/png", needles=needles)

    def giant(self, call: str) -> Canary:
        """Make a PNG whose header claims more pixels than any service takes."""
        content = bytearray(self.picture(call, "image/png").content)
        # Width and height stand behind the signature and the name of the first chunk.
        content[16:24] = (60_000).to_bytes(4, "big") * 2
        return garbled(bytes(content), "image/png", call)


def photo(
    pixels: NDArray[np.uint8], media_type: str, call: str, exif: Image.Exif | None = None
) -> Canary:
    """Encode a picture and cut its needles: of the file and of what a decoder makes of it."""
    content = encoded(Image.fromarray(pixels), media_type, exif)
    needles = list(forms.of_file(content, "input file", call))
    needles += forms.of_picture(decoded(content), "input", call)
    if media_type == "image/jpeg":
        needles += forms.of_jpeg_planes(content, "input", call)
    return Canary(content=content, media_type=media_type, needles=needles)


def garbled(content: bytes, media_type: str, call: str) -> Canary:
    """Take bytes that are no picture, or one that can't be read: only the file has needles."""
    needles = list(forms.of_file(content, "input file", call))
    return Canary(content=content, media_type=media_type, needles=needles)


def needles_of_result(content: bytes, media_type: str, call: str) -> Iterator[Needle]:
    """Cut needles from a result: of the file, and of its pixels if it tells them exactly."""
    yield from forms.of_file(content, "output file", call)
    if media_type == "image/png":
        yield from forms.of_picture(decoded(content), "output", call)


def decoded(content: bytes) -> NDArray[np.uint8]:
    """Decode to HxWx3 uint8, RGB, upright."""
    with Image.open(BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def encoded(image: Image.Image, media_type: str, exif: Image.Exif | None = None) -> bytes:
    """Encode a picture."""
    file = BytesIO()
    kind = media_type.removeprefix("image/")
    if exif is None:
        image.save(file, kind, quality=JPEG_QUALITY)
    else:
        image.save(file, kind, quality=JPEG_QUALITY, exif=exif)
    return file.getvalue()


def png_of_samples(samples: NDArray[np.uint16]) -> bytes:
    """Write HxWx3 uint16 as a PNG, which Pillow can't."""
    height, width = samples.shape[:2]
    rows = samples.astype(">u2").tobytes()
    row_bytes = len(rows) // height
    # Each row starts with the number of its filter: none.
    lines = b"".join(
        b"\0" + rows[start : start + row_bytes] for start in range(0, len(rows), row_bytes)
    )
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
