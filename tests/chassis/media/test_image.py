"""Pictures in every form become the same upright sRGB pixels, and leave without metadata."""

import logging
import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.chassis.errors import InvalidRequestError
from services.chassis.media import headers
from services.chassis.media.image import (
    ImageLimits,
    Picture,
    decode,
    decode_levels,
    encode,
    probe,
    warm_up,
)
from services.chassis.memory.arena import Arena
from tests import pictures

REPOSITORY = Path(__file__).parents[3]
LIMITS = ImageLimits()
SHOWN = pictures.gradient(40, 60)
MEDIA_TYPES = {"JPEG": headers.JPEG, "PNG": headers.PNG, "WEBP": headers.WEBP}
MARK = "51-30-26-N-0-7-39-W"


def opened(data: memoryview, arena: Arena) -> Picture:
    """Probe and decode."""
    return decode(data, probe(data, "", LIMITS), arena)


def map_of(data: memoryview, arena: Arena) -> NDArray[np.uint16]:
    """Probe and decode the levels."""
    return decode_levels(data, probe(data, "", LIMITS), arena)


def difference_max(shown: NDArray[np.uint8], expected: NDArray[np.uint8]) -> int:
    """Return the largest difference of any sample, in levels of 255."""
    assert shown.shape == expected.shape
    return int(np.abs(shown.astype(np.int16) - expected).max())


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_turned_upright(file_format: str, orientation: int, arena: Arena) -> None:
    """However the camera was held, the picture comes out as it was seen."""
    data = pictures.turned(SHOWN, orientation, file_format)
    header = probe(data, MEDIA_TYPES[file_format], LIMITS)

    picture = decode(data, header, arena)

    assert (header.height, header.width) == SHOWN.shape[:2]
    assert np.abs(picture.pixels.astype(np.int16) - SHOWN).mean() < 4.0


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_orientation_is_upright(arena: Arena) -> None:
    """EXIF of nonsense neither turns the picture nor refuses it."""
    data = pictures.encoded(SHOWN, "PNG", exif=b"Exif\0\0II*\0nonsense")

    assert np.array_equal(opened(data, arena).pixels, SHOWN)


def test_header_tells_what_is_stored() -> None:
    """The header names size, type, depth, colour and alpha without decoding."""
    rows = pictures.png_rows(np.zeros((40, 60, 4), np.uint16))

    header = probe(pictures.png(60, 40, 16, 6, rows), "image/png", LIMITS)

    assert (header.width, header.height, header.bit_depth) == (60, 40, 16)
    assert (header.media_type, header.colour, header.has_alpha) == ("image/png", "rgb", True)
    assert header.decoded_bytes == 60 * 40 * 4


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_modes_of_png_become_rgb(mode: str, arena: Arena) -> None:
    """Bilevel, grey, palette and alpha pictures show the colours that they had."""
    image = Image.fromarray(SHOWN).convert(mode)

    picture = opened(pictures.encoded(image, "PNG"), arena)

    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_png_keeps_its_high_byte(colour_type: int, channels: int, arena: Arena) -> None:
    """16-bit samples are scaled to 8 bits, not clipped, with and without alpha."""
    samples = np.random.default_rng(7).integers(0, 65536, (40, 60, channels)).astype(np.uint16)
    high = (samples >> 8).astype(np.uint8)
    data = pictures.png(60, 40, 16, colour_type, pictures.png_rows(samples))

    picture = opened(data, arena)

    colours = high[:, :, :3] if channels > 2 else np.repeat(high[:, :, :1], 3, axis=2)
    assert difference_max(picture.pixels, colours) <= 1
    if channels in {2, 4}:
        assert picture.alpha is not None
        assert difference_max(picture.alpha, high[:, :, -1]) <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_maps_keep_all_16_bits(orientation: int, arena: Arena) -> None:
    """However the map was stored, its levels come out as they were meant, upright."""
    levels = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60) * 27
    data = pictures.turned(levels, orientation, "PNG")

    assert np.array_equal(map_of(data, arena), levels)


def test_maps_of_8_bits_fill_the_range(arena: Arena) -> None:
    """Grey, colour and lossy maps are all levels; of colour red is one."""
    grey = np.repeat(SHOWN[:, :, :1], 3, axis=2)

    assert np.array_equal(map_of(pictures.encoded(grey, "PNG"), arena), SHOWN[:, :, 0] * 257.0)
    assert np.array_equal(map_of(pictures.encoded(SHOWN, "PNG"), arena), SHOWN[:, :, 0] * 257.0)
    away = map_of(pictures.encoded(grey, "JPEG"), arena) / 257.0 - SHOWN[:, :, 0]
    assert np.abs(away).mean() < 2.0


