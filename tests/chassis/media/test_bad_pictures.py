"""Bad pictures are refused by name before memory is taken, and nothing else ever comes of them."""

import struct
from random import Random

import pytest
from PIL import Image

from services.chassis.errors import InvalidRequestError, LimitError, MeshError, Reason
from services.chassis.media.headers import JPEG_SCANS_MAX, PNG_CHUNKS_MAX
from services.chassis.media.image import ImageLimits, decode, probe
from services.chassis.memory.arena import Arena, Budget
from tests import pictures

LIMITS = ImageLimits()
SHOWN = pictures.gradient(24, 31)
FORMATS = ("JPEG", "PNG", "WEBP")
MUTATIONS = 400


def refusal(
    data: bytes | memoryview, declared: str = "", limits: ImageLimits = LIMITS
) -> MeshError:
    """Probe a picture that must be refused."""
    with pytest.raises(MeshError) as caught:
        probe(memoryview(data), declared, limits)
    return caught.value


def late_refusal(data: memoryview, arena: Arena) -> MeshError:
    """Decode a picture whose header is good but whose pixels must be refused."""
    header = probe(data, "", LIMITS)
    with pytest.raises(MeshError) as caught:
        decode(data, header, arena)
    return caught.value


@pytest.mark.parametrize(
    ("file_format", "width", "height"),
    [("PNG", 60_000, 60_000), ("JPEG", 60_000, 60_000), ("WEBP", 16_384, 16_384)],
)
def test_bomb_is_refused_by_its_header(file_format: str, width: int, height: int) -> None:
    """A file of a kilobyte that claims billions of pixels is refused, with the limits named."""
    data = pictures.bomb(file_format, width, height)

    error = refusal(data)

    assert len(data) <= 1024
    assert isinstance(error, LimitError)
    assert error.reason is Reason.PIXELS_TOO_MANY
    assert error.metadata == {"pixels_max": "40000000", "side_max": "16383"}


def test_limits_hold_to_the_pixel() -> None:
    """A picture of exactly the limit passes; one pixel or one column more does not."""
    data = pictures.encoded(SHOWN, "PNG")

    assert probe(data, "", ImageLimits(pixels_max=24 * 31, side_max=31)).width == 31
    assert refusal(data, "", ImageLimits(pixels_max=24 * 31 - 1)).reason is Reason.PIXELS_TOO_MANY
    assert refusal(data, "", ImageLimits(side_max=30)).reason is Reason.PIXELS_TOO_MANY


def test_empty_upload_is_refused() -> None:
    """No bytes at all is its own reason."""
    assert refusal(b"").reason is Reason.UPLOAD_EMPTY


def test_what_is_no_picture_is_refused() -> None:
    """Bytes of no picture format are unreadable."""
    assert refusal(b"not a picture at all, but long enough").reason is Reason.MEDIA_UNREADABLE


@pytest.mark.parametrize("file_format", ["GIF", "BMP", "TIFF", "ICO", "JPEG2000"])
def test_other_formats_are_named_as_such(file_format: str) -> None:
    """A picture in another format is told which formats are accepted."""
    error = refusal(pictures.encoded(pictures.gradient(32, 32), file_format))

    assert error.reason is Reason.MEDIA_TYPE_UNSUPPORTED
    assert error.metadata == {"allowed": "image/jpeg, image/png, image/webp"}


@pytest.mark.parametrize("start", [b"\0\0\0\x20ftypheic", b"\0\0\0\x20ftypavif", b"<svg xmlns="])
def test_formats_without_a_decoder_are_named_as_such(start: bytes) -> None:
    """HEIC, AVIF and SVG are known by their first bytes."""
    assert refusal(start + bytes(64)).reason is Reason.MEDIA_TYPE_UNSUPPORTED


def test_wrong_declared_type_is_refused() -> None:
    """A PNG declared as JPEG is a mismatch; declared as a format never opened, unsupported."""
    data = pictures.encoded(SHOWN, "PNG")

    assert refusal(data, "image/jpeg").reason is Reason.MEDIA_TYPE_MISMATCH
    assert refusal(data, "image/gif").reason is Reason.MEDIA_TYPE_UNSUPPORTED


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_moving_picture_is_refused(file_format: str) -> None:
    """Animated PNG and WebP are told apart from still ones."""
    assert refusal(pictures.animated(file_format)).reason is Reason.MEDIA_ANIMATED


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_cut_file_is_called_truncated(file_format: str, share: float, arena: Arena) -> None:
    """Wherever a file is cut off, the refusal says that it ends too early."""
    data = pictures.encoded(pictures.noise(64, 64, 1), file_format)
    cut = data[: max(int(len(data) * share), 16)]
    with pytest.raises(InvalidRequestError) as caught:
        decode(cut, probe(cut, "", LIMITS), arena)

    assert caught.value.reason is Reason.MEDIA_TRUNCATED


