"""Pictures: encoded bytes to 8-bit sRGB arrays in the arena, and back.

JPEG, PNG and WebP are opened, nothing else. A picture leaves without the metadata it came with,
since it is encoded anew from its pixels: no EXIF, GPS, XMP, comment, thumbnail or provenance record
has a way through. Left out on purpose: gamma and chromaticity that bare PNG chunks give in place of
a profile, and the further pictures of multi-picture JPEGs (gain maps, stereo pairs).
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media import headers
from services.chassis.media.colour import SrgbConverter, has_alpha, srgb_profile
from services.chassis.media.decoder import (
    DECODER_ERRORS,
    ORIENTATIONS_SIDEWAYS,
    Colour,
    colour_of,
    fill,
    fill_levels,
    open_picture,
    orientation_of,
    refusal_of,
)
from services.chassis.media.encoder import encode
from services.chassis.memory.arena import Arena, Budget

__all__ = [
    "ImageHeader",
    "ImageLimits",
    "Picture",
    "decode",
    "decode_levels",
    "encode",
    "probe",
    "warm_up",
]

MEDIA_TYPE_ALIASES: Final = {"image/jpg": headers.JPEG, "image/pjpeg": headers.JPEG}

WARM_UP_BYTES: Final = 16 * 1024 * 1024
WARM_UP_QUALITY: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """How large a picture may be, checked before memory is taken for it."""

    pixels_max: int = 40_000_000
    """Width times height."""
    side_max: int = 16_383
    """Pixels of the longer side: what WebP holds, so that any picture can leave in any format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What an encoded picture says of itself.

    Attributes:
        width: columns as shown, that is with the orientation applied.
        height: rows as shown.
        media_type: `image/jpeg`, `image/png` or `image/webp`.
        bit_depth: bits per sample as stored.
        colour: how colours are stored.
        has_alpha: whether it has an alpha channel or a transparent colour.
        orientation: as in EXIF, 1 (upright) to 8.
    """

    width: int
    height: int
    media_type: str
    bit_depth: int
    colour: Colour
    has_alpha: bool
    orientation: int

    @property
    def decoded_bytes(self) -> int:
        """Bytes of the arena that `decode` takes."""
        return self.width * self.height * (4 if self.has_alpha else 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture; the memory belongs to the arena it was decoded into.

    Attributes:
        pixels: HxWx3 uint8, RGB, sRGB, 0..255, not multiplied by alpha.
        alpha: HxW uint8, 255 opaque, or None for an opaque picture.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def probe(data: memoryview, declared_media_type: str, limits: ImageLimits) -> ImageHeader:
    """Read a picture's header, and refuse what can't be decoded before memory is taken for it.

    Args:
        data: the whole encoded file.
        declared_media_type: what the caller says it is; empty to go by the bytes alone.
        limits: how large it may be.

    Raises:
        InvalidRequestError: UPLOAD_EMPTY, MEDIA_TYPE_UNSUPPORTED, MEDIA_TYPE_MISMATCH,
            MEDIA_UNREADABLE, MEDIA_TRUNCATED or MEDIA_ANIMATED.
        LimitError: PIXELS_TOO_MANY.
    """
    media_type = headers.sniff(data)
    _require_declared(declared_media_type, media_type)
    frame = headers.read_frame(data, media_type)
    _require_size(frame, limits)
    if not frame.complete:
        raise headers.truncated()
    if frame.animated:
        raise InvalidRequestError(Reason.MEDIA_ANIMATED, "animated pictures are not accepted")
    try:
        with open_picture(data, media_type) as image:
            opened_size = image.size
            header = _describe(image, frame, media_type)
    except DECODER_ERRORS as error:
        refusal = refusal_of(error)
    else:
        if opened_size == (frame.width, frame.height):
            return header
        refusal = headers.unreadable("the file gives two sizes for one picture")
    # Raised outside the handler, so that no chain of exceptions keeps the caller's bytes alive.
    raise refusal


def decode(data: memoryview, header: ImageHeader, arena: Arena) -> Picture:
    """Decode a picture upright, as 8-bit sRGB, into the arena.

    ICC profiles are honoured (relative colorimetric, black point compensation). 16-bit samples keep
    their high byte. Besides `header.decoded_bytes` of the arena, the decoder holds scratch memory
    of 4 bytes a pixel (WebP 12) while it works, and frees it before this returns.

    Args:
        data: the file that `header` was probed from, unchanged since.
        header: what `probe` returned.
        arena: where the pixels go.

    Raises:
        InvalidRequestError: MEDIA_UNREADABLE or MEDIA_TRUNCATED; faults that only decoding shows.
        LimitError, BusyError: the arena has no room.
    """
    size = (header.height, header.width)
    pixels = arena.array((*size, 3), np.uint8)
    alpha = arena.array(size, np.uint8) if header.has_alpha else None
    try:
        with open_picture(data, header.media_type) as image:
            fill(image, pixels, alpha, header.orientation)
    except DECODER_ERRORS as error:
        refusal = refusal_of(error)
    else:
        return Picture(pixels=pixels, alpha=alpha)
    raise refusal


def decode_levels(data: memoryview, header: ImageHeader, arena: Arena) -> NDArray[np.uint16]:
    """Decode the grey levels of a map upright into the arena, all 16 bits that a PNG may have.

    Args:
        data: the file that `header` was probed from, unchanged since.
        header: what `probe` returned.
        arena: where the levels go.

    Returns:
        HxW, 0..65535; those of 8 bits are spread over all of it, and of colours red is taken.

    Raises:
        InvalidRequestError, LimitError, BusyError: as `decode`.
    """
    levels = arena.array((header.height, header.width), np.uint16)
    try:
        with open_picture(data, header.media_type) as image:
            fill_levels(image, levels, header.orientation)
    except DECODER_ERRORS as error:
        refusal = refusal_of(error)
    else:
        return levels
    raise refusal


def warm_up() -> None:
    """Run every decoder and encoder once, and keep Pillow out of the log.

    Call it once at start-up: Pillow loads parts of itself late, when a sealed process can no longer
    read files. What it warns of and logs quotes from pictures, and a log outlives the call.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    pixels = np.zeros((16, 16, 3), np.uint8)
    limits = ImageLimits()
    with Budget(WARM_UP_BYTES).lease(0) as arena:
        for media_type in headers.ALLOWED_MEDIA_TYPES:
            for alpha in (None, pixels[..., 0]):
                data = encode(pixels, alpha, media_type, WARM_UP_QUALITY, arena)
                decode(data, probe(data, media_type, limits), arena)
    SrgbConverter("RGB", srgb_profile())
    # Loads what reads and writes EXIF.
    Image.Exif().tobytes()


