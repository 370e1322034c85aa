"""The wearer on the working crop: joints, sizes, and how wide the body is where cloth goes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.vision.parts import BodyPart, Wear

Point: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.uint8]
ScalarT = TypeVar("ScalarT", bound=np.generic)


class Side(StrEnum):
    """A side of the wearer's own."""

    LEFT = "left"
    RIGHT = "right"


SIDES = (Side.RIGHT, Side.LEFT)

HEAD, TORSO = BodyPart.HEAD, BodyPart.TORSO
UPPER_ARM = {Side.LEFT: BodyPart.UPPER_ARM_LEFT, Side.RIGHT: BodyPart.UPPER_ARM_RIGHT}
FOREARM = {Side.LEFT: BodyPart.FOREARM_LEFT, Side.RIGHT: BodyPart.FOREARM_RIGHT}
HAND = {Side.LEFT: BodyPart.HAND_LEFT, Side.RIGHT: BodyPart.HAND_RIGHT}
THIGH = {Side.LEFT: BodyPart.THIGH_LEFT, Side.RIGHT: BodyPart.THIGH_RIGHT}
SHIN = {Side.LEFT: BodyPart.SHIN_LEFT, Side.RIGHT: BodyPart.SHIN_RIGHT}
ARMS = (*UPPER_ARM.values(), *FOREARM.values(), *HAND.values())
LEGS = (*THIGH.values(), *SHIN.values())
UPPER, LOWER, DRESS = Wear.UPPER, Wear.LOWER, Wear.DRESS
SKIN, HAIR, SHOES = Wear.SKIN, Wear.HAIR, Wear.SHOES

# Landmarks of MediaPipe's pose: the left side's number, the right side's is one more.
NOSE, MOUTH = 0, 9
SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE = 11, 13, 15, 23, 25, 27
# From nose to mouth and on to the chin, as shares of the first.
CHIN = 2.5

# Body measures as shares of the distance between the shoulder joints, seen from the front.
TORSO_SHARE = 1.48
UPPER_ARM_SHARE = 0.80
FOREARM_SHARE = 0.72
LIMB_LENGTH_SHARES = {"arm": (UPPER_ARM_SHARE, FOREARM_SHARE), "leg": (1.20, 1.18)}
# Half the width of a bare limb at its start, middle joint and end.
LIMB_WIDTH_SHARES = {"arm": (0.155, 0.12, 0.09), "leg": (0.26, 0.17, 0.115)}