def test_two_sizes_in_one_file_are_refused() -> None:
    """A second frame header can't smuggle a larger picture past the limits."""
    data = bytes(pictures.encoded(SHOWN, "JPEG"))
    start = data.index(b"\xff\xc0")
    length = 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    larger = bytearray(data[start : start + length])
    larger[5:9] = struct.pack(">HH", 60_000, 60_000)
    smuggled = data[: start + length] + bytes(larger) + data[start + length :]

    assert refusal(smuggled).reason is Reason.MEDIA_UNREADABLE


def test_too_many_scans_are_refused() -> None:
    """Thousands of passes over a picture in a small file are not worked through."""
    data = bytes(pictures.encoded(SHOWN, "JPEG", progressive=True))
    start = data.rindex(b"\xff\xda")
    scans = data[:start] + data[start:-2] * JPEG_SCANS_MAX + data[-2:]

    assert refusal(scans).reason is Reason.MEDIA_UNREADABLE


def test_too_many_chunks_are_refused() -> None:
    """A PNG of nothing but tiny chunks is given up early."""
    data = bytes(pictures.encoded(SHOWN, "PNG"))
    stuffed = data[:33] + pictures.chunk(b"teSt", b"") * PNG_CHUNKS_MAX + data[33:]

    assert refusal(stuffed).reason is Reason.MEDIA_UNREADABLE


def test_picture_without_pixels_is_refused() -> None:
    """A width of zero is no picture."""
    assert refusal(pictures.png(0, 5, 8, 2, b"")).reason is Reason.MEDIA_UNREADABLE


def test_corrupt_pixels_are_refused_late(arena: Arena) -> None:
    """A good header over compressed rubbish is unreadable, not an unknown fault."""
    data = bytearray(pictures.encoded(SHOWN, "PNG"))
    position = data.index(b"IDAT") + 8
    data[position : position + 20] = bytes(20)

    assert late_refusal(memoryview(data), arena).reason is Reason.MEDIA_UNREADABLE


@pytest.mark.parametrize(
    "data",
    [
        # A chunk longer than the file, so that not one chunk is whole.
        b"\x89PNG\r\n\x1a\n\x7f\xff\xff\xffIHDR\0\0\0\x1f\0\0\0\x18\x08\x02\0\0\0AAAA",
        # Fill bytes to the end of the file.
        b"\xff\xd8\xff" + b"\xff" * 64,
        # A segment of no length, over and over.
        b"\xff\xd8" + b"\xff\xe1\0\0" * 16,
        # A RIFF header with nothing in it.
        b"RIFF\0\0\0\0WEBPVP8X" + bytes(14),
    ],
)
def test_found_by_mutation(data: bytes) -> None:
    """Files that once fooled the header readers, or nearly did, are refused as unreadable."""
    error = refusal(data)

    assert error.reason in {Reason.MEDIA_TRUNCATED, Reason.MEDIA_UNREADABLE}


def test_refusal_holds_no_foreign_exception() -> None:
    """The error does not carry the decoder's, whose frames would keep the caller's bytes alive."""
    spoilt = bytearray(pictures.encoded(SHOWN, "PNG"))
    spoilt[29] ^= 1  # the checksum of the header, which only the decoder looks at

    error = refusal(bytes(spoilt))

    assert error.reason is Reason.MEDIA_UNREADABLE
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("file_format", FORMATS)
def test_mutated_files_end_in_pixels_or_a_refusal(file_format: str) -> None:
    """Whatever is done to a file, it decodes or is refused; no other exception escapes."""
    random = Random(f"mutations of {file_format}")
    data = bytes(pictures.with_metadata(SHOWN, file_format, "secret"))
    with_alpha = bytes(pictures.encoded(Image.fromarray(SHOWN).convert("RGBA"), "PNG"))
    budget, limits = Budget(1 << 26), ImageLimits(pixels_max=1 << 20)
    decoded = 0
    for _ in range(MUTATIONS):
        upload = mutated(data, with_alpha, random)
        with budget.lease(0) as arena:
            try:
                header = probe(upload, "", limits)
                picture = decode(upload, header, arena)
            except MeshError:
                continue
            assert picture.pixels.shape == (header.height, header.width, 3)
            decoded += 1

    assert 0 < decoded < MUTATIONS


def mutated(data: bytes, other: bytes, random: Random) -> memoryview:
    """Change, remove, double or mix in some bytes, most often near the start."""
    upload = bytearray(data)
    for _ in range(random.choice((1, 2, 5))):
        near = random.random() < 0.5
        position = random.randrange(min(len(upload), 200) if near else len(upload))
        length = random.choice((1, 2, 4, 16))
        match random.randrange(5):
            case 0:
                upload[position] ^= 1 << random.randrange(8)
            case 1:
                upload[position : position + length] = random.randbytes(length)
            case 2:
                upload[position : position + length] = random.choice((b"\0", b"\xff")) * length
            case 3:
                del upload[position : position + length]
            case _:
                start = random.randrange(len(other) - 16)
                upload[position:position] = other[start : start + length]
    return memoryview(bytes(upload))


def test_refused_picture_takes_no_memory() -> None:
    """A refusal by the header costs the call no byte of its arena."""
    with Budget(1 << 26).lease(0) as arena:
        refusal(pictures.bomb("PNG", 60_000, 60_000))

        assert (arena.used_bytes, arena.leased_bytes) == (0, 0)