def _require_declared(declared: str, media_type: str) -> None:
    declared = MEDIA_TYPE_ALIASES.get(declared, declared)
    if not declared:
        return
    if declared not in headers.ALLOWED_MEDIA_TYPES:
        raise headers.unsupported()
    if declared != media_type:
        message = "the bytes are of another type than declared"
        raise InvalidRequestError(Reason.MEDIA_TYPE_MISMATCH, message)


def _require_size(frame: headers.Frame, limits: ImageLimits) -> None:
    if not (frame.width and frame.height):
        raise headers.unreadable("the picture has no pixels")
    if (
        frame.width * frame.height > limits.pixels_max
        or max(frame.width, frame.height) > limits.side_max
    ):
        message = f"a picture may have {limits.pixels_max} pixels, {limits.side_max} on a side"
        metadata = {"pixels_max": str(limits.pixels_max), "side_max": str(limits.side_max)}
        raise LimitError(Reason.PIXELS_TOO_MANY, message, metadata=metadata)


def _describe(image: ImageFile.ImageFile, frame: headers.Frame, media_type: str) -> ImageHeader:
    orientation = orientation_of(image)
    sideways = orientation in ORIENTATIONS_SIDEWAYS
    return ImageHeader(
        width=frame.height if sideways else frame.width,
        height=frame.width if sideways else frame.height,
        media_type=media_type,
        bit_depth=frame.bit_depth,
        colour=colour_of(image.mode),
        has_alpha=has_alpha(image),
        orientation=orientation,
    )
