"""Arms and legs: their bones, how wide they are, and how far down them a pixel lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tryon.body import (
    ANKLE,
    ELBOW,
    FOREARM,
    HAND,
    HIP,
    KNEE,
    SHIN,
    SHOULDER,
    THIGH,
    UPPER_ARM,
    WRIST,
    Points,
    Side,
    Wearer,
    labelled,
    unit,
)
from services.tryon.probe import outermost_labels

# Body measures as shares of the distance between the shoulder joints, seen from the front.
UPPER_ARM_SHARE = 0.80
FOREARM_SHARE = 0.72
LIMB_LENGTH_SHARES = {"arm": (UPPER_ARM_SHARE, FOREARM_SHARE), "leg": (1.20, 1.18)}
# Half the width of a bare limb at its start, middle joint and end.
LIMB_WIDTH_SHARES = {"arm": (0.155, 0.12, 0.09), "leg": (0.26, 0.17, 0.115)}


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

    def at(self, alongs: NDArray[np.float64]) -> tuple[Points, Points]:
        """Return the points at N true distances along the limb, and its directions there; Nx2."""
        first, second = self.lengths
        start, middle, end = self.joints
        along = alongs[:, None]
        # Around the joint the direction turns gradually, as flesh and cloth do.
        bend = 0.22 * min(first, second)
        before = start + (middle - start) * along / first
        behind = middle + (end - middle) * (along - first) / second
        mix = np.clip((along - first + bend) / (2 * bend), 0.0, 1.0)
        direction = unit(middle - start) * (1 - mix) + unit(end - middle) * mix
        corner = (
            (1 - mix) ** 2 * (start + (middle - start) * (1 - bend / first))
            + 2 * mix * (1 - mix) * middle
            + mix**2 * (middle + (end - middle) * (bend / second))
        )
        place = np.where(along > first, behind, before)
        place = np.where((mix > 0.0) & (mix < 1.0), corner, place)
        length = np.linalg.norm(direction, axis=1, keepdims=True)
        return place, direction / np.maximum(length, 1e-9)

    def bare_widths(self, alongs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return half the width of the bare limb at true distances along it."""
        first, second = self.lengths
        return np.interp(alongs, [0.0, first, first + second], self.widths)


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
    alongs: NDArray[np.float64],
    slack: tuple[float, float] = (0.3, 1.45),
) -> NDArray[np.float64]:
    """Measure a limb to both sides of its bone.

    Args:
        limb: which.
        alongs: N true distances along it.
        slack: least and most, as shares of the bare limb's usual width.

    Returns:
        Nx2: pixels to the outer side (turned 90 degrees from the limb's direction, away from the
        body when it hangs) and to the inner side.
    """
    places, directions = limb.at(alongs)
    outer = outer_normals(limb, directions)
    widths = limb.bare_widths(alongs)
    least, most = slack[0] * widths, slack[1] * widths
    found = []
    for normals in (outer, -outer):
        far = outermost_labels(wearer, limb.labels, places, normals, most)
        # A limb that goes on and on touches something; then only its usual width is known.
        known = (far >= 0.0) & (far < most - 1.0)
        found.append(np.where(known, np.maximum(far, least), widths))
    return np.stack(found, axis=1)


def outer_normals(limb: Limb, directions: Points) -> Points:
    """Turn a limb's directions to its outer side: that of the elbow's back for a hanging arm.

    Args:
        directions: 2, or Nx2.
    """
    # For the wearer's left limb, which hangs on the picture's right, it is the picture's right.
    way = 1.0 if limb.side is Side.LEFT else -1.0
    return np.stack([way * directions[..., 1], -way * directions[..., 0]], axis=-1)


def along_limb(wearer: Wearer, limb: Limb) -> NDArray[np.float32]:
    """Return how far down a limb each of its pixels is, HxW; -1 off it. Not to be written to."""
    return wearer.once(
        f"along the {limb.side} {limb.kind}", lambda wearer: measured_along(wearer, limb)
    )


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


def along_arm(wearer: Wearer, side: Side) -> NDArray[np.float32]:
    """Return how far down the arm each of its pixels is, HxW; -1 off the arm and its hand."""
    return along_limb(wearer, find_limb(wearer, "arm", side))
