"""What a pose makes of one body's joints.

`stand` carries a pose over to a body of its own bone lengths, with its feet where the pose plants
them.
"""

import math
from dataclasses import dataclass

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
from services.dance.skeleton import ARMS, LEGS, Limb, Points, Skeleton
from services.dance.trunk import Trunk

# A standing leg is this much shorter than its bones: nobody stands with his knees pushed through.
STANDING_SHARE = 0.985
# How far from under its hip a foot may stand in the photo, in leg lengths, to stay there.
HOME_OUT_MAX = 0.34
HOME_LEG_MIN = 0.86
# Arms are lifted by the shoulder too, those that point up by this share of the shoulders' width.
SHOULDER_LIFT = 0.13
# An arm that would leave the picture reaches towards the viewer instead, and looks shorter: down to
# this share; so much room is left beyond its finger tips, over the torso.
REACH_SHARE_MIN = 0.55
BORDER_ROOM = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """Where a pose puts the joints of one body. Pixels, x right, y down.

    Turns are clockwise from how the bone lies in the photo, in radians.

    Attributes:
        limbs: 4x4x2, the points of each limb as in `Skeleton`.
        turns: 4x3, of each limb's two long bones and its end.
        nearness: 4x2, how far the middle joint and the end lie towards the viewer, in pixels.
        pelvis: middle between the hips.
        pelvis_turn: of the hips.
        chest_turn: of the chest.
        yaws: hips and chest about the upright, in radians, positive for left towards the viewer.
        pitch: of the trunk, in radians.
        shrug: how far the shoulders are up, in pixels.
        head_turn: of the head.
        planted: whether the left and the right foot stand.
        trunk: how all this bends the trunk.
    """

    limbs: Points
    turns: NDArray[np.float64]
    nearness: NDArray[np.float64]
    pelvis: Points
    pelvis_turn: float
    chest_turn: float
    yaws: tuple[float, float]
    pitch: float
    shrug: float
    head_turn: float
    planted: tuple[bool, bool]
    trunk: Trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a body stands when it dances.

    Attributes:
        feet: 2x2, the left and the right ankle.
        pelvis: middle between the hips.
        size: rows and columns of the picture, which arms keep inside of.
    """

    feet: Points
    pelvis: Points
    size: tuple[int, int]


def home_of(skeleton: Skeleton, size: tuple[int, int]) -> Home:
    """Choose where the feet stand: as in the photo if it shows somebody standing.

    Args:
        size: rows and columns of the picture.
    """
    hips, ankles = skeleton.limbs[list(LEGS), 0], skeleton.limbs[list(LEGS), 2]
    if skeleton.missing & set(LEGS):
        return Home(feet=ankles, pelvis=skeleton.pelvis, size=size)
    leg = skeleton.leg
    out = np.abs(ankles - hips)[:, 0] / leg
    long = np.hypot(*(ankles - hips).T) / skeleton.lengths[list(LEGS)].sum(axis=1)
    level = abs(ankles[0, 1] - ankles[1, 1]) < 0.1 * leg
    crossed = (ankles[0, 0] - ankles[1, 0]) * skeleton.facing < 0.12 * leg
    if out.max() < HOME_OUT_MAX and long.min() > HOME_LEG_MIN and level and not crossed:
        return Home(feet=ankles, pelvis=skeleton.pelvis, size=size)
    spread = (hips - skeleton.pelvis) * [1.25, 0.0]
    base = np.array([skeleton.pelvis[0], ankles[:, 1].max()])
    pelvis = base - [0.0, STANDING_SHARE * leg - abs(hips - skeleton.pelvis)[:, 1].max()]
    return Home(feet=base + spread, pelvis=pelvis, size=size)


def pose_of(skeleton: Skeleton, home: Home) -> Pose:
    """Read the pose that a photo shows, so that a dance can set out from it."""
    pose = np.zeros(CHANNELS)
    leg = skeleton.leg
    shift = (skeleton.pelvis - home.pelvis) / leg
    pose[Channel.SHIFT], pose[Channel.DROP] = skeleton.facing * shift[0], shift[1]
    for limb in ARMS:
        shoulder, elbow, wrist, _ = skeleton.limbs[limb]
        side = skeleton.side(limb)
        upper, fore = elbow - shoulder, wrist - elbow
        lengths = skeleton.lengths[limb]
        angles = [
            math.degrees(math.atan2(side * upper[0], upper[1])),
            math.degrees(math.atan2(side * fore[0], fore[1])),
        ]
        angles[1] += 360 * round((angles[0] - angles[1]) / 360)
        pose[ARM_CHANNELS[limb]] = [*angles, *tilts((upper, fore), lengths)]
    for number, limb in enumerate(LEGS):
        moved = (skeleton.limbs[limb, 2] - home.feet[number]) / leg
        out = skeleton.side(limb) * moved[0]
        pose[FOOT_CHANNELS[limb]] = [out, max(0.0, -moved[1]), 0.0, knee_angle(skeleton, limb)]
    return pose


def tilts(bones: tuple[Points, Points], lengths: Points) -> list[float]:
    """Tell how far bones must turn to the viewer to look as short as they do, in degrees."""
    shares = [
        min(1.0, float(np.hypot(*bone)) / long) for bone, long in zip(bones, lengths, strict=True)
    ]
    return [math.degrees(math.acos(share)) for share in shares]


def knee_angle(skeleton: Skeleton, limb: Limb) -> float:
    """Tell where the photo's knee points, in degrees."""
    hip, knee, ankle, _ = skeleton.limbs[limb]
    along = (ankle - hip) / max(float(np.hypot(*(ankle - hip))), 1.0)
    across = np.array([along[1], -along[0]]) * skeleton.side(limb)
    bend = bend_of(float(np.hypot(*(ankle - hip))), skeleton.lengths[limb])[1]
    share = float((knee - hip) @ across) / max(bend, 1e-3 * skeleton.leg)
    return math.degrees(math.asin(float(np.clip(share, -1.0, 1.0))))


