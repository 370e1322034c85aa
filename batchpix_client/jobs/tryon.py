"""What a caller wants of other clothes, as one record and as the protocol's options."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, cast

from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix.tryon.v1 import tryon_pb2
from batchpix_client.jobs.job import (
    DEADLINE_SECONDS,
    Arrival,
    OnePhotoJob,
    picture_format,
    point_message,
)
from batchpix_client.media import Source
from batchpix_client.results import DressedPicture, EditMask, GarmentFound, TryOnPart, short_name
from batchpix_client.wire import TRYON, Response, Wire


class Category(StrEnum):
    """What kind of garment it is."""

    TOP_SHORT_SLEEVE = "top-short-sleeve"
    TOP_LONG_SLEEVE = "top-long-sleeve"
    TOP_SLEEVELESS = "top-sleeveless"
    OUTERWEAR = "outerwear"
    DRESS = "dress"
    SKIRT = "skirt"
    TROUSERS = "trousers"
    SHORTS = "shorts"


class Tuck(StrEnum):
    """How a top meets what is worn below."""

    OVER = "over"
    IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Garment:
    """A garment, and what is known of it.

    Attributes:
        picture: of the garment, flat, on a hanger or as worn by nobody.
        category: "trousers" and the like; None = it is found in the picture.
        tuck: "over" or "in"; None = the service's default.
    """

    picture: Source
    category: Category | str | None = None
    tuck: Tuck | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOnJob(OnePhotoJob[TryOnPart, GarmentFound]):
    """Put garments on the person of one photo; nothing else of it changes.

    Attributes:
        garments: 1 to 4 pictures of garments, or `Garment`s of which something is known.
        person: x and y of a point of the person, each 0 to 1; None = the most prominent.
        mask_wanted: answer with the edit mask too.
        seed: chooses among equally good results.
        format: "jpeg", "png", "webp" or a media type; empty = as the photo came.
        quality: 1 to 100; 0 = the service's default.
        long_side_pixels_max: the result is scaled down to this; 0 = the photo's own size.
        deadline_seconds: time for the whole call, retries included.
    """

    wire: ClassVar[Wire] = TRYON

    garments: Sequence[Source | Garment] = field(kw_only=False)
    person: tuple[float, float] | None = None
    mask_wanted: bool = False
    seed: int = 0
    format: str = ""
    quality: int = 0
    long_side_pixels_max: int = 0
    deadline_seconds: float = DEADLINE_SECONDS

    def opening(self) -> Message:
        """Make the first message."""
        options = tryon_pb2.TryOnOptions(
            garments=[
                # Garments are sent first, so they are counted from 0.
                hint_message(index, garment)
                for index, garment in enumerate(self.garments)
                if isinstance(garment, Garment) and (garment.category or garment.tuck)
            ],
            person=point_message(self.person),
            mask_wanted=self.mask_wanted,
            seed=self.seed,
            format=picture_format(self.format, self.quality, self.long_side_pixels_max),
        )
        return tryon_pb2.TryOnRequest(options=options)

    def enclosed(self) -> Iterator[tuple[media_pb2.MediaKind.ValueType, Source]]:
        """List the garments."""
        for garment in self.garments:
            picture = garment.picture if isinstance(garment, Garment) else garment
            yield media_pb2.MEDIA_KIND_GARMENT, picture

    def result(self, arrival: Arrival) -> TryOnPart:
        """Make the finished picture or its edit mask."""
        is_mask = arrival.start.kind == media_pb2.MEDIA_KIND_MASK
        return (EditMask if is_mask else DressedPicture)(**arrival.picture())

    def finding(self, response: Response, kind: str) -> GarmentFound | None:
        """Read what a garment was taken for."""
        if kind != "garment":
            return None
        garment = cast("tryon_pb2.TryOnResponse", response).garment
        name = short_name(
            tryon_pb2.GarmentCategory.DESCRIPTOR, garment.category, "GARMENT_CATEGORY_"
        )
        return GarmentFound(index=garment.garment_index, category=name)


def hint_message(index: int, garment: Garment) -> tryon_pb2.GarmentHint:
    """Make the protocol's message of what is known of a garment."""
    hint = tryon_pb2.GarmentHint(garment_index=index)
    if garment.category is not None:
        name = f"GARMENT_CATEGORY_{Category(garment.category).name}"
        hint.category = tryon_pb2.GarmentCategory.Value(name)
    if garment.tuck is not None:
        hint.tuck = tryon_pb2.Tuck.Value(f"TUCK_{Tuck(garment.tuck).name}")
    return hint
