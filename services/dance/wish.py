"""How one call wants its dance: the caller's options, read and held to their ranges."""

from dataclasses import dataclass

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media.clip import ClipFormat, Container
from services.chassis.media.headers import JPEG
from services.chassis.ranges import require_between
from services.dance.beats import TEMPO_MAX, TEMPO_MIN
from services.dance.stage import Background

INTENSITY_MAX = 2.0
PUSH_MAX = 0.3
COLOUR_MAX = 0xFFFFFF
MOVES_MAX = 32
# What is danced where nothing is named.
MOVES_DEFAULT = ("two_step", "hip_sway", "disco_point", "body_roll")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a caller asked for.

    Attributes:
        moves: names of moves, danced in turn.
        beats_per_minute: 40 to 240, or 0 for the music's own.
        intensity: how wide the moves are, 0 to 2.
        person: x and y of the person, 0..1 of the picture, or None for the most prominent.
        background: what stands behind.
        colour: 0xRRGGBB of a plain background.
        shadow: whether the dancer throws one.
        camera_push: how far the camera goes in, 0 to 0.3 of the picture.
        seed: chooses among equally good clips.
    """

    moves: tuple[str, ...] = ()
    beats_per_minute: float = 0.0
    intensity: float = 1.0
    person: tuple[float, float] | None = None
    background: Background = Background.KEEP
    colour: int = 0
    shadow: bool = True
    camera_push: float = 0.0
    seed: int = 0

    def check(self, clip: ClipFormat) -> None:
        """Hold every option to its range.

        Raises:
            InvalidRequestError: an option is out of range; the field is named.
        """
        if len(self.moves) > MOVES_MAX:
            raise InvalidRequestError(
                Reason.OPTION_INVALID, f"at most {MOVES_MAX} moves", field="options.moves"
            )
        if self.beats_per_minute:
            require_between(self.beats_per_minute, TEMPO_MIN, TEMPO_MAX, "options.beats_per_minute")
        require_between(self.intensity, 0.0, INTENSITY_MAX, "options.intensity")
        require_between(self.camera_push, 0.0, PUSH_MAX, "options.camera_push")
        require_between(self.colour, 0, COLOUR_MAX, "options.background_colour")
        for place in self.person or ():
            require_between(place, 0.0, 1.0, "options.person")
        transparent = self.background is Background.TRANSPARENT
        if transparent and (
            clip.container is Container.FRAGMENTED_MP4 or clip.frame_media_type == JPEG
        ):
            raise InvalidRequestError(
                Reason.OPTION_INVALID,
                "a transparent background needs single frames as image/png or image/webp",
                field="options.background",
            )
