"""Test pictures in every form that an upload may take, made from nothing."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

EXIF_ORIENTATION = 0x0112
EXIF_MAKE = 0x010F
EXIF_GPS = 0x8825


def gradient(height: int, width: int) -> NDArray[np.uint8]:
    """Return HxWx3 uint8 RGB: red grows rightwards, green downwards, blue is a smooth hill.

    Smooth, so that lossy formats keep it nearly exact; no two corners are alike, so that a wrong
    turn shows.
    """
    down, right = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    hill = np.exp(-8 * ((right - 0.7) ** 2 + (down - 0.3) ** 2))
    return np.round(np.stack([right, down, hill], axis=-1) * 255).astype(np.uint8)


def noise(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Return HxWx3 uint8 of noise that no encoder can shrink."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encoded(pixels: NDArray[Any] | Image.Image, file_format: str, **options: object) -> memoryview:
    """Encode an array or a Pillow image as `JPEG`, `PNG`, `WEBP` or `GIF`."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = BytesIO()
    image.save(file, file_format, **options)
    return memoryview(file.getvalue())


def turned(pixels: NDArray[np.uint8], orientation: int, file_format: str) -> memoryview:
    """Store upright pixels the way a camera held otherwise would, with its EXIF orientation."""
    turns = {
        1: lambda shown: shown,
        2: lambda shown: shown[:, ::-1],
        3: lambda shown: shown[::-1, ::-1],
        4: lambda shown: shown[::-1],
        5: lambda shown: shown.swapaxes(0, 1),
        6: lambda shown: np.rot90(shown, 1),
        7: lambda shown: np.rot90(shown, 2).swapaxes(0, 1),
        8: lambda shown: np.rot90(shown, -1),
    }
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored = np.ascontiguousarray(turns[orientation](pixels))
    return encoded(stored, file_format, exif=exif)


def with_metadata(pixels: NDArray[np.uint8], file_format: str, secret: str) -> memoryview:
    """Encode with `secret` in every place for metadata that the format has."""
    exif = Image.Exif()
    exif[EXIF_MAKE] = secret
    exif.get_ifd(EXIF_GPS)[29] = secret
    options: dict[str, Any] = {"exif": exif, "xmp": f"<x>{secret}</x>".encode()}
    if file_format == "JPEG":
        options["comment"] = secret
    if file_format == "PNG":
        text = PngInfo()
        text.add_text("Comment", secret)
        text.add_itxt("XML:com.adobe.xmp", secret)
        options = {"exif": exif, "pnginfo": text}
    return encoded(pixels, file_format, **options)


def png(
    width: int,
    height: int,
    bit_depth: int,
    colour_type: int,
    rows: bytes,
    *chunks: tuple[bytes, bytes],
) -> memoryview:
    """Write a PNG chunk by chunk, for forms that Pillow can't write.

    Args:
        width: columns that the header claims.
        height: rows that the header claims.
        bit_depth: of the header.
        colour_type: of the header; 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.
        rows: filtered rows, each with its filter byte, not yet compressed.
        chunks: (name, body) that come before the pixels.
    """
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return memoryview(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def chunk(name: bytes, body: bytes) -> bytes:
    """Write one PNG chunk with its length and checksum."""
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def png_rows(samples: NDArray[np.uint16]) -> bytes:
    """Return HxWxC 16-bit samples as unfiltered PNG rows."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)


def bomb(file_format: str, width: int, height: int) -> memoryview:
    """Make a file of at most 1 kB whose header claims width x height pixels."""
    if file_format == "PNG":
        return png(width, height, 8, 2, bytes(64))
    if file_format == "JPEG":
        # The size stands behind the marker of the frame, its length and its bit depth.
        data = bytearray(encoded(gradient(8, 8), "JPEG"))
        position = data.index(b"\xff\xc0") + 5
        data[position : position + 4] = struct.pack(">HH", height, width)
        return memoryview(bytes(data))
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    inner = bytes(encoded(gradient(8, 8), "WEBP", lossless=True))[12:]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + inner
    return memoryview(b"RIFF" + struct.pack("<I", len(body)) + body)


def animated(file_format: str) -> memoryview:
    """Encode two different frames as one moving picture: `GIF`, `PNG` or `WEBP`."""
    first, second = (Image.fromarray(noise(16, 16, seed)) for seed in (1, 2))
    return encoded(first, file_format, save_all=True, append_images=[second], duration=100)


def matrix_profile(*, colorants: str = "RGB", gamma: float | None = None) -> bytes:
    """Write an ICC profile of an RGB space that has the primaries of sRGB in another order.

    Args:
        colorants: which of the sRGB primaries each channel stands for; `GRB` swaps the first two.
        gamma: of all channels; None for the curve of sRGB.
    """
    curve = _curve(gamma)
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    for channel, colorant in zip("rgb", colorants, strict=True):
        tags[f"{channel}XYZ".encode()] = _xyz(*SRGB_COLORANTS[colorant])
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    """Write an ICC profile of a grey space with a pure power as its curve."""
    return _profile(b"GRAY", {b"kTRC": _curve(gamma)})


SRGB_COLORANTS = {
    "R": (0.43607, 0.22249, 0.01392),
    "G": (0.38515, 0.71687, 0.09708),
    "B": (0.14307, 0.06061, 0.71410),
}
"""XYZ of the primaries, adapted to D50 as ICC profiles want it."""

D50 = (0.96420, 1.0, 0.82491)


def _curve(gamma: float | None) -> bytes:
    if gamma is not None:
        return b"para" + bytes(4) + struct.pack(">HHi", 0, 0, round(gamma * 65536))
    steps = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    values = [round(step * 65536) for step in steps]
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *values)


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *[round(value * 65536) for value in values])


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Lay out a version 4 profile: header, table of tags, tags (ISO 15076-1)."""
    tags = {b"wtpt": _xyz(*D50), **tags}
    table, bodies = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += name + struct.pack(">II", start + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    size = struct.pack(">I", start + len(bodies))
    head = size + bytes(4) + b"\x04\x30\0\0mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    head += bytes(68 - len(head)) + _xyz(*D50)[8:]
    return head + bytes(128 - len(head)) + table + bodies
