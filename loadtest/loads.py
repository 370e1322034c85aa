"""What callers ask of each feature under load, and how each call must end."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from batchpix_client.jobs.dance import DanceJob
from batchpix_client.jobs.job import AnyJob
from batchpix_client.jobs.stylize import StylizeJob
from batchpix_client.jobs.tryon import TryOnJob
from batchpix_client.jobs.video import VideoJob
from batchpix_client.media import Source

OK = "OK"
UNREADABLE = "INVALID_ARGUMENT MEDIA_UNREADABLE"
SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PERSON = SAMPLES / "people" / "anna_teal_tee_jeans_studio.jpg"
GARMENT = SAMPLES / "garments" / "upper_striped_blouse.jpg"
SMALL, LARGE = (512, 512), (1920, 1080)
BATCH_PICTURES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One kind of call.

    Attributes:
        name: what it is, in a report.
        job: what is asked for.
        photos: what it is asked of.
        ending: how it must end, "OK" or an error's code and reason.
        share: how often it is made, against the others of its feature.
    """

    name: str
    job: AnyJob
    photos: Sequence[Source]
    ending: str = OK
    share: int = 1


def stylize_loads(style: str, side: int) -> list[Load]:
    """One photo, small and large, a batch, and a file that is no picture."""
    job, small = StylizeJob(style), photo(side, side)
    return [
        Load(name=f"one of {side}x{side}", job=job, photos=[small], share=6),
        Load(name="one of 1920x1080", job=job, photos=[photo(*LARGE)], share=2),
        Load(name=f"four of {side}x{side}", job=job, photos=[small] * BATCH_PICTURES),
        Load(name="no picture", job=job, photos=[b"no picture"], ending=UNREADABLE),
    ]


def video_loads(side: int) -> list[Load]:
    """A short clip, a loop, and a file that is no picture."""
    short = VideoJob(camera="orbit", seconds=2, frames_per_second=24)
    loop = VideoJob(camera="circle", loop=True, seconds=4)
    small = photo(side, side)
    return [
        Load(name=f"2 s of {side}x{side}", job=short, photos=[small], share=4),
        Load(name=f"loop of {side}x{side}", job=loop, photos=[small]),
        Load(name="no picture", job=short, photos=[b"no picture"], ending=UNREADABLE),
    ]


def dance_loads(move: str) -> list[Load]:
    """A short dance, and a photo without a person."""
    job = DanceJob(moves=[move], seconds=2, frames_per_second=24, height_pixels=640)
    nobody = "INVALID_ARGUMENT PERSON_NOT_FOUND"
    return [
        Load(name="2 s of 640 rows", job=job, photos=[PERSON], share=4),
        Load(name="nobody there", job=job, photos=[photo(*SMALL)], ending=nobody),
    ]


def tryon_loads() -> list[Load]:
    """One garment on one person, and a file that is no picture."""
    job = TryOnJob([GARMENT], long_side_pixels_max=768)
    return [
        Load(name="a top", job=job, photos=[PERSON], share=4),
        Load(name="no picture", job=job, photos=[b"no picture"], ending=UNREADABLE),
    ]


def loads_of(feature: str, names: Mapping[str, str], side: int = SMALL[0]) -> list[Load]:
    """List the calls of a feature, the most usual first.

    Args:
        feature: "stylize", "video", "dance" or "tryon".
        names: for stylize and dance, a style or a move that the mesh knows.
        side: pixels of the side of small photos.
    """
    match feature:
        case "stylize":
            return stylize_loads(names[feature], side)
        case "video":
            return video_loads(side)
        case "dance":
            return dance_loads(names[feature])
        case _:
            return tryon_loads()


@cache
def photo(width_pixels: int, height_pixels: int) -> bytes:
    """Draw a JPEG that is as hard to encode as a photo: soft shapes with grain.

    Returns:
        An RGB JPEG of that size, the same each time.
    """
    source = np.random.default_rng(0)
    shapes = Image.fromarray(source.integers(0, 256, (6, 8, 3), np.uint8))
    smooth = np.asarray(shapes.resize((width_pixels, height_pixels), Image.Resampling.BICUBIC))
    grain = source.normal(0, 6, smooth.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(file, "JPEG")
    return file.getvalue()
