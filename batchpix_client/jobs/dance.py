"""What a caller wants of a dance, as one record and as the protocol's options."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, cast

from google.protobuf.message import Message

from batchpix.dance.v1 import dance_pb2
from batchpix.media.v1 import media_pb2
from batchpix_client.jobs.clip import ClipJob
from batchpix_client.jobs.job import point_message
from batchpix_client.media import Source
from batchpix_client.results import Figure, short_name
from batchpix_client.wire import DANCE, Response, Wire


class Background(StrEnum):
    """What stands behind the dancer."""

    KEEP = "keep"
    BLUR = "blur"
    COLOUR = "colour"
    TRANSPARENT = "transparent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DanceJob(ClipJob[Figure]):
    """Let the person of one photo dance; fragments or frames arrive while they are made.

    The movement comes from the named moves, or from a driving video or a motion file.

    Attributes:
        moves: names of moves, danced one after the other and then again.
        music: sound to dance to; it becomes the clip's sound.
        driving_video: clip whose person leads the movement.
        motion: BVH file that leads the movement.
        beats_per_minute: 40 to 240; 0 = the music's own tempo, or the service's default.
        intensity: how wide the moves are, 0 to 2; None = 1.
        person: x and y of a point of the person who dances, each 0 to 1; None = the most prominent.
        background: "keep", "blur", "colour" or "transparent" (frames in PNG or WebP only).
        background_colour: "#rrggbb"; a background of that colour.
        shadow: a soft contact shadow under the dancer.
        camera_push: the camera moves in slowly, 0 (still) to 0.3 of the picture.
        seed: chooses among equally good clips.
    """

    wire: ClassVar[Wire] = DANCE

    moves: Sequence[str] = ()
    music: Source | None = None
    driving_video: Source | None = None
    motion: Source | None = None
    beats_per_minute: float = 0.0
    intensity: float | None = None
    person: tuple[float, float] | None = None
    background: Background | str = Background.KEEP
    background_colour: str = ""
    shadow: bool = True
    camera_push: float = 0.0
    seed: int = 0

    def opening(self) -> Message:
        """Make the first message."""
        background = Background.COLOUR if self.background_colour else Background(self.background)
        options = dance_pb2.DanceOptions(
            moves=self.moves,
            beats_per_minute=self.beats_per_minute,
            intensity=self.intensity,
            person=point_message(self.person),
            background=dance_pb2.Background.Value(f"BACKGROUND_{background.name}"),
            background_colour=colour_number(self.background_colour),
            shadow_off=not self.shadow,
            camera_push=self.camera_push,
            seed=self.seed,
            format=self.clip_format(),
        )
        return dance_pb2.DanceRequest(options=options)

    def enclosed(self) -> Iterator[tuple[media_pb2.MediaKind.ValueType, Source]]:
        """List music, then what leads the movement."""
        if self.music is not None:
            yield media_pb2.MEDIA_KIND_MUSIC, self.music
        if self.driving_video is not None:
            yield media_pb2.MEDIA_KIND_DRIVING_VIDEO, self.driving_video
        if self.motion is not None:
            yield media_pb2.MEDIA_KIND_MOTION, self.motion

    def finding(self, response: Response, kind: str) -> Figure | None:
        """Read what was found of the person."""
        if kind != "figure":
            return None
        figure = cast("dance_pb2.DanceResponse", response).figure
        return Figure(
            missing_limbs=tuple(
                short_name(dance_pb2.Limb.DESCRIPTOR, limb, "LIMB_")
                for limb in figure.missing_limbs
            ),
            beats_per_minute=figure.beats_per_minute,
        )


def colour_number(colour: str) -> int:
    """Read "#rrggbb"; empty is 0.

    Raises:
        ValueError: it is no colour.
    """
    digits = colour.removeprefix("#")
    if colour and len(digits) != len("rrggbb"):
        raise ValueError("a colour is written #rrggbb")
    return int(digits, 16) if colour else 0
