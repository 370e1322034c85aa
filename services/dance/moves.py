"""The library of moves: loops of key poses, read from `moves.toml` and checked."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason
from services.dance.pose import (
    ARM_CHANNELS,
    CHANNELS,
    FOOT_CHANNELS,
    PLANTED_MAX,
    Channel,
    Pose,
    mirrored,
)
from services.dance.skeleton import Limb

FILE = "moves.toml"
BEATS_MAX = 64
MOVES_MAX = 32
# What a pose is where a move does not say: arms hang a little off the body, knees point outwards.
NEUTRAL = {
    Channel.LEFT_UPPER: 14.0,
    Channel.RIGHT_UPPER: 14.0,
    Channel.LEFT_FORE: 22.0,
    Channel.RIGHT_FORE: 22.0,
    Channel.LEFT_KNEE: 10.0,
    Channel.RIGHT_KNEE: 10.0,
}
# A foot that goes elsewhere is lifted so high on its way, in leg lengths; a sliding one just stops
# to count as standing.
STEP_UP = 0.045
SLIDE_UP = 2 * PLANTED_MAX
SLIDE_MIN = 0.005

PLAIN = {
    "shift": Channel.SHIFT,
    "drop": Channel.DROP,
    "lean": Channel.LEAN,
    "sway": Channel.SWAY,
    "chest_turn": Channel.CHEST_TURN,
    "hip_turn": Channel.HIP_TURN,
    "pitch": Channel.PITCH,
    "head": Channel.HEAD_ROLL,
    "shrug": Channel.SHRUG,
    "left_toes": Channel.LEFT_FOOT_TURN,
    "right_toes": Channel.RIGHT_FOOT_TURN,
    "left_knee": Channel.LEFT_KNEE,
    "right_knee": Channel.RIGHT_KNEE,
}
LISTS = {
    "left_arm": (ARM_CHANNELS[Limb.LEFT_ARM], (2, 4)),
    "right_arm": (ARM_CHANNELS[Limb.RIGHT_ARM], (2, 4)),
    "left_foot": (FOOT_CHANNELS[Limb.LEFT_LEG], (2,)),
    "right_foot": (FOOT_CHANNELS[Limb.RIGHT_LEG], (2,)),
}
# Limits of what a key may say: degrees, or leg lengths.
LENGTHS = {
    Channel.SHIFT,
    Channel.DROP,
    Channel.SHRUG,
    Channel.LEFT_FOOT_OUT,
    Channel.LEFT_FOOT_UP,
    Channel.RIGHT_FOOT_OUT,
    Channel.RIGHT_FOOT_UP,
}
LENGTH_MAX = 0.6
ANGLE_MAX = 270.0


class MoveError(ValueError):
    """The file of moves is wrong; the message names move and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One channel of a move: its keys in order, at least one.

    Attributes:
        times: in beats, rising, from 0 to below the loop's length.
        values: at those times.
        slopes: by how much the value changes in a beat there; 0 where motion stops.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]

    def at(self, beats: NDArray[np.float64], length: float) -> NDArray[np.float64]:
        """Return the values at times within the loop, by cubic Hermite segments."""
        if len(self.times) == 1:
            return np.full(len(beats), self.values[0])
        times = np.append(self.times, self.times[0] + length)
        values, slopes = (
            np.append(self.values, self.values[0]),
            np.append(self.slopes, self.slopes[0]),
        )
        beats = np.where(beats < times[0], beats + length, beats)
        place = np.clip(np.searchsorted(times, beats, side="right") - 1, 0, len(times) - 2)
        long = times[place + 1] - times[place]
        step = (beats - times[place]) / long
        start, end = values[place], values[place + 1]
        rise, fall = slopes[place] * long, slopes[place + 1] * long
        square, cube = step**2, step**3
        return np.asarray(
            start * (2 * cube - 3 * square + 1)
            + rise * (cube - 2 * square + step)
            + end * (3 * square - 2 * cube)
            + fall * (cube - square)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move.

    Attributes:
        name: lower_snake_case.
        title: for people.
        beats: length of the loop.
        bounce: how far the hips go down on each beat, in leg lengths.
        slides: whether feet go elsewhere along the ground; otherwise they are lifted for it.
        tracks: by channel, those that the move says anything of.
    """

    name: str
    title: str
    beats: int
    bounce: float
    slides: bool
    tracks: Mapping[Channel, Track]

    def poses(self, beats: NDArray[np.float64]) -> Pose:
        """Return the poses at times in beats, which count on from loop to loop; one a row."""
        within = np.mod(beats, self.beats)
        poses = np.tile(neutral(), (len(beats), 1))
        for channel, track in self.tracks.items():
            poses[:, channel] = track.at(within, float(self.beats))
        poses[:, Channel.DROP] += self.bounce * (0.5 + 0.5 * np.cos(2 * np.pi * beats))
        for foot in FOOT_CHANNELS.values():
            self._step(within, poses[:, foot], Channel(foot.start))
        return poses

    def _step(self, within: NDArray[np.float64], foot: Pose, out: Channel) -> None:
        """Lift a foot in place, while it goes elsewhere."""
        track = self.tracks.get(out)
        if track is None:
            return
        lift = SLIDE_UP if self.slides else STEP_UP
        ends = np.append(track.times[1:], track.times[0] + self.beats)
        changes = np.abs(np.append(track.values[1:], track.values[0]) - track.values)
        later = np.where(within < track.times[0], within + self.beats, within)
        for start, end, change in zip(track.times, ends, changes, strict=True):
            if change > SLIDE_MIN:
                step = np.clip((later - start) / (end - start), 0.0, 1.0)
                high = lift * np.sin(np.pi * step) if not self.slides else lift * (step % 1 > 0)
                foot[:, 1] = np.maximum(foot[:, 1], high)


class MoveBook:
    """All moves by their names."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self.moves = tuple(sorted(moves, key=lambda move: move.name))
        self._by_name = {move.name: move for move in self.moves}

    def move(self, name: str, field: str) -> Move:
        """Return a move.

        Raises:
            InvalidRequestError: there is none of that name; the metadata names those there are.
        """
        if name not in self._by_name:
            known = ", ".join(self._by_name)
            raise InvalidRequestError(
                Reason.OPTION_INVALID, "no such move", field=field, metadata={"known": known}
            )
        return self._by_name[name]


def load_moves(text: str | None = None) -> MoveBook:
    """Read the moves out of TOML, by default the library that comes with the service.

    Raises:
        MoveError: a move that can't be danced; the message names it.
    """
    if text is None:
        text = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    found = tomllib.loads(text)
    return MoveBook([read_move(name, table) for name, table in found.items()])


def read_move(name: str, table: Mapping[str, Any]) -> Move:
    """Check one move and make its tracks."""
    unknown = set(table) - {"title", "beats", "bounce", "mirror", "slides", "keys"}
    if unknown:
        raise MoveError(f"{name}: unknown {sorted(unknown)}")
    beats, keys = table.get("beats"), table.get("keys")
    if not isinstance(beats, int) or not 1 <= beats <= BEATS_MAX:
        raise MoveError(f"{name}: beats must be a whole number from 1 to {BEATS_MAX}")
    if not keys or keys[0].get("at") != 0:
        raise MoveError(f"{name}: the first key must be at 0")
    half = beats / 2 if table.get("mirror", False) else float(beats)
    times = [float(key.get("at", -1)) for key in keys]
    if any(later <= early for early, later in pairwise(times)) or times[-1] >= half:
        raise MoveError(f"{name}: keys must follow each other within {half:g} beats")
    poses = [read_key(f"{name} at {key['at']}", key) for key in keys]
    through = [bool(key.get("through", False)) for key in keys]
    if table.get("mirror", False):
        times += [time + half for time in times]
        poses += [mirrored_key(pose) for pose in poses]
        through += through
    return Move(
        name=name,
        title=str(table.get("title", "")) or name,
        beats=beats,
        bounce=float(table.get("bounce", 0.0)),
        slides=bool(table.get("slides", False)),
        tracks=make_tracks(times, poses, through, float(beats)),
    )


def read_key(place: str, key: Mapping[str, Any]) -> dict[Channel, float]:
    """Read what a key poses, and hold it to what bodies can do."""
    pose: dict[Channel, float] = {}
    for word, value in key.items():
        if word in ("at", "through"):
            continue
        if word in PLAIN:
            pose[PLAIN[word]] = float(value)
        elif word in LISTS:
            channels, sizes = LISTS[word]
            if len(value) not in sizes:
                raise MoveError(f"{place}: {word} takes {sizes} numbers")
            whole = [float(number) for number in value] + [0.0] * (max(sizes) - len(value))
            first = channels.start
            pose |= {Channel(first + place): number for place, number in enumerate(whole)}
        else:
            raise MoveError(f"{place}: unknown {word!r}")
    for channel, number in pose.items():
        most = LENGTH_MAX if channel in LENGTHS else ANGLE_MAX
        if not abs(number) <= most:
            raise MoveError(f"{place}: {channel.name.lower()} must be within {most:g}")
    return pose


def mirrored_key(pose: Mapping[Channel, float]) -> dict[Channel, float]:
    """Return a key's mirror image."""
    whole, said = np.zeros(CHANNELS), np.zeros(CHANNELS)
    for channel, value in pose.items():
        whole[channel], said[channel] = value, 1.0
    other, told = mirrored(whole), mirrored(said)
    return {channel: float(other[channel]) for channel in Channel if told[channel]}


def make_tracks(
    times: Sequence[float],
    poses: Sequence[Mapping[Channel, float]],
    through: Sequence[bool],
    beats: float,
) -> dict[Channel, Track]:
    """Gather the keys of each channel."""
    tracks = {}
    for channel in Channel:
        keyed = [place for place, pose in enumerate(poses) if channel in pose]
        if not keyed:
            continue
        when = np.array([times[place] for place in keyed])
        what = np.array([poses[place][channel] for place in keyed])
        before, after = np.roll(what, 1), np.roll(what, -1)
        span = np.roll(when, -1) - np.roll(when, 1)
        span = np.where(span <= 0, span + beats, span)
        slopes = np.where([through[place] for place in keyed], (after - before) / span, 0.0)
        tracks[channel] = Track(times=when, values=what, slopes=slopes)
    return tracks


def neutral() -> Pose:
    """Return the pose of somebody who just stands there."""
    pose = np.zeros(CHANNELS)
    for channel, value in NEUTRAL.items():
        pose[channel] = value
    return pose
