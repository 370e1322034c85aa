"""Where the camera is in every frame: ready-made paths, and the caller's own key frames."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import Enum, auto
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

# Cyclic paths run once in about so many seconds, so that long clips don't crawl.
CYCLE_SECONDS: Final = 6.0
# How far each path goes at intensity 1: as far as what it uncovers still looks right.
PAN_SHARE: Final = 0.045
ZOOM_IN: Final = 0.16
ZOOM_OUT: Final = 0.06
DOLLY_IN: Final = 0.15
DOLLY_OUT: Final = 0.06
DOLLY_ZOOM: Final = 0.16
ORBIT_DEGREES: Final = 2.4
CIRCLE_SHARE: Final = 0.016
# Nearer than this share of the way to the focus point a camera shows nothing but it.
Z_MAX: Final = 0.9


class CameraPath(Enum):
    """A way for the camera to go; see `batchpix.video.v1.CameraPath`."""

    STILL = auto()
    PAN_LEFT = auto()
    PAN_RIGHT = auto()
    PAN_UP = auto()
    PAN_DOWN = auto()
    ZOOM_IN = auto()
    ZOOM_OUT = auto()
    DOLLY_IN = auto()
    DOLLY_OUT = auto()
    DOLLY_ZOOM = auto()
    ORBIT = auto()
    CIRCLE = auto()
    HANDHELD = auto()
    KEY_FRAMES = auto()


class Easing(Enum):
    """How a value runs from one key frame to the next."""

    LINEAR = auto()
    SMOOTH = auto()
    IN = auto()
    OUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the camera is, from where the photo was taken.

    Attributes:
        x: to the right, in widths of the picture at the focus point's depth.
        y: downwards, in heights of the picture at the focus point's depth.
        z: towards the focus point, as a share of the distance to it.
        yaw_degrees: turn to the right.
        pitch_degrees: turn upwards.
        roll_degrees: turn clockwise.
        zoom: magnification.
        swing_degrees: way around the focus point to the left, looking at it.
    """

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw_degrees: float = 0.0
    pitch_degrees: float = 0.0
    roll_degrees: float = 0.0
    zoom: float = 1.0
    swing_degrees: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrame:
    """A pose at one time of the clip.

    Attributes:
        time: 0 (start) to 1 (end).
        pose: where the camera is then.
        easing: how it runs from here to the next key frame.
    """

    time: float
    pose: Pose
    easing: Easing = Easing.SMOOTH


# Where the camera is at a time of 0 to 1.
Flight: TypeAlias = Callable[[float], Pose]

HOME: Final = Pose()
"""Where the photo was taken."""

# Paths that lead from the photo to somewhere else, and where that is at intensity 1.
GOALS: Final = {
    CameraPath.STILL: HOME,
    CameraPath.PAN_LEFT: Pose(x=-PAN_SHARE),
    CameraPath.PAN_RIGHT: Pose(x=PAN_SHARE),
    CameraPath.PAN_UP: Pose(y=-PAN_SHARE),
    CameraPath.PAN_DOWN: Pose(y=PAN_SHARE),
    CameraPath.ZOOM_IN: Pose(zoom=1.0 + ZOOM_IN),
    CameraPath.ZOOM_OUT: Pose(zoom=1.0 - ZOOM_OUT),
    CameraPath.DOLLY_IN: Pose(z=DOLLY_IN),
    CameraPath.DOLLY_OUT: Pose(z=-DOLLY_OUT),
    CameraPath.DOLLY_ZOOM: Pose(z=DOLLY_ZOOM, zoom=1.0 - DOLLY_ZOOM),
}


def plan(  # one flight from all that describes it
    path: CameraPath,
    *,
    seconds: float,
    intensity: float = 1.0,
    loop: bool = False,
    seed: int = 0,
    key_frames: Sequence[KeyFrame] = (),
) -> Flight:
    """Plan where the camera is over a clip.

    Every path but `KEY_FRAMES` starts where the photo was taken. Paths that lead away run there
    and back if the clip is a loop; the others end where they began in any case.

    Args:
        path: the way to go.
        seconds: length of the clip.
        intensity: how far to go, 0 to 2.
        loop: whether time 1 is time 0 again.
        seed: chooses the sway of a hand.
        key_frames: the way of `KEY_FRAMES`, ascending in time.
    """
    cycles = max(round(seconds / CYCLE_SECONDS), 1)
    progress = (lambda time: there_and_back(cycles * time)) if loop else smooth
    turns = (lambda time: cycles * time) if loop else (lambda time: cycles * smooth_ends(time))
    if path is CameraPath.ORBIT:
        return lambda time: scaled(orbit(turns(time)), intensity)
    if path is CameraPath.CIRCLE:
        return lambda time: scaled(circle(turns(time)), intensity)
    if path is CameraPath.HANDHELD:
        sway = Sway(seconds, seed)
        return lambda time: scaled(sway.pose(time), intensity)
    if path is CameraPath.KEY_FRAMES:
        there = there_and_back if loop else (lambda time: time)
        return lambda time: scaled(between(key_frames, there(time)), intensity)
    return lambda time: scaled(mixed(HOME, GOALS[path], progress(time)), intensity)


