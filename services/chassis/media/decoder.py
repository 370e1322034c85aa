"""Open a picture file whose header was checked, and bring its pixels to 8-bit sRGB (Pillow)."""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from services.chassis.errors import InvalidRequestError
from services.chassis.media import headers
from services.chassis.media.colour import MODE_GREY_16, SrgbConverter, alpha_of

Colour = Literal["grey", "palette", "rgb", "cmyk"]
"""How a file stores its colours."""

OPENERS: Final[Mapping[str, Callable[[BytesIO], ImageFile.ImageFile]]] = {
    headers.JPEG: JpegImageFile,
    headers.PNG: PngImageFile,
    headers.WEBP: WebPImageFile,
}
"""The readers themselves, not `Image.open`: that would try other formats, and it prints a warning
with the picture's size to a log."""

DECODER_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    Image.DecompressionBombError,
)
"""What Pillow raises on bytes that are not what they claim to be."""

EXIF_ORIENTATION: Final = 0x0112
ORIENTATION_UPRIGHT: Final = 1
ORIENTATION_MAX: Final = 8
ORIENTATIONS_SIDEWAYS: Final = frozenset({5, 6, 7, 8})
ORIENTATIONS_ROWS_REVERSED: Final = frozenset({3, 4, 7, 8})
ORIENTATIONS_COLUMNS_REVERSED: Final = frozenset({2, 3, 6, 7})
"""Seen from the upright picture, and before its axes are swapped."""

LEVELS_PER_BYTE: Final = np.uint16(257)
"""0 to 255 times this is 0 to 65535."""

BAND_PIXELS: Final = 1 << 18
"""Pixels converted at a time: measured fastest, and scratch memory stays near a megabyte."""


def open_picture(data: memoryview, media_type: str) -> ImageFile.ImageFile:
    """Open a picture without decoding it; a context manager. Raises one of `DECODER_ERRORS`."""
    return OPENERS[media_type](BytesIO(data))


def fill(
    image: ImageFile.ImageFile,
    pixels: NDArray[np.uint8],
    alpha: NDArray[np.uint8] | None,
    orientation: int,
) -> None:
    """Decode an opened picture upright into arrays. Raises one of `DECODER_ERRORS`.

    Args:
        image: as opened; its decoded form is held by Pillow until it is closed.
        pixels: HxWx3 uint8 to be filled with RGB in sRGB, 0..255; H and W as shown.
        alpha: HxW uint8 to be filled with the opacity, 255 opaque, or None.
        orientation: of the EXIF, 1 to 8.
    """
    image.load()
    stored_pixels = _as_stored(pixels, orientation)
    stored_alpha = None if alpha is None else _as_stored(alpha, orientation)
    to_srgb = SrgbConverter(image.mode, image.info.get("icc_profile"))
    for rows, band in _bands(image):
        np.copyto(stored_pixels[rows], np.asarray(to_srgb(band)))
        if stored_alpha is not None:
            np.copyto(stored_alpha[rows], np.asarray(alpha_of(band)))


def fill_levels(image: ImageFile.ImageFile, levels: NDArray[np.uint16], orientation: int) -> None:
    """Decode the grey levels of an opened picture upright. Raises one of `DECODER_ERRORS`.

    Args:
        image: as opened.
        levels: HxW uint16 to be filled, 0..65535; H and W as shown.
        orientation: of the EXIF, 1 to 8.
    """
    image.load()
    stored = _as_stored(levels, orientation)
    to_srgb = SrgbConverter(image.mode, image.info.get("icc_profile"))
    for rows, band in _bands(image):
        if band.mode == MODE_GREY_16:
            np.copyto(stored[rows], np.asarray(band))
        else:
            grey = np.asarray(to_srgb(band))[:, :, 0]
            np.multiply(grey, LEVELS_PER_BYTE, out=stored[rows])


def orientation_of(image: ImageFile.ImageFile) -> int:
    """Return the EXIF orientation; a picture with broken EXIF is shown as stored."""
    try:
        # The method of the base class: the one of PNG decodes the whole picture first.
        orientation = Image.Image.getexif(image).get(EXIF_ORIENTATION)
    except DECODER_ERRORS:
        return ORIENTATION_UPRIGHT
    if isinstance(orientation, int) and ORIENTATION_UPRIGHT <= orientation <= ORIENTATION_MAX:
        return orientation
    return ORIENTATION_UPRIGHT


def colour_of(mode: str) -> Colour:
    """Return how a file of a Pillow mode stores its colours."""
    if mode == "CMYK":
        return "cmyk"
    if mode.startswith("P"):
        return "palette"
    return "rgb" if mode.startswith("RGB") else "grey"


def refusal_of(error: BaseException) -> InvalidRequestError:
    """Make our error of one of `DECODER_ERRORS`; the foreign text is looked at, never passed on."""
    if "truncated" in str(error):
        return headers.truncated()
    return headers.unreadable("the picture can't be decoded")


def _bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Cut a picture in bands of whole rows, so that conversions need little scratch memory."""
    rows_max = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows_max):
        bottom = min(top + rows_max, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _as_stored(shown: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return a view of an upright array in the order of rows and columns that the file has.

    Writing through the view turns the picture on its way, without a second copy of it.
    """
    if orientation in ORIENTATIONS_ROWS_REVERSED:
        shown = shown[::-1]
    if orientation in ORIENTATIONS_COLUMNS_REVERSED:
        shown = shown[:, ::-1]
    return shown.swapaxes(0, 1) if orientation in ORIENTATIONS_SIDEWAYS else shown
