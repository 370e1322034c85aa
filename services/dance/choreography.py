"""Moves one after the other, on the beats of the music: what pose a clip shows when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.beats import BeatGrid
from services.dance.moves import Move, neutral
from services.dance.pose import (
    ARM_CHANNELS,
    CHANNELS,
    FOOT_CHANNELS,
    PLANTED_MAX,
    Channel,
    Pose,
    mirrored,
)

Times: TypeAlias = NDArray[np.float64]
Motion: TypeAlias = Callable[[Times], Pose]
"""Times in seconds to poses, one a row."""

PHRASE_BEATS = 8
# The clip sets out from the photo's own pose, and one move goes over into the next, in so long.
INTRO_BEATS = 1.0
BLEND_BEATS = 1.0
# Forearms follow their upper arms, and heads their chests, a little later.
LAG_SECONDS = {
    Channel.LEFT_FORE: 0.035,
    Channel.RIGHT_FORE: 0.035,
    Channel.LEFT_FORE_TILT: 0.035,
    Channel.RIGHT_FORE_TILT: 0.035,
    Channel.HEAD_ROLL: 0.045,
    Channel.LEAN: 0.015,
    Channel.CHEST_TURN: 0.02,
}
INTENSITY_SPREAD = 0.07
# A step that takes a foot from where the photo shows it to where the dance has it.
INTRO_STEP_MIN = 0.02
INTRO_STEP_UP = 0.06
FEET = tuple(FOOT_CHANNELS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One stretch of a choreography.

    Attributes:
        start: beat that it begins on.
        move: what is danced.
        mirrored: whether left and right are changed.
        intensity: how wide.
    """

    start: float
    move: Move
    mirrored: bool
    intensity: float

    def poses(self, beats: Times) -> Pose:
        """Return the poses at beats of the whole choreography."""
        poses = self.move.poses(beats - self.start)
        return scaled(mirrored(poses) if self.mirrored else poses, self.intensity)


class Choreography:
    """A whole clip's dance."""

    def __init__(
        self, moves: Sequence[Move], grid: BeatGrid, intensity: float, seed: int, rest: Pose
    ) -> None:
        """Line up moves.

        Args:
            moves: danced one after the other, then again.
            grid: when the beats are.
            intensity: how wide the moves are, 1 for as they are written.
            seed: chooses mirror images and small differences.
            rest: the pose that the clip sets out from.
        """
        self._grid = grid
        self._rest = rest
        rng = np.random.default_rng(seed)
        first = bool(rng.integers(2))
        count = int(np.ceil(grid.beats / PHRASE_BEATS)) + 2
        turns = len(moves)
        self._phrases = [
            Phrase(
                start=float(number * PHRASE_BEATS),
                move=moves[number % turns],
                mirrored=first,
                intensity=intensity * (1 + INTENSITY_SPREAD * float(rng.uniform(-1, 1))),
            )
            for number in range(count)
        ]

    def poses(self, times: Times) -> Pose:
        """Return the poses at times in seconds, one a row."""
        poses = self._danced(self._grid.beat_at(times))
        for channel, lag in LAG_SECONDS.items():
            poses[:, channel] = self._danced(self._grid.beat_at(times - lag))[:, channel]
        return self._set_out(times, poses)

    def _danced(self, beats: Times) -> Pose:
        poses = np.empty((len(beats), CHANNELS))
        number = np.clip(np.floor(beats / PHRASE_BEATS).astype(int), 0, len(self._phrases) - 1)
        for each in np.unique(number):
            chosen = number == each
            phrase = self._phrases[each]
            poses[chosen] = phrase.poses(beats[chosen])
            if each and (phrase.move, phrase.mirrored) != (
                self._phrases[each - 1].move,
                self._phrases[each - 1].mirrored,
            ):
                step = (beats[chosen] - phrase.start) / BLEND_BEATS
                before = self._phrases[each - 1].poses(beats[chosen])
                poses[chosen] = blended(before, poses[chosen], step)
        return poses

    def _set_out(self, times: Times, poses: Pose) -> Pose:
        """Let the clip begin in the photo's pose."""
        seconds = INTRO_BEATS * self._grid.beat_seconds
        early = times < seconds
        if early.any():
            step = times[early] / seconds
            start = np.tile(self._rest, (int(early.sum()), 1))
            poses[early] = blended(start, poses[early], step)
        return poses


def blended(start: Pose, end: Pose, step: NDArray[np.float64]) -> Pose:
    """Go over from one pose to another; feet that stand elsewhere are lifted on the way."""
    held = np.clip(step, 0.0, 1.0)
    share = (held * held * (3 - 2 * held))[:, None]
    poses: Pose = start + (end - start) * share
    for foot in FEET:
        apart = np.abs(end[:, foot.start] - start[:, foot.start])
        lifted = np.where(apart > INTRO_STEP_MIN, INTRO_STEP_UP * np.sin(np.pi * held), 0.0)
        sliding = (apart > 0.0) & (held > 0) & (held < 1)
        lifted = np.maximum(lifted, np.where(sliding, 2 * PLANTED_MAX, 0.0))
        poses[:, foot.start + 1] = np.maximum(poses[:, foot.start + 1], lifted)
    return poses


def scaled(poses: Pose, intensity: float) -> Pose:
    """Make poses wider or smaller, about standing."""
    calm = neutral()
    wide: Pose = calm + (poses - calm) * intensity
    # Arms that swing farther than they can would pass through the body.
    for arm in ARM_CHANNELS.values():
        upper = wide[:, arm.start]
        wide[:, arm.start] = np.clip(upper, -45.0, 175.0)
    return wide
