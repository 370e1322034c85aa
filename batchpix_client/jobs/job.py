"""What the generic call asks of a feature: its options, its media, and how its answers are read."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix_client.errors import BatchpixError
from batchpix_client.media import Medium, Source, as_medium
from batchpix_client.results import PictureFields, failure_error
from batchpix_client.wire import Response, Wire

DEADLINE_SECONDS = 60.0  # of a call whose caller names none
PICTURE_TYPES = {
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
# What says something about single pixels of a photo.
KINDS_OF_A_PHOTO = frozenset({media_pb2.MEDIA_KIND_MASK, media_pb2.MEDIA_KIND_DEPTH_MAP})

ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One medium of an upload.

    Attributes:
        medium: what to send.
        kind: what it is for.
        belongs_to: index of the photo that a mask or depth map is for.
        position: place among the caller's photos of the photo that it is or belongs to; None for
            what belongs to none.
    """

    medium: Medium
    kind: media_pb2.MediaKind.ValueType
    belongs_to: int | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What has arrived of a result: all of it, or a piece of a clip.

    Attributes:
        start: opening of the result.
        data: checked bytes.
        position: place among the caller's photos of the one that it was made from.
        elapsed_seconds: from the start of that photo's upload.
    """

    start: media_pb2.MediaStart
    data: bytes
    position: int
    elapsed_seconds: float

    def picture(self) -> PictureFields:
        """Tell what every finished picture tells."""
        return PictureFields(
            data=self.data,
            media_type=self.start.media_type,
            width_pixels=self.start.width_pixels,
            height_pixels=self.start.height_pixels,
            elapsed_seconds=self.elapsed_seconds,
        )


class Job(ABC, Generic[ResultT, FoundT]):
    """What a caller wants done with photos: records of the features derive from it."""

    __slots__ = ()

    wire: ClassVar[Wire]

    @property
    @abstractmethod
    def deadline_seconds(self) -> float:
        """Time for the whole call, retries included."""

    @abstractmethod
    def opening(self) -> Message:
        """Make the first message, which holds the options.

        Raises:
            BatchpixError: an option that cannot be sent.
            TypeError: a value that the message cannot hold.
            ValueError: the same.
        """

    @abstractmethod
    def items(self, photos: Iterable[Source]) -> Iterator[Item]:
        """List all media in the order in which they are sent; their places are their indices.

        Raises:
            BatchpixError: media that do not fit together.
        """

    @abstractmethod
    def result(self, arrival: Arrival) -> ResultT:
        """Make what the caller gets of a whole result or of a piece of a clip."""

    def failed(
        self,
        failure: media_pb2.Failure,
        position: int | None,  # noqa: ARG002  # for features that take several photos
    ) -> ResultT | BatchpixError:
        """Make what the caller gets in place of a result; an error fails the call at its end.

        Args:
            failure: what the service says.
            position: place among the caller's photos, None if another medium was at fault.
        """
        return failure_error(failure)

    def finding(self, response: Response, kind: str) -> FoundT | None:  # noqa: ARG002  # a feature's own
        """Read a message that this feature alone has; None = it has no such message."""
        return None


AnyJob: TypeAlias = Job[Any, Any]


class OnePhotoJob(Job[ResultT, FoundT]):
    """What a caller wants done with a single photo, and all that goes with it."""

    __slots__ = ()

    @abstractmethod
    def enclosed(self) -> Iterable[tuple[media_pb2.MediaKind.ValueType, Source]]:
        """List what is sent ahead of the photo, and what each is for."""

    def items(self, photos: Iterable[Source]) -> Iterator[Item]:
        """List what is sent ahead of the photo, then the photo."""
        enclosed = tuple(self.enclosed())
        photo = len(enclosed)
        for kind, source in enclosed:
            owner = photo if kind in KINDS_OF_A_PHOTO else None
            yield Item(medium=as_medium(source), kind=kind, belongs_to=owner)
        for position, source in enumerate(photos):
            kind = media_pb2.MEDIA_KIND_IMAGE
            yield Item(medium=as_medium(source), kind=kind, position=position)


def picture_format(
    format_name: str, quality: int, long_side_pixels_max: int = 0
) -> media_pb2.PictureFormat:
    """Make the protocol's message; a format is named shortly or by its media type."""
    return media_pb2.PictureFormat(
        media_type=PICTURE_TYPES.get(format_name, format_name),
        quality=quality,
        long_side_pixels_max=long_side_pixels_max,
    )


def point_message(point: tuple[float, float] | None) -> media_pb2.Point | None:
    """Make the protocol's message of x and y, each 0 to 1; None stays unset."""
    return None if point is None else media_pb2.Point(x=point[0], y=point[1])


def option_error(message: str, field: str) -> BatchpixError:
    """Make the error of an option that cannot be sent."""
    return BatchpixError("INVALID_ARGUMENT", "OPTION_INVALID", message, field=field)
