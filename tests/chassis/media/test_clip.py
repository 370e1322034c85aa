"""How a clip may be wanted."""

import pytest

from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media.clip import ClipFormat


def test_a_clip_has_its_length_in_frames() -> None:
    """Length times rate, rounded to whole frames."""
    assert ClipFormat(seconds=4.0, frames_per_second=29.97).frame_count == 120


@pytest.mark.parametrize(
    ("wanted", "photo", "size"),
    [
        (ClipFormat(), (601, 799), (600, 800)),
        (ClipFormat(), (4000, 6000), (854, 1280)),
        (ClipFormat(), (1, 1000), (16, 1000)),
        (ClipFormat(width_pixels=640), (1000, 2000), (320, 640)),
        (ClipFormat(height_pixels=641), (1000, 2000), (640, 1282)),
        (ClipFormat(width_pixels=300, height_pixels=500), (1000, 2000), (500, 300)),
    ],
)
def test_a_clip_follows_its_photo(
    wanted: ClipFormat, photo: tuple[int, int], size: tuple[int, int]
) -> None:
    """What is not asked for follows the photo, in even numbers and within the limits."""
    assert wanted.size_for(*photo) == size


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (ClipFormat(seconds=0.5), "seconds"),
        (ClipFormat(seconds=61.0), "seconds"),
        (ClipFormat(seconds=float("nan")), "seconds"),
        (ClipFormat(frames_per_second=11.0), "frames_per_second"),
        (ClipFormat(frames_per_second=61.0), "frames_per_second"),
        (ClipFormat(width_pixels=15), "width_pixels"),
        (ClipFormat(height_pixels=3841), "height_pixels"),
        (ClipFormat(quality=101), "quality"),
        (ClipFormat(frame_quality=101), "frames.quality"),
        (ClipFormat(frame_media_type="image/gif"), "frames.media_type"),
    ],
)
def test_what_is_out_of_range_is_refused(wanted: ClipFormat, field: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidRequestError) as refusal:
        wanted.check()

    assert refusal.value.field == f"options.format.{field}"


def test_a_clip_has_a_limit_of_frames() -> None:
    """More frames than a call may have are refused, and the limit is told."""
    with pytest.raises(LimitError) as refusal:
        ClipFormat(seconds=10.0, frames_per_second=30.0).require_frames(299)

    assert (refusal.value.reason, refusal.value.metadata["frames_max"]) == (
        Reason.FRAMES_TOO_MANY,
        "299",
    )
