"""The limits that a call is held to, as the service publishes them."""

from dataclasses import dataclass

from batchpix.media.v1 import media_pb2
from services.chassis.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What one call may take; each is checked before memory is taken.

    Attributes:
        chunk_bytes_max: data of one chunk.
        medium_bytes_max: one uploaded medium.
        call_bytes_max: all uploaded media together.
        media_max: number of uploaded media.
        pixels_max: width times height of one picture.
        frames_max: frames of one clip.
        deadline_seconds_max: longest deadline of a caller.
        stall_seconds_max: longest silence of a caller while it sends or reads.
    """

    chunk_bytes_max: int
    medium_bytes_max: int
    call_bytes_max: int
    media_max: int
    pixels_max: int
    frames_max: int
    deadline_seconds_max: float
    stall_seconds_max: float

    @classmethod
    def from_settings(cls, settings: Settings, *, frames_max: int = 0) -> "CallLimits":
        """Take over what the operator set; a feature that makes clips adds its frames."""
        return cls(
            chunk_bytes_max=settings.chunk_bytes_max,
            medium_bytes_max=settings.medium_bytes_max,
            call_bytes_max=settings.call_bytes_max,
            media_max=settings.media_max,
            pixels_max=settings.pixels_max,
            frames_max=frames_max,
            deadline_seconds_max=settings.deadline_seconds_max,
            stall_seconds_max=settings.stall_seconds_max,
        )

    def message(self) -> media_pb2.Limits:
        """Tell the limits to a caller."""
        message = media_pb2.Limits(
            chunk_bytes_max=self.chunk_bytes_max,
            medium_bytes_max=self.medium_bytes_max,
            call_bytes_max=self.call_bytes_max,
            media_max=self.media_max,
            pixels_max=self.pixels_max,
            frames_max=self.frames_max,
        )
        message.deadline_max.FromMilliseconds(int(self.deadline_seconds_max * 1000))
        return message