def stand(skeleton: Skeleton, home: Home, pose: Pose) -> Stance:
    """Put one pose on a body: bones keep their lengths, planted feet stand still."""
    leg, facing = skeleton.leg, skeleton.facing
    value = {channel: float(pose[channel]) for channel in Channel}
    radians = {channel: math.radians(value[channel]) for channel in Channel}
    # To the dancer's left is clockwise where the left is on the right.
    pelvis_turn = -facing * radians[Channel.SWAY]
    chest_turn = facing * radians[Channel.LEAN]
    yaws = (facing * radians[Channel.HIP_TURN], facing * radians[Channel.CHEST_TURN])
    pelvis = home.pelvis + leg * np.array([facing * value[Channel.SHIFT], value[Channel.DROP]])
    feet = np.stack(
        [foot_place(skeleton, home, number, pose) for number in range(len(LEGS))],
    )
    planted = tuple(bool(pose[FOOT_CHANNELS[limb]][1] < PLANTED_MAX) for limb in LEGS)
    trunk = Trunk(skeleton, pelvis_turn, chest_turn, yaws, radians[Channel.PITCH])
    if not skeleton.missing & set(LEGS):
        pelvis = within_reach(skeleton, trunk, pelvis, feet, planted)
    shrug = leg * value[Channel.SHRUG]
    limbs, turns = skeleton.limbs.copy(), np.zeros((4, 3))
    nearness = np.zeros((4, 2))
    for limb in ARMS:
        shoulder = pelvis + trunk.place(skeleton.limbs[limb, 0]) - [0.0, shrug]
        if limb in skeleton.missing:
            limbs[limb], turns[limb] = carried(skeleton, limb, shoulder, chest_turn)
        else:
            arm = pose[ARM_CHANNELS[limb]]
            limbs[limb], turns[limb], nearness[limb] = reach(
                skeleton, limb, shoulder, chest_turn, arm, home.size
            )
    for number, limb in enumerate(LEGS):
        hip = pelvis + trunk.place(skeleton.limbs[limb, 0])
        if skeleton.missing & set(LEGS):
            limbs[limb], turns[limb] = skeleton.limbs[limb], 0.0
        else:
            foot = pose[FOOT_CHANNELS[limb]]
            limbs[limb], turns[limb], nearness[limb] = step(skeleton, limb, hip, feet[number], foot)
    return Stance(
        limbs=limbs,
        turns=turns,
        nearness=nearness,
        pelvis=pelvis,
        pelvis_turn=pelvis_turn,
        chest_turn=chest_turn,
        yaws=yaws,
        pitch=radians[Channel.PITCH],
        shrug=shrug,
        head_turn=chest_turn * 0.5 + facing * radians[Channel.HEAD_ROLL],
        planted=(planted[0], planted[1]),
        trunk=trunk,
    )


