"""What a caller wants done with its pictures, as one record and as the protocol's options."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Never

from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.errors import BatchpixError, protocol_error
from batchpix_client.jobs.job import (
    DEADLINE_SECONDS,
    Arrival,
    Item,
    Job,
    option_error,
    picture_format,
)
from batchpix_client.media import Medium, Source, as_medium
from batchpix_client.results import FailedPicture, Result, StylizedPicture, reason_name
from batchpix_client.wire import STYLIZE, Wire


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
class StylizeJob(Job[Result, Never]):
    """Stylise pictures; each result comes back as soon as it is made.

    Pictures are taken one by one while earlier results already come back, and none is taken before
    the service has let the call in.

    Attributes:
        style: a name, a picture, a mapping of names to weights, or a sequence to mix.
        strength: 0 (the photo) to 1 (the full style); None = 1.
        preserve_colour: keep the photo's own colours.
        region: "whole", "subject" (the people only) or "background" (all but them).
        masks: for the picture at the same position, a grey picture of its size that chooses
            (255) where it is changed; None for a picture without one.
        style_scale: size of the strokes, 0.25 to 4; None = 1.
        seed: chooses among equally good results.
        format: "jpeg", "png", "webp" or a media type; empty = as each picture came.
        quality: 1 to 100; 0 = the service's default.
        long_side_pixels_max: results are scaled down to this; 0 = the picture's own size.
        deadline_seconds: time for the whole call, retries included.
    """

    wire: ClassVar[Wire] = STYLIZE

    style: Style = field(kw_only=False)
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

    def style_pictures(self) -> tuple[Medium, ...]:
        """List the pictures whose style is taken, in the order in which they are sent."""
        sources = (part.source for part in self.styles())
        return tuple(as_medium(source) for source in sources if not isinstance(source, str))

    def opening(self) -> Message:
        """Make the first message."""
        options = stylize_pb2.StylizeOptions(
            styles=style_messages(self.styles()),
            strength=self.strength,
            preserve_colour=self.preserve_colour,
            region=stylize_pb2.Region.Value(f"REGION_{Region(self.region).name}"),
            style_scale=self.style_scale,
            seed=self.seed,
            format=picture_format(self.format, self.quality, self.long_side_pixels_max),
        )
        return stylize_pb2.StylizeRequest(options=options)

    def items(self, photos: Iterable[Source]) -> Iterator[Item]:
        """List style pictures, then pictures, each behind its mask."""
        index, count = 0, 0
        for picture in self.style_pictures():
            yield Item(medium=picture, kind=media_pb2.MEDIA_KIND_STYLE)
            index += 1
        for position, photo in enumerate(photos):
            mask = self.masks[position] if position < len(self.masks) else None
            if mask is not None:
                index += 1
                kind = media_pb2.MEDIA_KIND_MASK
                yield Item(medium=as_medium(mask), kind=kind, belongs_to=index, position=position)
            yield Item(medium=as_medium(photo), kind=media_pb2.MEDIA_KIND_IMAGE, position=position)
            index, count = index + 1, position + 1
        if len(self.masks) > count:
            raise option_error("there are more masks than pictures", "masks")

    def result(self, arrival: Arrival) -> Result:
        """Make a finished picture."""
        return StylizedPicture(index=arrival.position, **arrival.picture())

    def failed(self, failure: media_pb2.Failure, position: int | None) -> Result | BatchpixError:
        """Tell that one picture failed; the others go on."""
        if position is None:
            raise protocol_error("the service refused a picture that was not sent")
        return FailedPicture(
            index=position,
            reason=reason_name(failure.reason),
            message=failure.message,
            field=failure.field,
        )


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
