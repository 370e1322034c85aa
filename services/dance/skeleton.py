"""The bones of one body as a photo shows them: joints, lengths, and what can't be seen."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]

# A landmark counts as seen from this visibility on.
VISIBLE_MIN = 0.5
# Share of the picture's longer side that a landmark may lie beyond its border and still be seen.
BORDER_SHARE = 0.01
# Bone lengths over the torso's, from the hips to the shoulders, as adults are built.
ARM_SHARES = (0.56, 0.47)
LEG_SHARES = (0.84, 0.78)
# Shoulders and hips over the torso; a body seen from its side shows less.
SHOULDER_SHARE_MIN = 0.3
HIP_SHARE_MIN = 0.2
# The pose network marks hips lower than the joints are, by this share of the torso: the mean over
# rendered people whose joints are exact.
HIPS_LOW_SHARE = 0.03
# How far a photo's bone may be stretched to the length that the body seems to have.
STRETCH_MAX = 1.25
# A leg whose foot is so near its hip is folded: the person sits, kneels or squats.
FOLDED_SHARE = 0.62
# A torso that leans more than this (cosine) lies.
UPRIGHT_COSINE_MIN = 0.6


class Limb(IntEnum):
    """What moves by itself; the person's own left and right."""

    LEFT_ARM = 0
    RIGHT_ARM = 1
    LEFT_LEG = 2
    RIGHT_LEG = 3
    HEAD = 4


