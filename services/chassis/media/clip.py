"""How a clip is wanted: container, length, rate, size and quality, held to their ranges."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media import headers
from services.chassis.ranges import require_between

SECONDS_MIN: Final = 1.0
SECONDS_MAX: Final = 60.0
SECONDS_DEFAULT: Final = 4.0
RATE_MIN: Final = 12.0
RATE_MAX: Final = 60.0
RATE_DEFAULT: Final = 30.0
SIDE_PIXELS_MIN: Final = 16
SIDE_PIXELS_MAX: Final = 3840
QUALITY_DEFAULT: Final = 75
QUALITY_MAX: Final = 100
FRAMES_MAX: Final = int(SECONDS_MAX * RATE_MAX)
FRAME_QUALITY_DEFAULT: Final = 90
# A clip that follows its photo is as large as people watch clips; a larger one has to be asked for.
FOLLOWED_LONG_SIDE_MAX: Final = 1280


class Container(Enum):
    """What a clip leaves as."""

    FRAGMENTED_MP4 = auto()
    FRAMES = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFormat:
    """How one clip is encoded.

    Attributes:
        container: fragments of one MP4, or single pictures.
        seconds: length, 1 to 60.
        frames_per_second: 12 to 60.
        width_pixels: 16 to 3,840, or 0 to follow the photo.
        height_pixels: the same.
        quality: 1 (smallest) to 100 (best), of an MP4.
        frame_media_type: encoding of single pictures.
        frame_quality: 1 to 100, of single pictures.
    """

    container: Container = Container.FRAGMENTED_MP4
    seconds: float = SECONDS_DEFAULT
    frames_per_second: float = RATE_DEFAULT
    width_pixels: int = 0
    height_pixels: int = 0
    quality: int = QUALITY_DEFAULT
    frame_media_type: str = headers.JPEG
    frame_quality: int = FRAME_QUALITY_DEFAULT

    @property
    def frame_count(self) -> int:
        """Frames of the clip."""
        return max(round(self.seconds * self.frames_per_second), 1)

    def check(self) -> None:
        """Hold every value to its range.

        Raises:
            InvalidRequestError: a value is out of range; the field is named.
        """
        require_between(self.seconds, SECONDS_MIN, SECONDS_MAX, "options.format.seconds")
        require_between(
            self.frames_per_second, RATE_MIN, RATE_MAX, "options.format.frames_per_second"
        )
        for name in ("width_pixels", "height_pixels"):
            if side := getattr(self, name):
                require_between(side, SIDE_PIXELS_MIN, SIDE_PIXELS_MAX, f"options.format.{name}")
        require_between(self.quality, 1, QUALITY_MAX, "options.format.quality")
        require_between(self.frame_quality, 1, QUALITY_MAX, "options.format.frames.quality")
        if self.frame_media_type not in headers.ALLOWED_MEDIA_TYPES:
            known = ", ".join(sorted(headers.ALLOWED_MEDIA_TYPES))
            raise InvalidRequestError(
                Reason.MEDIA_TYPE_UNSUPPORTED,
                f"frames can leave as {known}",
                field="options.format.frames.media_type",
                metadata={"known": known},
            )

    def require_frames(self, frames_max: int) -> None:
        """Refuse a clip that is longer than one call may have.

        Raises:
            LimitError: FRAMES_TOO_MANY.
        """
        if self.frame_count > frames_max:
            raise LimitError(
                Reason.FRAMES_TOO_MANY,
                f"a clip may have {frames_max} frames",
                field="options.format",
                metadata={"frames_max": str(frames_max)},
            )

    def size_for(self, height: int, width: int) -> tuple[int, int]:
        """Choose the clip's size for a photo of a given size.

        Where one side is asked for the other follows the photo's proportions; where none is, the
        clip has the photo's own size, up to a long side of 1280 pixels.

        Args:
            height: rows of the photo.
            width: columns of the photo.

        Returns:
            Rows and columns, even numbers as H.264 with halved colour wants them.
        """
        if self.width_pixels and self.height_pixels:
            return even(self.height_pixels), even(self.width_pixels)
        if self.width_pixels:
            scale = self.width_pixels / width
        elif self.height_pixels:
            scale = self.height_pixels / height
        else:
            scale = min(1.0, FOLLOWED_LONG_SIDE_MAX / max(height, width))
        return even(height * scale), even(width * scale)


def even(length: float) -> int:
    """Round to the nearest even number of pixels that a clip can have on a side."""
    return min(max(2 * round(length / 2), SIDE_PIXELS_MIN), SIDE_PIXELS_MAX)
