"""The wearer on the working crop: pixels, parts, joints and sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.vision.parts import BodyPart, Wear

Point: TypeAlias = NDArray[np.float64]
Points: TypeAlias = NDArray[np.float64]
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
FOOT = {Side.LEFT: BodyPart.FOOT_LEFT, Side.RIGHT: BodyPart.FOOT_RIGHT}
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

# Height of the trunk over the distance between the shoulder joints, seen from the front.
TORSO_SHARE = 1.48

# A person of so many pixels between the shoulders has enough with a quarter of them.
HALVED_SPAN_MIN = 90.0

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
    _known: dict[str, NDArray[Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def once(self, what: str, measure: Callable[["Wearer"], NDArray[ScalarT]]) -> NDArray[ScalarT]:
        """Measure something of this wearer the first time, and answer it again after that.

        Args:
            what: name of the measure.
            measure: answers HxW or HxWxC, which is not to be written to.
        """
        if what not in self._known:
            self._known[what] = measure(self)
        return self._known[what]

    def halved(self) -> "Wearer":
        """Return the wearer on every other row and column."""
        landmarks = self.landmarks.copy()
        landmarks[:, :3] /= 2
        return Wearer(
            pixels=np.ascontiguousarray(self.pixels[::2, ::2]),
            body=np.ascontiguousarray(self.body[::2, ::2]),
            wear=np.ascontiguousarray(self.wear[::2, ::2]),
            landmarks=landmarks,
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
        return float(self.once("span", measured_span))

    @property
    def turn(self) -> float:
        """Sine of how far the body is turned; positive with the left shoulder at the back."""
        away = self.depth(SHOULDER, Side.LEFT) - self.depth(SHOULDER, Side.RIGHT)
        return float(np.clip(away / self.span, -0.9, 0.9))


def measured_span(wearer: Wearer) -> NDArray[np.float64]:
    """Measure what `Wearer.span` answers."""
    across = wearer.joint(SHOULDER, Side.LEFT) - wearer.joint(SHOULDER, Side.RIGHT)
    torso = np.linalg.norm(wearer.middle(HIP) - wearer.middle(SHOULDER))
    # A turned body is as tall as before.
    return np.asarray(max(np.linalg.norm(across), 0.92 * torso / TORSO_SHARE))


def labelled(labels: Labels, wanted: Sequence[int]) -> NDArray[np.bool_]:
    """Choose the pixels that have one of some labels."""
    # A comparison for each is faster than a table.
    chosen = np.zeros(labels.shape, np.bool_)
    for label in wanted:
        chosen |= labels == label
    return chosen


def unit(vector: Point) -> Point:
    """Return a vector of length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def below_hips(wearer: Wearer) -> NDArray[np.float32]:
    """Return how far each pixel lies below the hip joints along the body, HxW in pixels."""
    hips, (right, down) = wearer.middle(HIP), wearer.down
    rows = np.arange(wearer.shape[0], dtype=np.float32)[:, None] - np.float32(hips[1])
    columns = np.arange(wearer.shape[1], dtype=np.float32)[None] - np.float32(hips[0])
    return np.asarray(rows * np.float32(down) + columns * np.float32(right), np.float32)


def below_chin(wearer: Wearer) -> NDArray[np.bool_]:
    """Choose what lies lower than the chin along the body, HxW."""
    nose = wearer.landmarks[NOSE, :2].astype(np.float64)
    chin = nose + CHIN * (wearer.middle(MOUTH) - nose)
    right, down = wearer.down
    rows = (np.arange(wearer.shape[0]) - chin[1])[:, None] * down
    columns = (np.arange(wearer.shape[1]) - chin[0])[None] * right
    return np.asarray(rows > -columns)


def hang(wearer: Wearer) -> Point:
    """Return the direction in which cloth hangs below the hips: between trunk and standing legs."""
    thighs = [unit(wearer.joint(KNEE, side) - wearer.joint(HIP, side)) for side in SIDES]
    # Over a raised leg it hangs from the other one; over two that stand, between both.
    shares = np.exp([STANDING * float(thigh @ wearer.down) for thigh in thighs])
    legs = sum(share * thigh for share, thigh in zip(shares, thighs, strict=True))
    return unit(1.5 * wearer.down + unit(np.asarray(legs)))
