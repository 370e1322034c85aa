"""Every form that a picture can take inside a service, as needles."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from batchpix_client.audit.needles import Needle

# Values in a needle of pixels: of bytes 24, of floats as many as make chance impossible.
BYTE_VALUES = 24
FLOAT_VALUES = 16
# Places in a picture that needles are cut at; the first and the last row are always among them.
PLACES = 12
# Distance between the needles of an encoded file; buffers keep its ends most often.
FILE_STEP_BYTES = 2048
FILE_EDGE_BYTES = 16 << 10
FILE_EDGE_STEP_BYTES = 256
FILE_NEEDLE_BYTES = 24
# Signatures and sizes, which are no secret, and hardly ever of one file alone.
FILE_HEADER_BYTES = 64
BOX_HEAD_BYTES = 8
# H.264's encoder writes words of its own into the first frame of a film.
FILM_HEADER_BYTES = 1_024
JPEG_SCAN = b"\xff\xda"
# A network that works on blocks of 4x4 pixels rearranges them so.
BLOCK = 4

Pixels = NDArray[np.uint8]


def of_text(text: str | bytes, form: str, call: str) -> Iterator[Needle]:
    """Cut needles from a text, at every third character."""
    content = text.encode() if isinstance(text, str) else text
    for start in range(0, max(1, len(content) - 16), 3):
        yield Needle(content[start : start + 24], form, call)


def of_file(content: bytes, form: str, call: str) -> Iterator[Needle]:
    """Cut needles from an encoded file, closest together at its two ends."""
    # The tables ahead of a JPEG's data are those of every other JPEG, and of the codec itself.
    first = max(content.find(JPEG_SCAN), 0) + FILE_HEADER_BYTES
    last = len(content) - FILE_NEEDLE_BYTES
    edge = range(0, FILE_EDGE_BYTES, FILE_EDGE_STEP_BYTES)
    near_ends = {*(first + ahead for ahead in edge), *(last - back for back in edge)}
    for start in sorted(near_ends.union(range(first, last, FILE_STEP_BYTES))):
        if first <= start <= last:
            yield Needle(content[start : start + FILE_NEEDLE_BYTES], form, call)


def of_film(content: bytes, form: str, call: str) -> Iterator[Needle]:
    """Cut needles from an MP4: from what it shows and plays, not from its tables."""
    first = FILM_HEADER_BYTES
    for box, body in boxes(content):
        if box == b"mdat":
            yield from of_file(body[first:], form, call)
            first = 0


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Take an MP4 apart at its outermost level: kinds and bodies of boxes (ISO/IEC 14496-12)."""
    place = 0
    while place + BOX_HEAD_BYTES <= len(content):
        size = int.from_bytes(content[place : place + 4])
        # Sizes of 0 and 1 stand for the rest and for larger numbers; no film here needs them.
        end = place + size if size >= BOX_HEAD_BYTES else len(content)
        yield content[place + 4 : place + BOX_HEAD_BYTES], content[place + BOX_HEAD_BYTES : end]
        place = end


def of_picture(pixels: Pixels, what: str, call: str) -> Iterator[Needle]:
    """Cut needles from a picture in every layout, type and range.

    Args:
        pixels: HxWx3 uint8, RGB.
        what: "input", "output" and the like, which each form's name starts with.
        call: label of the call.
    """
    for row, column in places(pixels):
        for name, values in byte_layouts(pixels, row, column):
            yield Needle(values.tobytes(), f"{what} u8 {name}", call)
        for layout, values in float_layouts(pixels, row, column):
            for name, content in float_types(values):
                yield Needle(content, f"{what} {name} {layout}", call)


def of_grey(pixels: Pixels, what: str, call: str) -> Iterator[Needle]:
    """Cut needles from a grey picture, HxW uint8."""
    for row, column in places(pixels[..., None]):
        values = pixels[row, column : column + BYTE_VALUES]
        yield Needle(values.tobytes(), f"{what} u8", call)
        yield Needle(np.repeat(values, 3).tobytes(), f"{what} u8 tripled", call)
        for name, content in float_types(values[:FLOAT_VALUES]):
            yield Needle(content, f"{what} {name}", call)