# How much more a leg that stands upright carries than one that does not.
STANDING = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wearer:
    """A person on the working crop; arrays belong to the caller.

    Attributes:
        pixels: HxWx3 uint8 RGB.
        body: HxW uint8, labels of `PartMap.body`.
        wear: HxW uint8, labels of `PartMap.wear`.
        landmarks: 33x4 float32, x, y, z in pixels of the crop, visibility 0..1.
    """

    pixels: NDArray[np.uint8]
    body: Labels
    wear: Labels
    landmarks: NDArray[np.float32]
    _known: dict[tuple[str, Side], NDArray[np.float32]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the crop."""
        return self.body.shape[0], self.body.shape[1]

    def joint(self, number: int, side: Side) -> Point:
        """Return x and y of a joint."""
        return self.landmarks[number + (side is Side.RIGHT), :2].astype(np.float64)

    def depth(self, number: int, side: Side) -> float:
        """Return how far behind the hips a joint is, in pixels."""
        return float(self.landmarks[number + (side is Side.RIGHT), 2])

    def middle(self, number: int) -> Point:
        """Return the point between a joint and its other side."""
        return (self.joint(number, Side.LEFT) + self.joint(number, Side.RIGHT)) / 2

    @property
    def down(self) -> Point:
        """Direction from the shoulders to the hips."""
        return unit(self.middle(HIP) - self.middle(SHOULDER))

    @property
    def across(self) -> Point:
        """Direction towards the wearer's left, square to `down`."""
        right, below = self.down
        return np.array([below, -right])

    def outward(self, side: Side) -> Point:
        """Direction away from the body on one side."""
        return self.across if side is Side.LEFT else -self.across

    @property
    def span(self) -> float:
        """Distance between the shoulder joints as if seen from the front, in pixels."""
        seen = float(
            np.linalg.norm(self.joint(SHOULDER, Side.LEFT) - self.joint(SHOULDER, Side.RIGHT))
        )
        torso = float(np.linalg.norm(self.middle(HIP) - self.middle(SHOULDER)))
        # A turned body is as tall as before.
        return max(seen, 0.92 * torso / TORSO_SHARE)

    @property
    def turn(self) -> float:
        """Sine of how far the body is turned; positive with the left shoulder at the back."""
        away = self.depth(SHOULDER, Side.LEFT) - self.depth(SHOULDER, Side.RIGHT)
        return float(np.clip(away / self.span, -0.9, 0.9))


def labelled(labels: Labels, wanted: Sequence[int]) -> NDArray[np.bool_]:
    """Choose the pixels that have one of some labels."""
    table = np.zeros(256, np.bool_)
    table[list(wanted)] = True
    return np.asarray(table[labels])


def unit(vector: Point) -> Point:
    """Return a vector of length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


STEP = 0.5


def on_line(
    plane: NDArray[ScalarT], start: Point, direction: Point, far: float
) -> NDArray[ScalarT]:
    """Read a plane every half pixel from a point on; 0 outside of it."""
    steps = np.arange(0.0, max(far, 1.0), STEP)
    columns = np.rint(start[0] + direction[0] * steps).astype(np.intp)
    rows = np.rint(start[1] + direction[1] * steps).astype(np.intp)
    inside = (rows >= 0) & (rows < plane.shape[0]) & (columns >= 0) & (columns < plane.shape[1])
    found = np.zeros(steps.shape, plane.dtype)
    found[inside] = plane[rows[inside], columns[inside]]
    return found


def last_of(on: NDArray[np.bool_]) -> float | None:
    """Return how far the last chosen place of a line is, in pixels; None without any."""
    places = np.flatnonzero(on)
    return STEP * float(places[-1]) if places.size else None


def outermost(
    chosen: NDArray[np.bool_], start: Point, direction: Point, far: float
) -> float | None:
    """Measure how far out a choice lies along a line; what covers it in between does not matter.

    Returns:
        Pixels from the start to the last chosen one within `far`, None if nothing is chosen there.
    """
    return last_of(on_line(chosen, start, direction, far))


def outermost_label(
    wearer: Wearer, wanted: Sequence[int], start: Point, direction: Point, far: float
) -> float | None:
    """Measure how far out some parts of the body lie along a line; see `outermost`."""
    return last_of(labelled(on_line(wearer.body, start, direction, far), wanted))


def outermost_bald(
    wearer: Wearer, wanted: Sequence[int], start: Point, direction: Point, far: float
) -> float | None:
    """Measure the same of what hair does not cover."""
    parts = labelled(on_line(wearer.body, start, direction, far), wanted)
    return last_of(parts & (on_line(wearer.wear, start, direction, far) != HAIR))


def unbroken(chosen: NDArray[np.bool_], start: Point, direction: Point, far: float) -> float | None:
    """Measure how far a choice goes on along a line without a gap; specks count for nothing.

    Returns:
        Pixels from the start to where the choice ends, None if it does not hold the start or goes
        on for more than `far`.
    """
    off = ~on_line(chosen, start, direction, far)
    # A gap is two pixels wide at least.
    places = np.flatnonzero(off[:-3] & off[1:-2] & off[2:-1] & off[3:])
    return STEP * float(places[0]) if places.size and places[0] > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limb:
    """An arm or a leg: its bones and how wide it is.

    Attributes:
        side: the wearer's own.
        kind: `arm` or `leg`.
        joints: 3x2: shoulder, elbow, wrist; hip, knee, ankle.
        lengths: what its two bones would measure if they lay in the picture's plane, in pixels.
        labels: of `PartMap.body`.
        widths: half its width at the joints if it is bare, in pixels.
    """

    side: Side
    kind: str
    joints: NDArray[np.float64]
    lengths: tuple[float, float]
    labels: tuple[int, int]
    widths: tuple[float, float, float]

    @property
    def length(self) -> float:
        """Both bones' true length."""
        return sum(self.lengths)

    def at(self, along: float) -> tuple[Point, Point]:
        """Return the point a true distance along the limb, and the limb's direction there."""
        first, second = self.lengths
        start, middle, end = self.joints
        # Around the joint the direction turns gradually, as flesh and cloth do.
        bend = 0.22 * min(first, second)
        place = start + (middle - start) * along / first
        if along > first:
            place = middle + (end - middle) * (along - first) / second
        mix = float(np.clip((along - first + bend) / (2 * bend), 0.0, 1.0))
        direction = unit(middle - start) * (1 - mix) + unit(end - middle) * mix
        if 0.0 < mix < 1.0:
            corner = (
                (1 - mix) ** 2 * (start + (middle - start) * (1 - bend / first))
                + 2 * mix * (1 - mix) * middle
                + mix**2 * (middle + (end - middle) * (bend / second))
            )
            place = corner
        return place, unit(direction)

    def bare_width(self, along: float) -> float:
        """Return half the width of the bare limb a true distance along it."""
        first, second = self.lengths
        return float(np.interp(along, [0.0, first, first + second], self.widths))


def find_limb(wearer: Wearer, kind: str, side: Side) -> Limb:
    """Read an arm or a leg off the landmarks."""
    numbers = (SHOULDER, ELBOW, WRIST) if kind == "arm" else (HIP, KNEE, ANKLE)
    joints = np.stack([wearer.joint(number, side) for number in numbers])
    seen = np.linalg.norm(np.diff(joints, axis=0), axis=1)
    span = wearer.span
    lengths = tuple(
        max(float(length), share * span)
        for length, share in zip(seen, LIMB_LENGTH_SHARES[kind], strict=True)
    )
    labels = (UPPER_ARM, FOREARM) if kind == "arm" else (THIGH, SHIN)
    first, second, third = (share * span for share in LIMB_WIDTH_SHARES[kind])
    return Limb(
        side=side,
        kind=kind,
        joints=joints,
        lengths=(lengths[0], lengths[1]),
        labels=(labels[0][side], labels[1][side]),
        widths=(first, second, third),
    )


def limb_edges(
    wearer: Wearer,
    limb: Limb,
    along: float,
    slack: tuple[float, float] = (0.3, 1.45),
) -> tuple[float, float]:
    """Measure a limb to both sides of its bone.

    Args:
        limb: which.
        along: true distance along it.
        slack: least and most, as shares of the bare limb's usual width.

    Returns:
        Pixels to the outer side (turned 90 degrees from the limb's direction, away from the body
        when it hangs) and to the inner side.
    """
    place, direction = limb.at(along)
    outer = outer_normal(limb, direction)
    width = limb.bare_width(along)
    least, most = slack
    found = []
    for normal in (outer, -outer):
        far = outermost_label(wearer, limb.labels, place, normal, most * width)
        # A limb that goes on and on touches something; then only its usual width is known.
        known = far is not None and far < most * width - 1.0
        found.append(max(far, least * width) if known and far is not None else width)
    return found[0], found[1]


def outer_normal(limb: Limb, direction: Point) -> Point:
    """Turn a limb's direction to its outer side: that of the elbow's back for a hanging arm."""
    right, below = direction
    # For the wearer's left limb, which hangs on the picture's right, it is the picture's right.
    return np.array([below, -right]) if limb.side is Side.LEFT else np.array([-below, right])


def smooth(values: Sequence[float] | NDArray[np.float64], passes: int = 2) -> NDArray[np.float64]:
    """Take single bad measures out of a row of them."""
    row = np.asarray(values, np.float64)
    for _ in range(passes):
        padded = np.pad(row, 1, mode="edge")
        row = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    padded = np.pad(row, 1, mode="edge")
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4


def along_limb(wearer: Wearer, limb: Limb) -> NDArray[np.float32]:
    """Return how far down a limb each of its pixels is, HxW; -1 off it. Not to be written to."""
    known = wearer._known  # noqa: SLF001  # what is measured twice is kept with the wearer
    if (limb.kind, limb.side) not in known:
        known[limb.kind, limb.side] = measured_along(wearer, limb)
    return known[limb.kind, limb.side]


def measured_along(wearer: Wearer, limb: Limb) -> NDArray[np.float32]:
    """Measure what `along_limb` answers."""
    along = np.full(wearer.shape, -1.0, np.float32)
    first, second = limb.lengths
    start, middle, end = limb.joints
    tail = (limb.labels[1], HAND[limb.side]) if limb.kind == "arm" else (limb.labels[1],)
    for labels, origin, tip, length, offset in (
        ((limb.labels[0],), start, middle, first, 0.0),
        (tail, middle, end, second, first),
    ):
        rows, columns = np.nonzero(labelled(wearer.body, labels))
        places = np.stack([columns, rows], axis=1) - origin
        seen = max(float(np.linalg.norm(tip - origin)), 1.0)
        along[rows, columns] = offset + np.maximum(places @ unit(tip - origin), 0.0) * length / seen
    return along


def below_hips(wearer: Wearer) -> NDArray[np.float32]:
    """Return how far each pixel lies below the hip joints along the body, HxW in pixels."""
    hips, (right, down) = wearer.middle(HIP), wearer.down
    rows = np.arange(wearer.shape[0], dtype=np.float32)[:, None] - np.float32(hips[1])
    columns = np.arange(wearer.shape[1], dtype=np.float32)[None] - np.float32(hips[0])
    return np.asarray(rows * np.float32(down) + columns * np.float32(right), np.float32)


def along_arm(wearer: Wearer, side: Side) -> NDArray[np.float32]:
    """Return how far down the arm each of its pixels is, HxW; -1 off the arm and its hand."""
    return along_limb(wearer, find_limb(wearer, "arm", side))


def below_chin(wearer: Wearer) -> NDArray[np.bool_]:
    """Choose what lies lower than the chin along the body, HxW."""
    nose = wearer.landmarks[NOSE, :2].astype(np.float64)
    chin = nose + CHIN * (wearer.middle(MOUTH) - nose)
    right, down = wearer.down
    rows = (np.arange(wearer.shape[0]) - chin[1])[:, None] * down
    columns = (np.arange(wearer.shape[1]) - chin[0])[None] * right
    return np.asarray(rows + columns > 0)


def hang(wearer: Wearer) -> Point:
    """Return the direction in which cloth hangs below the hips: between trunk and standing legs."""
    thighs = [unit(wearer.joint(KNEE, side) - wearer.joint(HIP, side)) for side in SIDES]
    # Over a raised leg it hangs from the other one; over two that stand, between both.
    shares = np.exp([STANDING * float(thigh @ wearer.down) for thigh in thighs])
    legs = sum(share * thigh for share, thigh in zip(shares, thighs, strict=True))
    return unit(1.5 * wearer.down + unit(np.asarray(legs)))