def direction(turn: float) -> Points:
    """Return the unit vector that points down, turned counterclockwise: 90 degrees is right."""
    return np.array([math.sin(turn), math.cos(turn)])


def foot_place(skeleton: Skeleton, home: Home, number: int, pose: Pose) -> Points:
    """Return where a pose puts an ankle."""
    limb = LEGS[number]
    out, up = pose[FOOT_CHANNELS[limb]][:2]
    moved: Points = home.feet[number] + skeleton.leg * np.array([skeleton.side(limb) * out, -up])
    return moved


def within_reach(
    skeleton: Skeleton, trunk: Trunk, pelvis: Points, feet: Points, planted: tuple[bool, ...]
) -> Points:
    """Lower the hips until every planted foot can be reached."""
    lowest = pelvis[1]
    for number, limb in enumerate(LEGS):
        if not planted[number]:
            continue
        hip = pelvis + trunk.place(skeleton.limbs[limb, 0])
        reach_max = standing_leg(skeleton, limb)
        aside = min(abs(float(feet[number, 0] - hip[0])), 0.95 * reach_max)
        highest = feet[number, 1] - math.sqrt(reach_max**2 - aside**2)
        lowest = max(lowest, pelvis[1] + highest - hip[1])
    return np.array([pelvis[0], lowest])


def standing_leg(skeleton: Skeleton, limb: Limb) -> float:
    """Return how far a standing foot may be from its hip: as far as in the photo, if not less."""
    long = float(skeleton.lengths[limb].sum())
    shown = float(np.hypot(*(skeleton.limbs[limb, 2] - skeleton.limbs[limb, 0])))
    return min(max(STANDING_SHARE * long, shown), 0.999 * long)


def carried(
    skeleton: Skeleton, limb: Limb, root: Points, turn: float
) -> tuple[Points, NDArray[np.float64]]:
    """Move a limb as one piece with the trunk that it hangs on."""
    away = skeleton.limbs[limb] - skeleton.limbs[limb, 0]
    cosine, sine = math.cos(turn), math.sin(turn)
    turned = away @ np.array([[cosine, sine], [-sine, cosine]])
    return root + turned, np.full(3, turn)


def reach(
    skeleton: Skeleton,
    limb: Limb,
    shoulder: Points,
    chest_turn: float,
    arm: Pose,
    size: tuple[int, int],
) -> tuple[Points, NDArray[np.float64], NDArray[np.float64]]:
    """Put an arm on its shoulder, inside of a picture of so many rows and columns."""
    side, lengths, rest = skeleton.side(limb), skeleton.lengths[limb], skeleton.limbs[limb]
    upper, fore, upper_tilt, fore_tilt = np.radians(arm)
    bone = rest[1] - rest[0]
    lift = lifted(upper) * math.cos(upper_tilt) - lifted(math.atan2(side * bone[0], bone[1]))
    width = float(np.hypot(*(skeleton.limbs[0, 0] - skeleton.limbs[1, 0])))
    root = shoulder - [side * 0.4 * SHOULDER_LIFT * lift * width, SHOULDER_LIFT * lift * width]
    angles = [side * upper - chest_turn, side * fore - chest_turn]
    tilted = np.array([upper_tilt, fore_tilt])
    long = float(np.hypot(*(rest[3] - rest[2])))
    bones = np.stack([direction(angle) for angle in (angles[0], angles[1], angles[1])])
    bones *= np.append(lengths * np.cos(tilted), long)[:, None]
    share = within_picture(skeleton, limb, root, root + np.cumsum(bones, axis=0), size)
    if share < 1.0:
        tilted = np.copysign(np.arccos(share * np.cos(tilted)), tilted + 1e-9)
        bones *= share
    elbow, wrist = root + bones[0], root + bones[0] + bones[1]
    at_rest = [angle_of(rest[1] - rest[0]), angle_of(rest[2] - rest[1])]
    turns = -np.array([angles[0] - at_rest[0], angles[1] - at_rest[1], 0.0])
    turns[1] = near(turns[1], turns[0])
    turns[2] = turns[1]
    hand = turned(rest[3] - rest[2], turns[2]) * (0.35 + 0.65 * abs(math.cos(tilted[1])))
    depth = lengths * np.sin(tilted)
    points = np.stack([root, elbow, wrist, wrist + hand])
    return points, turns, np.array([depth[0], depth.sum()])