ARMS = (Limb.LEFT_ARM, Limb.RIGHT_ARM)
LEGS = (Limb.LEFT_LEG, Limb.RIGHT_LEG)
# MediaPipe's landmarks of a limb: three joints, then those whose middle is its far end.
LIMB_LANDMARKS = {
    Limb.LEFT_ARM: (11, 13, 15, (17, 19)),
    Limb.RIGHT_ARM: (12, 14, 16, (18, 20)),
    Limb.LEFT_LEG: (23, 25, 27, (31,)),
    Limb.RIGHT_LEG: (24, 26, 28, (32,)),
}
HEAD_LANDMARKS = tuple(range(11))
EARS = (7, 8)
NOSE = 0
MOUTH = (9, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """A body at rest, that is as it stands in the photo; x right, y down, in pixels.

    Attributes:
        limbs: four points of each of the four limbs, from the trunk outwards: joint, joint, joint,
            end.
        lengths: true lengths of the two long bones of each limb, 2 of each.
        neck: middle between the shoulders.
        pelvis: middle between the hips.
        head: middle of the head.
        head_radius: half the head's height.
        face_radius: half the face's width, from ear to ear.
        missing: limbs that the photo does not show, or that can't be moved.
        facing: 1 if the person's left is on the right of the picture, -1 otherwise.
        ground: how far down the lowest foot stands.
    """

    limbs: Points
    lengths: Points
    neck: Points
    pelvis: Points
    head: Points
    head_radius: float
    face_radius: float
    missing: frozenset[Limb]
    facing: int
    ground: float

    @property
    def torso(self) -> float:
        """Length from the hips to the shoulders."""
        return float(np.hypot(*(self.neck - self.pelvis)))

    @property
    def leg(self) -> float:
        """Length of a leg, the unit of a pose's shifts."""
        return float(self.lengths[list(LEGS)].sum(axis=1).mean())

    @property
    def height(self) -> float:
        """Height of the body, standing."""
        return self.torso + self.leg + 2.4 * self.head_radius

    def side(self, limb: Limb) -> int:
        """Tell the side of the picture that is outwards for a limb: 1 for right."""
        return self.facing if limb in (Limb.LEFT_ARM, Limb.LEFT_LEG) else -self.facing


def read_skeleton(landmarks: NDArray[np.float32], size: tuple[int, int]) -> Skeleton:
    """Take the bones out of 33 landmarks.

    Args:
        landmarks: 33x4, x and y in pixels, z, visibility, as `vision.person` finds them.
        size: rows and columns of the picture.
    """
    places = landmarks[:, :2].astype(np.float64)
    limbs = np.stack([limb_points(places, limb) for limb in LIMB_LANDMARKS])
    limbs[2:, 0] += HIPS_LOW_SHARE * (limbs[:2, 0].mean(axis=0) - limbs[2:, 0].mean(axis=0))
    neck, pelvis = limbs[:2, 0].mean(axis=0), limbs[2:, 0].mean(axis=0)
    widen(limbs, neck, pelvis)
    torso = float(np.hypot(*(neck - pelvis)))
    seen = is_seen(landmarks, size)
    missing = {limb for limb in LIMB_LANDMARKS if not limb_is_seen(seen, limb)}
    lengths = true_lengths(limbs, torso, missing)
    folded = {limb for limb in LEGS if is_folded(limbs[limb], lengths[limb])}
    lies = (pelvis - neck)[1] < UPRIGHT_COSINE_MIN * torso
    # Legs stand or they don't: one alone would hang in the air.
    if folded or lies or missing & set(LEGS):
        missing |= set(LEGS)
    if not seen[list(HEAD_LANDMARKS)].any():
        missing.add(Limb.HEAD)
    head, radius = read_head(places, torso)
    return Skeleton(
        limbs=limbs,
        lengths=lengths,
        neck=neck,
        pelvis=pelvis,
        head=head,
        head_radius=radius,
        face_radius=min(0.5 * float(np.hypot(*np.diff(places[list(EARS)], axis=0)[0])), radius),
        missing=frozenset(missing),
        facing=1 if limbs[Limb.LEFT_ARM, 0, 0] >= limbs[Limb.RIGHT_ARM, 0, 0] else -1,
        ground=float(limbs[2:, 2:, 1].max()),
    )


def limb_points(places: Points, limb: Limb) -> Points:
    """Return a limb's three joints and its end, 4x2; a hand ends at the tips of its fingers."""
    first, second, third, ends = LIMB_LANDMARKS[limb]
    end = places[list(ends)].mean(axis=0)
    if limb in ARMS:
        # The landmarks are the knuckles, about half way from the wrist to the finger tips.
        end = places[third] + 1.9 * (end - places[third])
    return np.stack([places[first], places[second], places[third], end])


def widen(limbs: Points, neck: Points, pelvis: Points) -> None:
    """Give a body seen from its side a little width, in place, so that nothing divides by 0."""
    torso = max(float(np.hypot(*(neck - pelvis))), 1.0)
    for pair, share in (((0, 1), SHOULDER_SHARE_MIN), ((2, 3), HIP_SHARE_MIN)):
        left, right = limbs[pair[0], 0].copy(), limbs[pair[1], 0].copy()
        apart = float(np.hypot(*(left - right)))
        if apart < share * torso:
            side = 1.0 if left[0] >= right[0] else -1.0
            more = np.array([side * (share * torso - apart) / 2, 0.0])
            limbs[pair[0], 0], limbs[pair[1], 0] = left + more, right - more


def is_seen(landmarks: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which landmarks lie in the picture and are visible."""
    margin = BORDER_SHARE * max(size)
    x, y, visibility = landmarks[:, 0], landmarks[:, 1], landmarks[:, 3]
    inside = (x >= -margin) & (y >= -margin) & (x < size[1] + margin) & (y < size[0] + margin)
    return np.asarray(inside & (visibility >= VISIBLE_MIN))


def limb_is_seen(seen: NDArray[np.bool_], limb: Limb) -> bool:
    """Tell whether a limb's joints are seen; of an arm the hand may be hidden."""
    first, second, third, _ = LIMB_LANDMARKS[limb]
    if limb in ARMS:
        return bool(seen[first] and seen[second])
    return bool(seen[second] and seen[third])


def true_lengths(limbs: Points, torso: float, missing: set[Limb]) -> Points:
    """Estimate how long bones are that a photo may show foreshortened, 4x2.

    Both sides of a body are alike, so the longer one counts; and people are built alike, within
    what the photo's own texture can be stretched to.
    """
    shown = np.hypot(*np.moveaxis(np.diff(limbs[:, :3], axis=1), -1, 0))
    lengths = np.empty((4, 2))
    for pair, shares in ((ARMS, ARM_SHARES), (LEGS, LEG_SHARES)):
        usual = np.array(shares) * torso
        visible = [shown[limb] for limb in pair if limb not in missing]
        longest = np.max(visible, axis=0) if visible else usual
        likely = np.maximum(longest, 0.8 * usual)
        for limb in pair:
            own = np.maximum(shown[limb], 0.3 * usual)
            lengths[limb] = np.clip(likely, own, STRETCH_MAX * own)
            if limb in missing:
                lengths[limb] = likely
    return lengths


def is_folded(leg: Points, lengths: Points) -> bool:
    """Tell whether a leg's foot is too near its hip for standing."""
    return float(np.hypot(*(leg[2] - leg[0]))) < FOLDED_SHARE * float(lengths.sum())


def read_head(places: Points, torso: float) -> tuple[Points, float]:
    """Return the head's middle and half its height, from the face's landmarks."""
    eyes, mouth = places[[2, 5]].mean(axis=0), places[list(MOUTH)].mean(axis=0)
    ears = places[list(EARS)]
    face = float(np.hypot(*(mouth - eyes)))
    # From eyes to mouth is a third of a head; a head is about two sevenths of a torso wide.
    radius = float(np.clip(1.65 * face, 0.19 * torso, 0.33 * torso))
    return (0.5 * ears.mean(axis=0) + 0.5 * eyes), radius
