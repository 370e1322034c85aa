"""How one call wants its clip: the caller's options, read and held to their ranges."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.ranges import require_between
from services.video.camera import HOME, CameraPath, KeyFrame

INTENSITY_MAX: Final = 2.0
KEY_FRAMES_MIN: Final = 2
KEY_FRAMES_MAX: Final = 64
LIVING_REGIONS_MAX: Final = 8
SPEED_MAX: Final = 1.0

# Ranges of a key frame's numbers, as the contract gives them.
POSE_RANGES: Final = {
    "x": (-1.0, 1.0),
    "y": (-1.0, 1.0),
    "z": (-1.0, 0.9),
    "yaw_degrees": (-30.0, 30.0),
    "pitch_degrees": (-30.0, 30.0),
    "roll_degrees": (-180.0, 180.0),
    "zoom": (0.5, 4.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingRegion:
    """A part of the picture that flows.

    Attributes:
        mask_index: index of the uploaded mask that chooses it.
        direction_degrees: clockwise from "to the right", 0 to 360.
        speed: heights of the picture a second, more than 0, at most 1.
    """

    mask_index: int
    direction_degrees: float
    speed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What happens in a clip; how it is encoded stands in a `ClipFormat`.

    Attributes:
        path: the way of the camera.
        key_frames: with `CameraPath.KEY_FRAMES` alone, ascending in time.
        intensity: how far the camera goes, 0 to 2.
        focus: x and y of 0..1 of the point that the camera looks at, None to find it.
        depth_of_field: blur of what is nearer or farther, 0 to 1.
        loop: whether the last frame runs into the first one.
        living_regions: parts that flow.
        seed: chooses among equally good clips.
    """

    path: CameraPath = CameraPath.ORBIT
    key_frames: tuple[KeyFrame, ...] = ()
    intensity: float = 1.0
    focus: tuple[float, float] | None = None
    depth_of_field: float = 0.0
    loop: bool = False
    living_regions: tuple[LivingRegion, ...] = ()
    seed: int = 0

    @property
    def starts_with_photo(self) -> bool:
        """Whether the first frame is the photo: sharp all over, from where it was taken."""
        at_home = not self.key_frames or self.key_frames[0].pose == HOME
        return at_home and self.depth_of_field == 0.0

    def check(self) -> None:
        """Hold every option to its range.

        Raises:
            InvalidRequestError: an option is out of range; the field is named.
        """
        require_between(self.intensity, 0.0, INTENSITY_MAX, "options.intensity")
        require_between(self.depth_of_field, 0.0, 1.0, "options.depth_of_field")
        for name, value in zip("xy", self.focus or (), strict=False):
            require_between(value, 0.0, 1.0, f"options.focus.{name}")
        self._check_key_frames()
        if len(self.living_regions) > LIVING_REGIONS_MAX:
            message = f"at most {LIVING_REGIONS_MAX} regions can flow"
            raise invalid(message, "options.living_regions")
        for place, region in enumerate(self.living_regions):
            field = f"options.living_regions[{place}]"
            require_between(region.direction_degrees, 0.0, 360.0, f"{field}.direction_degrees")
            require_between(region.speed, 0.0, SPEED_MAX, f"{field}.speed")
            if region.speed == 0.0:
                raise invalid("must be more than 0", f"{field}.speed")

    def _check_key_frames(self) -> None:
        wanted = self.path is CameraPath.KEY_FRAMES
        count = len(self.key_frames)
        if not wanted and count:
            message = "key frames go with the path CAMERA_PATH_KEY_FRAMES alone"
            raise invalid(message, "options.key_frames")
        if wanted and not KEY_FRAMES_MIN <= count <= KEY_FRAMES_MAX:
            message = f"must be {KEY_FRAMES_MIN} to {KEY_FRAMES_MAX} key frames"
            raise invalid(message, "options.key_frames")
        for place, key_frame in enumerate(self.key_frames):
            field = f"options.key_frames[{place}]"
            require_between(key_frame.time, 0.0, 1.0, f"{field}.time")
            for name, (least, most) in POSE_RANGES.items():
                require_between(getattr(key_frame.pose, name), least, most, f"{field}.{name}")
        for place, (earlier, later) in enumerate(pairwise(self.key_frames), 1):
            if later.time <= earlier.time:
                message = "times must ascend"
                raise invalid(message, f"options.key_frames[{place}].time")


def invalid(message: str, field: str) -> InvalidRequestError:
    """Refuse an option."""
    return InvalidRequestError(Reason.OPTION_INVALID, message, field=field)
