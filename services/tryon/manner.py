"""How one call wants its picture: the caller's options, read and held to their ranges."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media.headers import ALLOWED_MEDIA_TYPES
from services.tryon.outfit import Hint

LONG_SIDE_PIXELS_MIN = 16
LONG_SIDE_PIXELS_MAX = 16_384
QUALITY_DEFAULT = 90
QUALITY_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What a caller asks for besides the media.

    Attributes:
        hints: what is known of the garments, by the index of their medium.
        person: point of the person, 0..1 from the left and from the top, None for the most
            prominent one.
        mask_wanted: whether the edit mask is answered too.
        seed: chooses among equally good results.
        media_type: encoding of the result, empty = as the photo came.
        quality: 1 to 100.
        long_side_pixels_max: the result is scaled down to it, 0 = own size.
    """

    hints: Mapping[int, Hint] = field(default_factory=dict)
    person: tuple[float, float] | None = None
    mask_wanted: bool = False
    seed: int = 0
    media_type: str = ""
    quality: int = QUALITY_DEFAULT
    long_side_pixels_max: int = 0

    def check(self) -> None:
        """Hold every option to its range.

        Raises:
            InvalidRequestError: an option is out of range; the field is named.
        """
        if self.person is not None and not all(0.0 <= share <= 1.0 for share in self.person):
            raise out_of_range("must lie within the photo, from 0 to 1", "options.person")
        if not 1 <= self.quality <= QUALITY_MAX:
            raise out_of_range(f"must be from 1 to {QUALITY_MAX}", "options.format.quality")
        side = self.long_side_pixels_max
        if side and not LONG_SIDE_PIXELS_MIN <= side <= LONG_SIDE_PIXELS_MAX:
            raise out_of_range(
                f"must be from {LONG_SIDE_PIXELS_MIN} to {LONG_SIDE_PIXELS_MAX}",
                "options.format.long_side_pixels_max",
            )
        if self.media_type and self.media_type not in ALLOWED_MEDIA_TYPES:
            known = ", ".join(sorted(ALLOWED_MEDIA_TYPES))
            raise InvalidRequestError(
                Reason.MEDIA_TYPE_UNSUPPORTED,
                f"results can leave as {known}",
                field="options.format.media_type",
                metadata={"known": known},
            )


def out_of_range(message: str, path: str) -> InvalidRequestError:
    """Refuse an option, and tell its range."""
    return InvalidRequestError(Reason.OPTION_INVALID, message, field=path)
