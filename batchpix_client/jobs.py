"""What a caller wants done with its pictures, as one record and as the protocol's options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.errors import BatchpixError
from batchpix_client.pictures import Picture, Source, as_picture

DEADLINE_SECONDS = 60.0  # of a call whose caller names none
QUESTION_SECONDS = 10.0  # deadline of the small calls: styles and policy
FORMATS = {"jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class Region(StrEnum):
    """Where pictures are changed."""

    WHOLE = "whole"
    SUBJECT = "subject"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedStyle:
    """A part of a mix of styles.

    Attributes:
        source: the name of a style (text), or a picture whose style is taken.
        weight: share in the mix, more than 0; shares need not sum to 1.
    """

    source: str | Source
    weight: float = 1.0


Style = str | Source | Mapping[str, float] | Sequence[str | Source | WeightedStyle]


@dataclass(frozen=True, slots=True, kw_only=True)
class StylizeJob:
    """How the pictures of one call are stylised; the fields are those of `StylizeOptions`.

    Attributes:
        style: a name, a picture, a mapping of names to weights, or a sequence to mix.
        strength: 0 (the photo) to 1 (the full style).
        preserve_colour: keep the photo's own colours.
        region: where pictures are changed.
        masks: for the picture at the same position, a grey picture of its size that chooses
            (255) where it is changed; None for a picture without one.
        style_scale: size of the strokes, 0.25 to 4.
        seed: chooses among equally good results.
        format: "jpeg", "png", "webp" or a media type; empty = as each picture came.
        quality: 1 to 100; 0 = the service's default.
        long_side_pixels_max: results are scaled down to this; 0 = the picture's own size.
        deadline_seconds: time for the whole call, retries included.
    """

    style: Style
    strength: float | None = None
    preserve_colour: bool = False
    region: Region | str = Region.WHOLE
    masks: Sequence[Source | None] = ()
    style_scale: float | None = None
    seed: int = 0
    format: str = ""
    quality: int = 0
    long_side_pixels_max: int = 0
    deadline_seconds: float = DEADLINE_SECONDS

    def styles(self) -> tuple[WeightedStyle, ...]:
        """List the styles to mix.

        Raises:
            BatchpixError: a weight is not more than 0.
        """
        parts = tuple(weighted_styles(self.style))
        if any(part.weight <= 0 for part in parts):
            # On the wire 0 means "not given", which is not what a caller who writes 0 wants.
            raise option_error("a style's weight is more than 0", "options.styles.weight")
        return parts

    def style_pictures(self) -> tuple[Picture, ...]:
        """List the pictures whose style is taken, in the order in which they are sent."""
        sources = (part.source for part in self.styles())
        return tuple(as_picture(source) for source in sources if not isinstance(source, str))

    def options(self) -> stylize_pb2.StylizeOptions:
        """Make the protocol's message.

        Raises:
            BatchpixError: a value that the message cannot hold.
        """
        try:
            return stylize_pb2.StylizeOptions(
                styles=style_messages(self.styles()),
                strength=self.strength,
                preserve_colour=self.preserve_colour,
                region=stylize_pb2.Region.Value(f"REGION_{Region(self.region).name}"),
                style_scale=self.style_scale,
                seed=self.seed,
                format=media_pb2.PictureFormat(
                    media_type=FORMATS.get(self.format, self.format),
                    quality=self.quality,
                    long_side_pixels_max=self.long_side_pixels_max,
                ),
            )
        except (TypeError, ValueError) as error:
            raise option_error(str(error), "options") from None


def weighted_styles(style: Style) -> Sequence[WeightedStyle]:
    """Bring every way to name styles into one form."""
    if isinstance(style, Mapping):
        return [WeightedStyle(source=name, weight=weight) for name, weight in style.items()]
    if isinstance(style, Sequence) and not isinstance(style, str | bytes):
        return [
            part if isinstance(part, WeightedStyle) else WeightedStyle(source=part)
            for part in style
        ]
    return [WeightedStyle(source=style)]


def style_messages(styles: Sequence[WeightedStyle]) -> list[stylize_pb2.StyleWeight]:
    """Make the messages; style pictures are sent first, so they are counted from 0."""
    messages: list[stylize_pb2.StyleWeight] = []
    pictures = 0
    for part in styles:
        if isinstance(part.source, str):
            messages.append(stylize_pb2.StyleWeight(name=part.source, weight=part.weight))
        else:
            messages.append(stylize_pb2.StyleWeight(style_index=pictures, weight=part.weight))
            pictures += 1
    return messages


def option_error(message: str, field: str) -> BatchpixError:
    """Make the error of an option that cannot be sent."""
    return BatchpixError("INVALID_ARGUMENT", "OPTION_INVALID", message, field=field)