def within_picture(
    skeleton: Skeleton, limb: Limb, root: Points, points: Points, size: tuple[int, int]
) -> float:
    """Tell how much shorter an arm must look to end inside of a picture; 1 where it does.

    An arm that the photo itself shows at its border, or beyond, may go as far again.

    Args:
        root: the shoulder.
        points: 3x2: elbow, wrist and finger tips of the arm as it is long.
        size: rows and columns of the picture.
    """
    room = BORDER_ROOM * skeleton.torso
    rest = skeleton.limbs[limb]
    share = 1.0
    for axis, sign, border in ((0, -1, 0.0), (0, 1, size[1] - 1.0), (1, -1, 0.0)):
        far = float((sign * (points[:, axis] - root[axis])).max())
        shown = sign * (border - float(root[axis])) - room
        shown = max(shown, float((sign * (rest[1:, axis] - rest[0, axis])).max()))
        if far > max(shown, 1.0):
            share = min(share, shown / far)
    return max(share, REACH_SHARE_MIN)


def lifted(upper: float) -> float:
    """Tell how far an arm at an angle lifts its shoulder, 0..1: the blade turns from early on."""
    return 0.5 * (1.0 - math.cos(max(0.0, upper)))


def step(
    skeleton: Skeleton, limb: Limb, hip: Points, ankle: Points, foot: Pose
) -> tuple[Points, NDArray[np.float64], NDArray[np.float64]]:
    """Put a leg between its hip and where its foot goes."""
    side, lengths, rest = skeleton.side(limb), skeleton.lengths[limb], skeleton.limbs[limb]
    _, up, toes, aim = foot
    away = ankle - hip
    long_max = 0.999 * float(lengths.sum())
    long = float(np.hypot(*away))
    if long > long_max:
        away, long = away * (long_max / long), long_max
        ankle = hip + away
    along = away / max(long, 1e-6)
    across = np.array([along[1], -along[0]]) * side
    at, bend = bend_of(long, lengths)
    outwards = math.sin(math.radians(aim))
    knee = hip + at * along + bend * outwards * across
    at_rest = [angle_of(rest[1] - rest[0]), angle_of(rest[2] - rest[1])]
    angles = [angle_of(knee - hip), angle_of(ankle - knee)]
    turns = np.array([near(at_rest[k] - angles[k], 0.0) for k in range(2)] + [0.0])
    # A planted sole keeps to the ground; a lifted one hangs on its shin.
    hanging = min(1.0, float(up) / 0.15)
    turns[2] = 0.5 * hanging * turns[1] - side * math.radians(toes)
    end = ankle + turned(rest[3] - rest[2], turns[2])
    forward = bend * math.cos(math.radians(aim))
    return np.stack([hip, knee, ankle, end]), turns, np.array([forward, 0.0])


def bend_of(long: float, lengths: Points) -> tuple[float, float]:
    """Return how far along the line from hip to ankle the knee is, and how far off it."""
    upper, lower = float(lengths[0]), float(lengths[1])
    long = max(long, abs(upper - lower) + 1e-6)
    at = (upper**2 - lower**2 + long**2) / (2 * long)
    return at, math.sqrt(max(0.0, upper**2 - at**2))


def angle_of(bone: Points) -> float:
    """Return how far a bone is turned counterclockwise from hanging, in radians."""
    return math.atan2(float(bone[0]), float(bone[1]))


def near(turn: float, other: float) -> float:
    """Return the same turn, at most half a circle from another one."""
    return float(turn - 2 * math.pi * round((turn - other) / (2 * math.pi)))


def turned(bone: Points, turn: float) -> Points:
    """Return a bone, turned clockwise."""
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([bone[0] * cosine - bone[1] * sine, bone[0] * sine + bone[1] * cosine])
