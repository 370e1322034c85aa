"""Captured movement: joints of somebody over time, turned into poses for anybody.

Joints count x to the viewer's right, y down and z towards the viewer, in any unit; the captured
person faces the viewer, so that their left is on the right.
"""

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.pose import (
    ARM_CHANNELS,
    CHANNELS,
    FOOT_CHANNELS,
    PLANTED_MAX,
    Channel,
    Pose,
)
from services.dance.skeleton import ARMS, LEGS, Limb
from services.dance.stance import STANDING_SHARE

Joints: TypeAlias = NDArray[np.float64]
"""TxJx3, J as in `Joint`."""
Series: TypeAlias = NDArray[np.float64]


class Joint(IntEnum):
    """What is captured of a person."""

    HEAD = 0
    LEFT_SHOULDER = auto()
    RIGHT_SHOULDER = auto()
    LEFT_ELBOW = auto()
    RIGHT_ELBOW = auto()
    LEFT_WRIST = auto()
    RIGHT_WRIST = auto()
    LEFT_HIP = auto()
    RIGHT_HIP = auto()
    LEFT_KNEE = auto()
    RIGHT_KNEE = auto()
    LEFT_ANKLE = auto()
    RIGHT_ANKLE = auto()


LIMB_JOINTS = {
    Limb.LEFT_ARM: (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, Joint.LEFT_WRIST),
    Limb.RIGHT_ARM: (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST),
    Limb.LEFT_LEG: (Joint.LEFT_HIP, Joint.LEFT_KNEE, Joint.LEFT_ANKLE),
    Limb.RIGHT_LEG: (Joint.RIGHT_HIP, Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE),
}
SIDES = {Limb.LEFT_ARM: 1, Limb.RIGHT_ARM: -1, Limb.LEFT_LEG: 1, Limb.RIGHT_LEG: -1}
# Movement faster than this is noise of the capture, or a blur anyway.
SMOOTH_SECONDS = 0.06
# The dancer stays in the picture: slower wandering than this is taken out.
WANDER_SECONDS = 2.5
# A foot stands while it is so near the ground and so slow, in leg lengths and those a second.
GROUND_NEAR = 0.045
GROUND_SPEED = 0.25
STAND_SECONDS = 0.12
# What a photo can be turned by, in degrees, before the side that it does not show would be seen.
TURN_MAX = 32.0
TILT_MAX = 65.0
PITCH_MAX = 45.0
LENGTH_MAX = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Poses at a steady rate.

    Attributes:
        poses: one a row.
        frames_per_second: how many a second.
    """

    poses: Pose
    frames_per_second: float

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.poses) / self.frames_per_second

    def at(self, times: Series, intensity: float, rest: Pose) -> Pose:
        """Return the poses at times in seconds; at its end the movement turns back.

        Args:
            intensity: how wide, 1 for as captured.
            rest: the pose that the clip sets out from.
        """
        count = len(self.poses)
        place = np.abs(times) * self.frames_per_second
        if count == 1:
            return np.repeat(self.poses, len(times), axis=0)
        place = np.mod(place, 2 * (count - 1))
        place = np.minimum(place, 2 * (count - 1) - place)
        below = np.minimum(place.astype(int), count - 2)
        share = (place - below)[:, None]
        poses = self.poses[below] * (1 - share) + self.poses[below + 1] * share
        # A foot between two frames stands only if it does in both.
        for foot in FOOT_CHANNELS.values():
            up = foot.start + 1
            poses[:, up] = np.maximum(poses[:, up], 0.0)
        if intensity != 1.0:
            poses = rest + (poses - rest) * intensity
        wide: Pose = poses
        return wide


def captured(joints: Joints, frames_per_second: float) -> Capture:
    """Turn joints over time into poses."""
    joints = smoothed(joints, SMOOTH_SECONDS * frames_per_second)
    poses = np.zeros((len(joints), CHANNELS))
    hips = joints[:, [Joint.LEFT_HIP, Joint.RIGHT_HIP]]
    shoulders = joints[:, [Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER]]
    pelvis, neck = hips.mean(axis=1), shoulders.mean(axis=1)
    up = neck - pelvis
    lean = np.arctan2(up[:, 0], -up[:, 1])
    poses[:, Channel.LEAN] = np.degrees(lean)
    poses[:, Channel.PITCH] = np.clip(degrees_towards(up), 0.0, PITCH_MAX)
    poses[:, Channel.SWAY] = roll(hips)
    poses[:, Channel.HIP_TURN] = yaw(hips)
    poses[:, Channel.CHEST_TURN] = yaw(shoulders)
    head = joints[:, Joint.HEAD] - neck
    roll_head = np.degrees(np.arctan2(head[:, 0], -head[:, 1]))
    poses[:, Channel.HEAD_ROLL] = np.clip(roll_head - 0.5 * poses[:, Channel.LEAN], -25.0, 25.0)
    for limb in ARMS:
        poses[:, ARM_CHANNELS[limb]] = arm(joints, limb, lean)
    add_legs(poses, joints, pelvis, frames_per_second)
    return Capture(poses=poses, frames_per_second=frames_per_second)


def arm(joints: Joints, limb: Limb, lean: Series) -> Series:
    """Return the four angles of an arm, Tx4."""
    shoulder, elbow, wrist = (joints[:, joint] for joint in LIMB_JOINTS[limb])
    side = SIDES[limb]
    bones = (elbow - shoulder, wrist - elbow)
    plain = [
        np.degrees(np.unwrap(side * (np.arctan2(bone[:, 0], bone[:, 1]) + lean))) for bone in bones
    ]
    plain[0] -= 360 * round((float(np.median(plain[0])) - 60) / 360)
    plain[1] -= 360 * np.round((plain[1] - plain[0]) / 360)
    towards = [np.clip(degrees_towards(bone), -TILT_MAX, TILT_MAX) for bone in bones]
    return np.stack([*plain, *towards], axis=1)


def add_legs(poses: Pose, joints: Joints, pelvis: Series, frames_per_second: float) -> None:
    """Fill in where hips and feet are, in leg lengths of the captured person."""
    leg = leg_length(joints)
    ground = max(float(np.percentile(joints[:, LIMB_JOINTS[limb][2], 1], 92)) for limb in LEGS)
    wander = smoothed(pelvis[:, :1], WANDER_SECONDS * frames_per_second)[:, 0]
    hip_down = np.median(
        joints[:, [Joint.LEFT_HIP, Joint.RIGHT_HIP], 1].mean(axis=1) - pelvis[:, 1]
    )
    standing = ground - STANDING_SHARE * leg - hip_down
    poses[:, Channel.DROP] = np.clip((pelvis[:, 1] - standing) / leg, -0.4, LENGTH_MAX)
    shift = np.clip((pelvis[:, 0] - wander) / leg, -0.3, 0.3)
    poses[:, Channel.SHIFT] = shift
    for limb in LEGS:
        hip, knee, ankle = (joints[:, joint] for joint in LIMB_JOINTS[limb])
        side, foot = SIDES[limb], FOOT_CHANNELS[limb]
        home = float(np.median(side * (hip[:, 0] - pelvis[:, 0]))) * 1.25
        out = side * (ankle[:, 0] - wander) - home
        high = np.clip((ground - ankle[:, 1]) / leg, 0.0, LENGTH_MAX)
        stands = standing_frames(out / leg, high, frames_per_second)
        poses[:, foot.start] = np.clip(held(out / leg, stands), -0.4, LENGTH_MAX)
        poses[:, foot.start + 1] = np.where(stands, 0.0, np.maximum(high, 2 * PLANTED_MAX))
        poses[:, foot.start + 3] = knee_aim(hip, knee, ankle, side)


def leg_length(joints: Joints) -> float:
    """Return how long the captured legs are; the longest that is often seen, since bones tilt."""
    lengths = [
        np.linalg.norm(joints[:, second] - joints[:, first], axis=1)
        for limb in LEGS
        for first, second in zip(LIMB_JOINTS[limb], LIMB_JOINTS[limb][1:], strict=False)
    ]
    return max(float(np.percentile(np.stack(lengths), 70, axis=1).sum() / 2), 1e-6)


def standing_frames(out: Series, high: Series, frames_per_second: float) -> NDArray[np.bool_]:
    """Tell in which frames a foot stands: low and slow for a while."""
    speed = np.abs(np.gradient(out) if len(out) > 1 else out * 0) * frames_per_second
    stands = (high < GROUND_NEAR) & (speed < GROUND_SPEED)
    least = max(2, round(STAND_SECONDS * frames_per_second))
    for first, last in runs(stands):
        if last - first < least:
            stands[first:last] = False
    return np.asarray(stands)


def held(out: Series, stands: NDArray[np.bool_]) -> Series:
    """Hold a foot where it stands; in between it goes from one such place to the next."""
    places: list[int] = []
    corrections: list[float] = []
    for first, last in runs(stands):
        level = float(np.median(out[first:last]))
        places += range(first, last)
        corrections += [level - float(value) for value in out[first:last]]
    if not places:
        return out
    return np.asarray(out + np.interp(np.arange(len(out)), places, corrections))


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where flags are set without a break: first, and one past the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def knee_aim(hip: Joints, knee: Joints, ankle: Joints, side: int) -> Series:
    """Tell where knees point, in degrees; straight legs say nothing and point to the viewer."""
    along = ankle - hip
    share = ((knee - hip) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
    off = knee - hip - share[:, None] * along
    bent = np.linalg.norm(off, axis=1) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)
    aim = np.degrees(np.arctan2(side * off[:, 0], np.abs(off[:, 2]) + 0.25 * np.abs(off[:, 0])))
    return np.asarray(np.clip(aim, -60.0, 60.0) * np.clip((bent - 0.03) / 0.07, 0.0, 1.0))


def roll(pair: Joints) -> Series:
    """Tell how far the left of a pair is up, in degrees."""
    across = pair[:, 0] - pair[:, 1]
    return np.clip(np.degrees(np.arctan2(-across[:, 1], np.abs(across[:, 0]) + 1e-9)), -25.0, 25.0)


def yaw(pair: Joints) -> Series:
    """Tell how far the left of a pair is towards the viewer, in degrees."""
    across = pair[:, 0] - pair[:, 1]
    turn = np.degrees(np.arctan2(across[:, 2], np.abs(across[:, 0]) + 1e-9))
    return np.clip(turn, -TURN_MAX, TURN_MAX)


def degrees_towards(bone: Joints) -> Series:
    """Tell how far bones point towards the viewer."""
    flat = np.hypot(bone[:, 0], bone[:, 1])
    return np.degrees(np.arctan2(bone[:, 2], flat))


def smoothed(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Smooth along the first axis by a Gaussian; ends are held."""
    if sigma < 0.3 or len(values) < 3:
        return values
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    return np.asarray(windows @ kernel)
