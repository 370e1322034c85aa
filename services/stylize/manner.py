"""How one call wants its pictures: the caller's options, read and held to their ranges."""

from dataclasses import dataclass
from enum import Enum, auto

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.ranges import require_between

STYLES_MAX = 8
STYLE_SCALE_MIN = 0.25
STYLE_SCALE_MAX = 4.0
LONG_SIDE_PIXELS_MIN = 16
LONG_SIDE_PIXELS_MAX = 16_384
QUALITY_DEFAULT = 90
QUALITY_MAX = 100


class Region(Enum):
    """Where a picture is changed."""

    WHOLE = auto()
    SUBJECT = auto()
    BACKGROUND = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What is the same for all pictures of a call.

    Attributes:
        strength: 0 (the photo, bit for bit) to 1 (the full style).
        preserve_colour: keep the photo's colours, take brightness and strokes only.
        region: where pictures are changed.
        style_scale: size of the strokes, 0.25 to 4.
        seed: chooses among equally good results.
        media_type: encoding of the results, empty = as each picture came.
        quality: 1 to 100.
        long_side_pixels_max: results are scaled down to it, 0 = own size.
    """

    strength: float = 1.0
    preserve_colour: bool = False
    region: Region = Region.WHOLE
    style_scale: float = 1.0
    seed: int = 0
    media_type: str = ""
    quality: int = QUALITY_DEFAULT
    long_side_pixels_max: int = 0

    def check(self, media_types: frozenset[str]) -> None:
        """Hold every option to its range.

        Args:
            media_types: encodings that results can leave in.

        Raises:
            InvalidRequestError: an option is out of range; the field is named.
        """
        require_between(self.strength, 0.0, 1.0, "options.strength")
        require_between(self.style_scale, STYLE_SCALE_MIN, STYLE_SCALE_MAX, "options.style_scale")
        require_between(self.quality, 1, QUALITY_MAX, "options.format.quality")
        if self.long_side_pixels_max:
            require_between(
                self.long_side_pixels_max,
                LONG_SIDE_PIXELS_MIN,
                LONG_SIDE_PIXELS_MAX,
                "options.format.long_side_pixels_max",
            )
        if self.media_type and self.media_type not in media_types:
            known = ", ".join(sorted(media_types))
            raise InvalidRequestError(
                Reason.MEDIA_TYPE_UNSUPPORTED,
                f"results can leave as {known}",
                field="options.format.media_type",
                metadata={"known": known},
            )
