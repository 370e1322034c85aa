"""What comes back from a call: finished pictures, pieces of clips, and what was found."""

from dataclasses import dataclass
from typing import TypedDict

from google.protobuf.descriptor import EnumDescriptor

from batchpix.media.v1 import media_pb2
from batchpix_client.errors import BatchpixError


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedPicture:
    """A picture that a service has made.

    Attributes:
        data: the encoded picture.
        media_type: "image/jpeg" and the like.
        width_pixels: width after orientation.
        height_pixels: height after orientation.
        elapsed_seconds: from the start of its photo's upload to its last byte.
    """

    data: bytes
    media_type: str
    width_pixels: int
    height_pixels: int
    elapsed_seconds: float


class PictureFields(TypedDict):
    """The fields of `FinishedPicture`, on their way into one of its kinds."""

    data: bytes
    media_type: str
    width_pixels: int
    height_pixels: int
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StylizedPicture(FinishedPicture):
    """A photo in the manner of a style.

    Attributes:
        index: place of its photo among the caller's pictures, from 0.
    """

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPicture:
    """A picture that could not be made; the others of its call go on.

    Attributes:
        index: place of its photo among the caller's pictures, from 0.
        reason: name of the `batchpix.media.v1.ErrorReason`.
        message: one sentence for a developer.
        field: path of the request field at fault, empty if none is.
    """

    index: int
    reason: str
    message: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DressedPicture(FinishedPicture):
    """A photo whose person wears the garments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMask(FinishedPicture):
    """A grey picture of the photo's size; 255 = may have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame(FinishedPicture):
    """One frame of a clip that was asked for as frames.

    Attributes:
        index: place in the clip, from 0.
        frames_per_second: pace of the clip.
    """

    index: int
    frames_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What a service tells of a clip before its bytes.

    Attributes:
        media_type: "video/mp4".
        width_pixels: width of each frame.
        height_pixels: height of each frame.
        frames_per_second: pace.
        frame_count: frames in all.
    """

    media_type: str
    width_pixels: int
    height_pixels: int
    frames_per_second: float
    frame_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes of a clip as they arrive; all pieces in order are the file, and it plays meanwhile.

    Attributes:
        data: 1 byte to 1 MiB.
        clip: what the clip is.
        elapsed_seconds: from the start of the photo's upload to this piece.
    """

    data: bytes
    clip: ClipFacts
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a dance could use of the person.

    Attributes:
        missing_limbs: "left-arm" and the like: not in the photo, so they keep still.
        beats_per_minute: tempo that the clip follows.
    """

    missing_limbs: tuple[str, ...]
    beats_per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GarmentFound:
    """What a garment was taken for.

    Attributes:
        index: place among the caller's garments, from 0.
        category: "top-short-sleeve" and the like.
    """

    index: int
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a call has come.

    Attributes:
        stage: "upload", "decode", "analyse", "render" or "encode".
        done: steps done.
        total: steps in all, 0 = not known yet.
    """

    stage: str
    done: int
    total: int


Result = StylizedPicture | FailedPicture
ClipPart = Piece | Frame
TryOnPart = DressedPicture | EditMask


def read_progress(message: media_pb2.Progress) -> Progress:
    """Take over the protocol's message."""
    stage = short_name(media_pb2.Stage.DESCRIPTOR, message.stage, "STAGE_")
    return Progress(stage=stage, done=message.done, total=message.total)


def reason_name(reason: media_pb2.ErrorReason.ValueType) -> str:
    """Name a reason without its prefix; one that is newer than the SDK is told by number."""
    if reason not in media_pb2.ErrorReason.values():
        return f"REASON_{reason}"
    return media_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")


def short_name(kind: EnumDescriptor, number: int, prefix: str) -> str:
    """Name a value of an enumeration as callers write it: without its prefix, with hyphens.

    A value that is newer than the SDK is told by its number.
    """
    value = kind.values_by_number.get(number)
    return value.name.removeprefix(prefix).lower().replace("_", "-") if value else str(number)


def failure_error(failure: media_pb2.Failure) -> BatchpixError:
    """Make the error of a call whose only result was refused."""
    return BatchpixError(
        "INVALID_ARGUMENT", reason_name(failure.reason), failure.message, field=failure.field
    )
