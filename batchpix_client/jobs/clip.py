"""How a clip is asked for and read; what video and dance have in common."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from batchpix.media.v1 import media_pb2
from batchpix_client.jobs.job import Arrival, OnePhotoJob, picture_format
from batchpix_client.results import ClipFacts, ClipPart, Frame, Piece

CLIP_DEADLINE_SECONDS = 300.0  # a clip of a minute takes about half as long to make

FoundT = TypeVar("FoundT")


class Container(StrEnum):
    """What a clip arrives as."""

    MP4 = "mp4"
    FRAMES = "frames"


CONTAINERS = {
    Container.MP4: media_pb2.ClipFormat.CONTAINER_FRAGMENTED_MP4,
    Container.FRAMES: media_pb2.ClipFormat.CONTAINER_FRAMES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipJob(OnePhotoJob[ClipPart, FoundT]):
    """How a clip leaves; the features that make clips add how it is made.

    Attributes:
        container: "mp4" (H.264, plays while it arrives) or "frames" (one picture each).
        seconds: length, 1 to 60; 0 = the service's default.
        frames_per_second: 12 to 60; 0 = the service's default.
        width_pixels: 16 to 3,840; 0 = follows the photo.
        height_pixels: the same.
        quality: 1 to 100; 0 = the service's default.
        frame_format: "jpeg", "png" or "webp", of frames; empty = the service's default.
        frame_quality: 1 to 100, of frames; 0 = the service's default.
        deadline_seconds: time for the whole call, retries included.
    """

    container: Container | str = Container.MP4
    seconds: float = 0.0
    frames_per_second: float = 0.0
    width_pixels: int = 0
    height_pixels: int = 0
    quality: int = 0
    frame_format: str = ""
    frame_quality: int = 0
    deadline_seconds: float = CLIP_DEADLINE_SECONDS

    def clip_format(self) -> media_pb2.ClipFormat:
        """Make the protocol's message."""
        return media_pb2.ClipFormat(
            container=CONTAINERS[Container(self.container)],
            seconds=self.seconds,
            frames_per_second=self.frames_per_second,
            width_pixels=self.width_pixels,
            height_pixels=self.height_pixels,
            quality=self.quality,
            frames=picture_format(self.frame_format, self.frame_quality),
        )

    def result(self, arrival: Arrival) -> ClipPart:
        """Make a frame, or a piece of a clip."""
        start = arrival.start
        if start.kind != media_pb2.MEDIA_KIND_CLIP:
            pace = start.frames_per_second
            return Frame(index=start.index, frames_per_second=pace, **arrival.picture())
        return Piece(
            data=arrival.data,
            clip=ClipFacts(
                media_type=start.media_type,
                width_pixels=start.width_pixels,
                height_pixels=start.height_pixels,
                frames_per_second=start.frames_per_second,
                frame_count=start.frame_count,
            ),
            elapsed_seconds=arrival.elapsed_seconds,
        )
