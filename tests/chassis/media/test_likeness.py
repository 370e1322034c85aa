"""The opening picture of a film is nearer to its photo than standard brightness makes it."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

from services.chassis.media.clip import QUALITY_DEFAULT
from services.chassis.media.likeness import liken
from services.chassis.media.movie import MovieFormat
from services.chassis.raster.cpu import CpuRaster
from tests.chassis.media.films import film, plainly_decoded

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
PHOTOS = ("scenes/lake", "scenes/street", "people/anna_striped_blouse_skirt_studio")


def planes_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a picture into NV12."""
    planes = np.empty((picture.shape[0] * 3 // 2, picture.shape[1]), np.uint8)
    CpuRaster(1).to_nv12(picture, planes)
    return planes


def shown(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Show NV12 as a fast player does, which gives each pixel the colour of its four."""
    frame = av.VideoFrame.from_ndarray(planes, format="nv12").reformat(format="yuv420p")
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    return frame.to_ndarray(format="rgb24")


def decibels(seen: NDArray[np.uint8], photo: NDArray[np.uint8]) -> float:
    """Measure how like a picture is to the photo: peak signal to noise ratio."""
    return float(10 * np.log10(255**2 / np.mean((seen.astype(float) - photo) ** 2)))


def photo_of(name: str) -> NDArray[np.uint8]:
    """Read a sample photo."""
    with Image.open(SAMPLES / f"{name}.jpg") as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_is_shown_nearer_to_itself(name: str) -> None:
    """What a fast player shows errs less, by half a decibel at least."""
    photo = photo_of(name)
    plain = planes_of(photo)
    liked = plain.copy()
    liken(photo, liked)

    assert decibels(shown(liked), photo) > decibels(shown(plain), photo) + 0.5
    assert np.array_equal(liked[photo.shape[0] :], plain[photo.shape[0] :])


def test_grey_stays_grey_within_a_step() -> None:
    """Without colour there is nothing to make up for: every level but the lift stays."""
    grey = np.repeat(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 2, 0), 3, 2)
    plain = planes_of(grey)
    liked = plain.copy()
    liken(grey, liked)
    step = liked.astype(int) - plain

    assert set(np.unique(step)) <= {0, 1}
    assert (liked[:2].min(), liked[:2].max()) == (16, 235)


@pytest.mark.parametrize("name", PHOTOS)
def test_the_first_frame_of_a_film_is_the_photo(name: str) -> None:
    """At the default quality 40 decibels are left after H.264, however simply it is decoded."""
    photo = photo_of(name)
    height, width = photo.shape[:2]
    made = MovieFormat(height=height, width=width, frames_per_second=30.0, quality=QUALITY_DEFAULT)
    first = plainly_decoded(b"".join(film([photo] * 2, made=made)))[0]

    assert decibels(first, photo) >= 40.0