def test_a_map_that_breaks_off_is_refused(arena: Arena) -> None:
    """As a picture would be."""
    data = pictures.encoded(pictures.noise(40, 60, 1), "JPEG")
    header = probe(data, "", LIMITS)
    with pytest.raises(InvalidRequestError):
        decode_levels(data[: len(data) // 2], header, arena)


def test_transparent_colour_becomes_alpha(arena: Arena) -> None:
    """Palette entries and single colours marked transparent are so, and nothing else."""
    row = bytes([0, 0b00011011])
    palette = (b"PLTE", bytes(range(12)))
    data = pictures.png(4, 1, 2, 3, row, palette, (b"tRNS", bytes([0, 100, 255])))
    samples = np.array([[[5], [300], [65535]]], np.uint16)
    grey = pictures.png(3, 1, 16, 0, pictures.png_rows(samples), (b"tRNS", struct.pack(">H", 300)))

    of_palette, of_grey = opened(data, arena), opened(grey, arena)

    assert of_palette.alpha is not None
    assert of_palette.alpha.tolist() == [[0, 100, 255, 255]]
    assert of_palette.pixels[0, :, 0].tolist() == [0, 3, 6, 9]
    assert of_grey.alpha is not None
    assert of_grey.alpha.tolist() == [[255, 0, 255]]


def test_cmyk_jpeg_shows_its_colours(arena: Arena) -> None:
    """CMYK as Adobe writes it, inverted, does not come out as a negative."""
    data = pictures.encoded(Image.fromarray(SHOWN).convert("CMYK"), "JPEG", quality=95)
    header = probe(data, "image/jpeg", LIMITS)

    picture = decode(data, header, arena)

    assert header.colour == "cmyk"
    assert difference_max(picture.pixels, SHOWN) < 12


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_colour_profile_is_applied(file_format: str, arena: Arena) -> None:
    """A space with red and green exchanged comes out with both in their places."""
    profile = pictures.matrix_profile(colorants="GRB")
    data = pictures.encoded(SHOWN, file_format, icc_profile=profile, lossless=True)

    picture = opened(data, arena)

    assert difference_max(picture.pixels, SHOWN[:, :, [1, 0, 2]]) <= 1


def test_linear_profile_gets_the_curve_of_srgb(arena: Arena) -> None:
    """Values proportional to light come out along the curve that sRGB defines."""
    light = SHOWN / 255.0
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    data = pictures.encoded(SHOWN, "PNG", icc_profile=pictures.matrix_profile(gamma=1.0))

    picture = opened(data, arena)

    assert difference_max(picture.pixels, np.rint(curve * 255).astype(np.uint8)) <= 1


def test_grey_profile_is_applied(arena: Arena) -> None:
    """A grey picture of gamma 1.8 comes out lighter, as its profile says."""
    grey = SHOWN[:, :, 0]
    light = (grey / 255.0) ** 1.8
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    data = pictures.encoded(grey, "PNG", icc_profile=pictures.grey_profile(1.8))

    picture = opened(data, arena)

    expected = np.repeat(np.rint(curve * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    assert difference_max(picture.pixels, expected) <= 2


@pytest.mark.parametrize(
    "profile",
    [b"junk" * 40, pictures.grey_profile(1.0), pictures.matrix_profile(), bytes(5_000_000)],
    ids=["broken", "of another space", "of sRGB itself", "too large"],
)
def test_useless_profile_changes_nothing(profile: bytes, arena: Arena) -> None:
    """A profile that can't be used, or says nothing new, leaves every pixel as it is."""
    data = pictures.encoded(SHOWN, "WEBP", icc_profile=profile, lossless=True)

    assert np.array_equal(opened(data, arena).pixels, SHOWN)


def test_first_picture_of_multi_picture_jpeg_is_taken(arena: Arena) -> None:
    """Phones append gain maps to their JPEGs; the picture itself is decoded."""
    second = Image.fromarray(pictures.noise(8, 8, 1))
    data = pictures.encoded(SHOWN, "MPO", save_all=True, append_images=[second])

    picture = decode(data, probe(data, "image/jpeg", LIMITS), arena)

    assert np.abs(picture.pixels.astype(np.int16) - SHOWN).mean() < 2.0


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_metadata_stays_behind(file_format: str, arena: Arena) -> None:
    """Nothing of EXIF, GPS, XMP, comments or texts is in the result, byte for byte."""
    data = pictures.with_metadata(SHOWN, file_format, MARK)
    picture = opened(data, arena)

    result = encode(picture.pixels, picture.alpha, MEDIA_TYPES[file_format], 90, arena)

    assert MARK.encode() in bytes(data)
    assert MARK.encode() not in bytes(result)
    with Image.open(BytesIO(result)) as image:
        assert not image.getexif()
        assert not {"exif", "xmp", "comment", "icc_profile"} & set(image.info)


@pytest.mark.parametrize("media_type", headers.ALLOWED_MEDIA_TYPES)
def test_encoding_keeps_the_picture(media_type: str, arena: Arena) -> None:
    """What was encoded decodes to the same picture, exactly so for PNG."""
    result = encode(SHOWN, None, media_type, 92, arena)

    picture = opened(result, arena)

    assert difference_max(picture.pixels, SHOWN) <= (0 if media_type == headers.PNG else 24)
    assert np.abs(picture.pixels.astype(np.int16) - SHOWN).mean() < 2.0


@pytest.mark.parametrize("media_type", [headers.PNG, headers.WEBP])
def test_encoding_keeps_alpha(media_type: str, arena: Arena) -> None:
    """Alpha passes through PNG and WebP unchanged."""
    alpha = np.ascontiguousarray(SHOWN[:, :, 0])

    picture = opened(encode(SHOWN, alpha, media_type, 90, arena), arena)

    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, alpha)


def test_jpeg_lays_transparency_on_white(arena: Arena) -> None:
    """JPEG has no alpha: transparent becomes white, half transparent halfway."""
    black = np.zeros((16, 48, 3), np.uint8)
    alpha = np.repeat(np.array([0, 128, 255], np.uint8), 16)[None, :].repeat(16, axis=0)

    picture = opened(encode(black, np.ascontiguousarray(alpha), headers.JPEG, 95, arena), arena)

    middles = picture.pixels[8, [8, 24, 40], 1].tolist()
    assert middles == pytest.approx([255, 127, 0], abs=2)


def test_jpeg_keeps_full_colour_at_high_quality(arena: Arena) -> None:
    """From quality 90 on, single red columns keep their colour; below they are smeared."""
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255

    good = opened(encode(stripes, None, headers.JPEG, 90, arena), arena)
    small = opened(encode(stripes, None, headers.JPEG, 89, arena), arena)

    assert difference_max(good.pixels, stripes) < 40
    assert difference_max(small.pixels, stripes) > 80


def test_png_says_that_it_is_srgb(arena: Arena) -> None:
    """PNG readers that manage colour are told the space of the pixels."""
    with Image.open(BytesIO(encode(SHOWN, None, headers.PNG, 90, arena))) as image:
        assert image.info["srgb"] == 0


def test_encoded_bytes_lie_in_the_arena(arena: Arena) -> None:
    """Result and pixels count as memory of the call, so that they are wiped with it."""
    data = pictures.encoded(SHOWN, "PNG")
    before = arena.used_bytes

    picture = opened(data, arena)
    result = encode(picture.pixels, None, headers.PNG, 90, arena)

    assert arena.used_bytes - before >= SHOWN.nbytes + len(result)


def test_rows_of_large_pictures_stay_in_order(arena: Arena) -> None:
    """A picture of more rows than one band holds is put together without a seam."""
    shown = pictures.noise(700, 900, 3)

    assert np.array_equal(opened(pictures.encoded(shown, "PNG"), arena).pixels, shown)


@pytest.mark.parametrize("path", sorted((REPOSITORY / "samples").rglob("*.jpg")), ids=str)
def test_samples_are_readable(path: Path) -> None:
    """Each shipped picture passes the header checks of a service."""
    header = probe(memoryview(path.read_bytes()), headers.JPEG, LIMITS)

    assert header.colour == "rgb"


def test_decoder_does_not_log_what_it_reads(caplog: pytest.LogCaptureFixture) -> None:
    """Pillow would log each EXIF value where debugging is on; here it says nothing."""
    warm_up()
    with caplog.at_level(logging.DEBUG):
        probe(pictures.with_metadata(SHOWN, "JPEG", MARK), "", LIMITS)

    assert caplog.text == ""


def test_no_file_is_opened_after_warming_up() -> None:
    """A sealed process reads no files, so that all of Pillow must be loaded at the start."""
    program = Path(__file__).with_name("sealed_codecs_program.py")

    done = subprocess.run(
        [sys.executable, str(program)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