def of_samples(samples: NDArray[np.uint16], what: str, call: str) -> Iterator[Needle]:
    """Cut needles from a picture of 16-bit samples, HxWx3, in both byte orders."""
    for row, column in places(samples):
        values = samples[row, column : column + BYTE_VALUES // 3]
        yield Needle(values.astype(">u2").tobytes(), f"{what} u16 big-endian", call)
        yield Needle(values.astype("<u2").tobytes(), f"{what} u16 little-endian", call)


def of_sound(samples: NDArray[np.int16], what: str, call: str) -> Iterator[Needle]:
    """Cut needles from sound, Nx2 samples of 16 bits, as samples and as floats in -1..1."""
    for start in spread(len(samples) - BYTE_VALUES):
        run = samples[start : start + FLOAT_VALUES]
        yield Needle(run[: BYTE_VALUES // 4].tobytes(), f"{what} s16 stereo", call)
        for side, channel in (("left", run[:, 0]), ("right", run[:, 1])):
            yield Needle(channel[: BYTE_VALUES // 2].tobytes(), f"{what} s16 {side}", call)
            floats = channel.astype(np.float32) / np.float32(1 << 15)
            yield Needle(floats[: BYTE_VALUES // 4].tobytes(), f"{what} f32 {side}", call)
        mixed = run.astype(np.float32).mean(axis=1) / np.float32(1 << 15)
        yield Needle(mixed[: BYTE_VALUES // 4].tobytes(), f"{what} f32 mono", call)


def of_numbers(values: NDArray[np.float64], what: str, call: str) -> Iterator[Needle]:
    """Cut needles from rows of numbers, TxC, as doubles and floats, by row and by column."""
    for row in spread(len(values) - 4):
        for kind, numbers in (("f64", values), ("f32", values.astype(np.float32))):
            yield Needle(numbers[row, :4].tobytes(), f"{what} {kind} row", call)
            column = np.ascontiguousarray(numbers[row : row + 4, 0])
            yield Needle(column.tobytes(), f"{what} {kind} column", call)
            angles = np.radians(column)
            yield Needle(angles.tobytes(), f"{what} {kind} column of radians", call)


def spread(length: int) -> Iterator[int]:
    """Choose places evenly, the first and the last among them."""
    return (place * max(length, 1) // (PLACES - 1) for place in range(PLACES))


def of_jpeg_planes(content: bytes, what: str, call: str) -> Iterator[Needle]:
    """Cut needles from what a JPEG decoder holds before it makes RGB of it."""
    with Image.open(BytesIO(content)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        image.draft("YCbCr", image.size)
        planes = np.asarray(image)
    for row, column in places(planes):
        run = planes[row, column : column + BYTE_VALUES]
        yield Needle(run[: BYTE_VALUES // 3].tobytes(), f"{what} YCbCr interleaved", call)
        yield Needle(np.ascontiguousarray(run[:, 0]).tobytes(), f"{what} Y plane", call)


def places(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Iterator[tuple[int, int]]:
    """Choose rows and columns, multiples of `BLOCK`, with room for a needle to the right."""
    height, width = pixels.shape[:2]
    room = BLOCK * FLOAT_VALUES
    # Half-way steps of the golden ratio cover the rows evenly, however many there are.
    rows = [int(height * (each * 0.618 % 1.0)) for each in range(PLACES - 2)]
    for number, row in enumerate((0, height - BLOCK, *rows)):
        column = (number * 52) % max(width - room, 1)
        yield row // BLOCK * BLOCK, column // BLOCK * BLOCK


def byte_layouts(pixels: Pixels, row: int, column: int) -> Iterator[tuple[str, Pixels]]:
    """Yield runs of bytes: interleaved, with a fourth byte, planar; in both colour orders."""
    run = pixels[row, column : column + BYTE_VALUES]
    yield "RGB", run[: BYTE_VALUES // 3]
    yield "BGR", run[: BYTE_VALUES // 3, ::-1]
    for fourth in (0, 255):
        padding = np.full((BYTE_VALUES // 4, 1), fourth, np.uint8)
        yield f"RGBx {fourth}", np.hstack((run[: BYTE_VALUES // 4], padding))
        yield f"BGRx {fourth}", np.hstack((run[: BYTE_VALUES // 4, ::-1], padding))
    for channel, name in enumerate("RGB"):
        yield f"plane {name}", run[:, channel]


def float_layouts(pixels: Pixels, row: int, column: int) -> Iterator[tuple[str, Pixels]]:
    """Yield runs of samples in the layouts that networks hold them in."""
    run = pixels[row, column : column + FLOAT_VALUES]
    yield "RGB", run.reshape(-1)[:FLOAT_VALUES]
    yield "BGR", run[:, ::-1].reshape(-1)[:FLOAT_VALUES]
    yield "plane", run[:, 0]
    yield "plane G", run[:, 1]
    spread = pixels[row, column : column + BLOCK * FLOAT_VALUES : BLOCK, 0]
    yield "block plane", spread[:FLOAT_VALUES]
    yield "block channels", pixels[row : row + BLOCK, column : column + BLOCK, 0].reshape(-1)
    yield "block pixels", pixels[row : row + BLOCK, column : column + BLOCK].reshape(-1)[:16]


def float_types(values: Pixels) -> Iterator[tuple[str, bytes]]:
    """Yield samples as f32, f16 and bf16, in 0..1, 0..255 and -1..1."""
    exact = values.reshape(-1).astype(np.float32)
    ranges = {
        "0..1": exact / np.float32(255),
        # Multiplied by the reciprocal, as compilers like to: some values round otherwise.
        "0..1 by factor": exact * np.float32(1 / 255),
        "0..255": exact,
        "-1..1": exact / np.float32(127.5) - np.float32(1),
    }
    for name, numbers in ranges.items():
        yield f"f32 {name}", numbers.tobytes()
        yield f"f16 {name}", numbers.astype(np.float16).tobytes()
        yield f"bf16 {name}", to_bf16(numbers).tobytes()


def to_bf16(numbers: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round to bfloat16, ties to even; the bits."""
    bits = numbers.view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded >> np.uint32(16)).astype(np.uint16)
