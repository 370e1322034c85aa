"""Bring decoded pixels of any colour space to 8-bit sRGB (Pillow and LittleCMS)."""

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageCms

PROFILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Press profiles for CMYK stay under 3 MB; a larger one is ignored."""

PROFILE_SPACES: Final = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}
"""Pillow mode -> colour space (ICC name) of the profiles that may describe it."""

IDENTITY_LEVELS_MAX: Final = 1
"""A profile that moves no colour by more than this many of 255 levels is sRGB by another name."""

PROBE_STEPS: Final = 9
"""Grid per channel on which a transform is compared with doing nothing."""

MODE_GREY_16: Final = "I;16"

MODES_WITH_ALPHA: Final = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})


class SrgbConverter:
    """Convert bands of one picture to sRGB.

    The rendering is relative colorimetric with black point compensation. A profile that is
    broken, too large or of another colour space than the pixels is ignored, as browsers do.
    """

    def __init__(self, mode: str, profile: bytes | None) -> None:
        """Prepare for pixels of a Pillow mode, described by an ICC profile or by none."""
        self._source_mode = _colour_mode(mode)
        self._transform = _transform(self._source_mode, profile) if profile else None

    def __call__(self, band: Image.Image) -> Image.Image:
        """Return the band as 8-bit RGB, its alpha (if any) left out."""
        if band.mode == MODE_GREY_16:
            band = _high_byte(band)
        elif band.mode == "P" and "transparency" in band.info:
            # One step would be refused with a warning; alpha is cut off again below.
            band = band.convert("RGBA")
        if band.mode != self._source_mode:
            band = band.convert(self._source_mode)
        if self._transform is not None:
            return self._transform.apply(band)
        return band if band.mode == "RGB" else band.convert("RGB")


def has_alpha(image: Image.Image) -> bool:
    """Say whether an opened picture has an alpha channel or a transparent colour."""
    return image.mode in MODES_WITH_ALPHA or "transparency" in image.info


def alpha_of(band: Image.Image) -> Image.Image:
    """Return the alpha of a band as 8-bit grey, 255 opaque."""
    if band.mode == MODE_GREY_16:
        transparent = np.asarray(band) == band.info["transparency"]
        return Image.fromarray(np.where(transparent, 0, 255).astype(np.uint8))
    return band.convert("RGBA").getchannel("A")


def srgb_profile() -> bytes:
    """Return the ICC profile of sRGB itself."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _colour_mode(mode: str) -> str:
    """Return the mode without alpha or palette in which the colours are managed."""
    if mode in {"1", "L", "LA", "La", MODE_GREY_16}:
        return "L"
    return "CMYK" if mode == "CMYK" else "RGB"


def _high_byte(band: Image.Image) -> Image.Image:
    """Bring 16-bit grey to 8 bits as Pillow brings 16-bit colour there; its own way is to clip."""
    return Image.fromarray((np.asarray(band) >> 8).astype(np.uint8))


def _transform(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
    if len(profile) > PROFILE_BYTES_MAX:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != PROFILE_SPACES[mode]:
            return None
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if mode == "RGB" and _is_identity(transform) else transform


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Say whether a transform leaves a grid of colours where they are.

    Most photos name sRGB itself as their profile; finding that out on a grid is cheaper than
    converting every pixel to what it is.
    """
    steps = np.linspace(0, 255, PROBE_STEPS).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(PROBE_STEPS, -1, 3)
    converted = np.asarray(transform.apply(Image.fromarray(grid)))
    return int(np.abs(converted.astype(np.int16) - grid).max()) <= IDENTITY_LEVELS_MAX