def frame_times(count: int, *, loop: bool) -> list[float]:
    """Tell the time of each frame, 0 to 1; in a loop, 1 is the first frame again."""
    last = count if loop else max(count - 1, 1)
    return [index / last for index in range(count)]


def orbit(turns: float) -> Pose:
    """Swing to one side, to the other and back."""
    return Pose(swing_degrees=ORBIT_DEGREES * math.sin(2 * math.pi * turns))


def circle(turns: float) -> Pose:
    """Run a circle through the place where the photo was taken."""
    angle = 2 * math.pi * turns
    return Pose(x=CIRCLE_SHARE * math.sin(angle), y=CIRCLE_SHARE * (1 - math.cos(angle)))


class Sway:
    """A hand that tries to hold still: slow sines that all come round at the clip's end."""

    # Half-width of each coordinate's sway, and its tempo in cycles a second.
    EXTENTS: Final = {
        "x": (0.006, 0.17),
        "y": (0.006, 0.21),
        "z": (0.008, 0.11),
        "yaw_degrees": (0.12, 0.29),
        "pitch_degrees": (0.10, 0.33),
        "roll_degrees": (0.22, 0.19),
    }
    # A hand sways in several tempos at once: parts of the main one and how much they count.
    OVERTONES: Final = ((1.0, 0.6), (1.9, 0.28), (3.1, 0.12))

    def __init__(self, seconds: float, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._waves: dict[str, list[tuple[int, float, float]]] = {}
        for name, (extent, tempo) in self.EXTENTS.items():
            waves = []
            for overtone, share in self.OVERTONES:
                cycles = max(round(seconds * tempo * overtone * random.uniform(0.85, 1.15)), 1)
                waves.append((cycles, float(random.uniform(0.0, 2 * math.pi)), extent * share))
            self._waves[name] = waves

    def pose(self, time: float) -> Pose:
        """Tell where the hand is; it starts where the photo was taken."""
        return Pose(
            **{
                name: sum(
                    extent * (math.sin(2 * math.pi * cycles * time + phase) - math.sin(phase))
                    for cycles, phase, extent in waves
                )
                for name, waves in self._waves.items()
            }
        )


def between(key_frames: Sequence[KeyFrame], time: float) -> Pose:
    """Find the pose between two key frames; before the first and after the last it holds."""
    if time <= key_frames[0].time:
        return key_frames[0].pose
    for start, goal in pairwise(key_frames):
        if time < goal.time:
            share = (time - start.time) / (goal.time - start.time)
            return mixed(start.pose, goal.pose, EASINGS[start.easing](share))
    return key_frames[-1].pose


def mixed(start: Pose, goal: Pose, share: float) -> Pose:
    """Go a share of the way from one pose to another; zoom goes in even factors."""
    values = {
        field.name: getattr(start, field.name)
        + share * (getattr(goal, field.name) - getattr(start, field.name))
        for field in fields(Pose)
    }
    values["zoom"] = start.zoom * (goal.zoom / start.zoom) ** share
    return Pose(**values)


def scaled(pose: Pose, intensity: float) -> Pose:
    """Go `intensity` times as far, but never into the focus point or behind the lens."""
    values = {field.name: intensity * getattr(pose, field.name) for field in fields(Pose)}
    values["zoom"] = pose.zoom**intensity
    values["z"] = min(values["z"], Z_MAX)
    return Pose(**values)


def smooth(time: float) -> float:
    """Start and end gently: 0 to 1."""
    return (1 - math.cos(math.pi * time)) / 2


def smooth_ends(time: float) -> float:
    """Run at a steady pace but start and end gently: 0 to 1."""
    return time - math.sin(2 * math.pi * time) / (2 * math.pi)


def there_and_back(turns: float) -> float:
    """Go to 1 and back to 0 gently in each turn."""
    return (1 - math.cos(2 * math.pi * turns)) / 2


EASINGS: Final[dict[Easing, Callable[[float], float]]] = {
    Easing.LINEAR: lambda share: share,
    Easing.SMOOTH: smooth,
    Easing.IN: lambda share: 1 - math.cos(math.pi / 2 * share),
    Easing.OUT: lambda share: math.sin(math.pi / 2 * share),
}
