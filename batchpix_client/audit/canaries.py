"""Canaries: pictures of pure noise, which nothing but themselves can hold a piece of."""

import struct
import wave
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from batchpix_client.audit import bvh, forms
from batchpix_client.audit.needles import Needle
from batchpix_client.films import make_film, strip

SIDE_PIXELS = 512
# A style picture of this side is read as it is, so that all forms of it are known.
STYLE_SIDE_PIXELS = 256
JPEG_QUALITY = 92
EXIF_DESCRIPTION = 0x010E
TEXT_BYTES = 24
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PERSON = SAMPLES / "people" / "kofi_white_tee_chinos_studio.jpg"
GARMENT = SAMPLES / "garments" / "upper_teal_tee.jpg"
GRAIN = 12  # levels up and down: people are found under it all the same
SOUND_SAMPLES, SOUND_BEATS = 96_000, 4
SOUND_SAMPLES_PER_SECOND = 48_000
GRAIN_OF_SOUND = 3_000
MOTION_FRAMES = 48
FILM_FRAMES, FILM_RATE, FILM_STEP = 12, 12, 2
# "MOTION", the number of frames and the time of one, which are no secret.
FORM_BYTES = 40


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

    def mask(self, call: str, width: int = SIDE_PIXELS, what: str = "mask") -> Canary:
        """Make a grey picture of noise, as high as the pictures: a mask, or a depth map."""
        pixels = self._random.integers(0, 256, (SIDE_PIXELS, width), np.uint8)
        content = encoded(Image.fromarray(pixels), "image/png")
        needles = [
            *forms.of_file(content, f"{what} file", call),
            *forms.of_grey(pixels, what, call),
        ]
        return Canary(content=content, media_type="image/png", needles=needles)

    def person(self, call: str, scale: int = 1) -> Canary:
        """Make a photo of a person under noise, so that no two are alike."""
        return photo(self._grained(PERSON, scale), "image/png", call)

    def garment(self, call: str) -> Canary:
        """Make a picture of a garment under noise."""
        return photo(self._grained(GARMENT), "image/png", call)

    def music(self, call: str) -> Canary:
        """Make a WAV of loud noise on a beat, 48,000 samples a second and stereo."""
        samples = self._random.integers(-GRAIN_OF_SOUND, GRAIN_OF_SOUND, (SOUND_SAMPLES, 2))
        samples[:: SOUND_SAMPLES // SOUND_BEATS] = np.iinfo(np.int16).max
        sound = samples.astype("<i2")
        content = wav(sound)
        needles = [
            *forms.of_file(content, "music file", call),
            *forms.of_sound(sound, "music", call),
        ]
        return Canary(content=content, media_type="audio/wav", needles=needles)

    def film(self, call: str) -> Canary:
        """Make a film of a person under noise that changes from frame to frame."""
        whole = (self._grained(PERSON) for _ in range(FILM_FRAMES))
        frames = [np.ascontiguousarray(each[::FILM_STEP, ::FILM_STEP]) for each in whole]
        content = make_film(frames, FILM_RATE)
        shown = np.asarray(strip(content, 1)[0])
        needles = [
            *forms.of_film(content, "driving film", call),
            *forms.of_picture(shown, "driving frame", call),
        ]
        return Canary(content=content, media_type="video/mp4", needles=needles)

    def motion(self, call: str) -> Canary:
        """Make a BVH file of a body that trembles."""
        turns = self._random.uniform(-9.0, 9.0, (MOTION_FRAMES, 3 * len(bvh.JOINTS)))
        content = bvh.motion_file(turns).encode()
        needles = [
            # What stands before the first frame is the same in all of them.
            *forms.of_text(content[content.index(b"MOTION") + FORM_BYTES :], "motion file", call),
            *forms.of_numbers(turns.round(bvh.DECIMALS), "motion", call),
        ]
        return Canary(content=content, media_type="text/x-bvh", needles=needles)

    def _grained(self, source: Path, scale: int = 1) -> NDArray[np.uint8]:
        """Read a picture and put noise over it, HxWx3 uint8 RGB."""
        with Image.open(source) as image:
            size = (image.width * scale, image.height * scale)
            shown = np.asarray(image.convert("RGB").resize(size), np.int16)
        grain = self._random.integers(-GRAIN, GRAIN + 1, shown.shape, np.int16)
        return np.asarray(np.clip(shown + grain, 0, 255), np.uint8)

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
    if media_type.startswith("video/"):
        yield from forms.of_film(content, "output film", call)
        return
    yield from forms.of_file(content, "output file", call)
    if media_type == "image/png":
        yield from forms.of_picture(decoded(content), "output", call)


def wav(samples: NDArray[np.int16]) -> bytes:
    """Write Nx2 samples as a WAV file."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(SOUND_SAMPLES_PER_SECOND)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


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
