"""Pictures to measure with: samples at any size, as a camera would have them."""

from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = tuple(
    ROOT / "samples" / name
    for name in (
        "scenes/street.jpg",
        "people/anna_teal_tee_jeans_studio.jpg",
        "scenes/lake.jpg",
        "people/diego_red_tee_shorts_beach.jpg",
        "scenes/still.jpg",
        "people/mei_floral_dress_room.jpg",
    )
)
PERSON, GARMENT = SAMPLES[1], ROOT / "samples" / "garments" / "upper_striped_blouse.jpg"
QUALITY = 90


@cache
def jpeg(sample: Path, width: int, height: int) -> bytes:
    """Cut a sample to the proportions of a size and scale it there, as a JPEG."""
    file = BytesIO()
    with Image.open(sample) as opened:
        fitted = ImageOps.fit(opened.convert("RGB"), (width, height), Image.Resampling.LANCZOS)
    fitted.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def square_jpegs(side: int) -> tuple[bytes, ...]:
    """Make a JPEG of each sample, square."""
    return tuple(jpeg(sample, side, side) for sample in SAMPLES)
