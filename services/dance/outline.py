"""What the silhouette of a person tells: where the legs part, a skirt's hem, the chin."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.pixels import grow, window_of, without_crumbs
from services.dance.skeleton import ARMS, LEGS, Limb, Points, Skeleton
from services.vision.parts import BodyPart, Wear

Mask: TypeAlias = NDArray[np.uint8]

LIMB_PARTS = {
    Limb.LEFT_ARM: (BodyPart.UPPER_ARM_LEFT, BodyPart.FOREARM_LEFT, BodyPart.HAND_LEFT),
    Limb.RIGHT_ARM: (BodyPart.UPPER_ARM_RIGHT, BodyPart.FOREARM_RIGHT, BodyPart.HAND_RIGHT),
    Limb.LEFT_LEG: (BodyPart.THIGH_LEFT, BodyPart.SHIN_LEFT, BodyPart.FOOT_LEFT),
    Limb.RIGHT_LEG: (BodyPart.THIGH_RIGHT, BodyPart.SHIN_RIGHT, BodyPart.FOOT_RIGHT),
}
# What is smaller than this beside the largest connected part of a person is none of theirs.
PART_SHARE_MIN = 0.04
# A skirt's hem is below this share of the thigh; above it are shorts.
SKIRT_SHARE_MIN = 0.62
SKIRT_FILLED_MIN = 0.85
# A thigh reaches down for this much of its length at least, however it is turned.
THIGH_DOWN_MIN = 0.85
# Half a face's width and height over what its landmarks tell of them.
FACE_SHARES = (1.15, 0.85)
# Dents of a head narrower than twice this, over its radius, are none; so far around its middle.
DENT_SHARE = 0.2
HEAD_REACH = 1.25
HEAD_ROOM = 1.8
# So much more of a person is made up where the photo ends, over the torso's length.
BELOW_SHARE = 0.25
# The crotch lies so far below the hips where no gap between the legs shows it, over the torso.
CROTCH_SHARE = 0.27


@dataclass(frozen=True, slots=True, kw_only=True)
class Silhouette:
    """What is seen of a person, HxW uint8 each.

    Attributes:
        mask: 255 where the person is, soft at the edge.
        body: `BodyPart` of each pixel.
        wear: `Wear` of each pixel.
    """

    mask: Mask
    body: Mask
    wear: Mask

    def within(self, window: tuple[slice, slice]) -> "Silhouette":
        """Return a part of it, without what is connected to nothing and small."""
        return Silhouette(
            mask=without_crumbs(self.mask[window], PART_SHARE_MIN),
            body=np.ascontiguousarray(self.body[window]),
            wear=np.ascontiguousarray(self.wear[window]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What the silhouette tells of a body.

    Attributes:
        radii: 4x3, half the width of each limb at its joints.
        crotch: where the legs part.
        hem: how far down a skirt's hem is, None where each leg is seen for itself.
    """

    radii: NDArray[np.float64]
    crotch: Points
    hem: float | None


def below_border(
    pixels: NDArray[np.uint8], seen: Silhouette, skeleton: Skeleton
) -> tuple[NDArray[np.uint8], Silhouette]:
    """Go on below a photo that cuts a person off, so that a trunk that sways shows no end.

    Returns:
        Photo and person with more rows, which mirror those above; the same for a whole person.
    """
    if not skeleton.missing & set(LEGS) or seen.mask[-1].max() < 128:
        return pixels, seen
    more = min(round(BELOW_SHARE * skeleton.torso), pixels.shape[0] // 2)
    room = ((0, more), (0, 0))
    # Nothing hangs on below a hand that dances.
    hands = [part for limb in ARMS if limb not in skeleton.missing for part in LIMB_PARTS[limb]]
    mask = np.pad(seen.mask, room, mode="edge")
    mask[-more:, np.isin(seen.body[-1], hands)] = 0
    return np.pad(pixels, (*room, (0, 0)), mode="symmetric"), Silhouette(
        mask=mask,
        body=np.pad(seen.body, room, mode="edge"),
        wear=np.pad(seen.wear, room, mode="edge"),
    )


def with_face(seen: Silhouette, skeleton: Skeleton) -> Silhouette:
    """Mend the mask of the head: light at its rim is easily taken for what is behind it."""
    window = window_of(skeleton.head[None], HEAD_ROOM * skeleton.head_radius)
    near, top, left = seen.mask[window], window[0].start, window[1].start
    if not near.size:
        return seen
    rows, columns = np.indices(near.shape, np.float32)
    right = columns - np.float32(skeleton.head[0] - left)
    down = rows - np.float32(skeleton.head[1] - top)
    across = right / max(FACE_SHARES[0] * skeleton.face_radius, 1.0)
    along = down / max(FACE_SHARES[1] * skeleton.head_radius, 1.0)
    face = np.clip(skeleton.face_radius * (1.0 - np.hypot(across, along)) + 0.5, 0.0, 1.0) * 255
    radius = DENT_SHARE * skeleton.head_radius
    closed = grow(grow(near, radius), -radius)
    head = np.hypot(right, down) < HEAD_REACH * skeleton.head_radius
    mended = np.maximum(face.astype(np.uint8), np.where(head, closed, 0).astype(np.uint8))
    mask = seen.mask.copy()
    mask[window] = np.maximum(near, mended)
    return Silhouette(mask=mask, body=seen.body, wear=seen.wear)


def find_crotch(mask: Mask, skeleton: Skeleton) -> Points:
    """Find where the legs part: the top of the gap between them, or where it usually is."""
    middle_knee = skeleton.limbs[list(LEGS), 1].mean(axis=0)
    usual: Points = skeleton.pelvis + np.array([0.0, CROTCH_SHARE * skeleton.torso])
    if skeleton.missing & set(LEGS):
        return usual
    steps = np.linspace(0.1, 0.6, 60)[:, None]
    line = skeleton.pelvis + steps * (middle_knee - skeleton.pelvis)
    rows = np.clip(np.rint(line[:, 1]).astype(int), 0, mask.shape[0] - 1)
    columns = np.clip(np.rint(line[:, 0]).astype(int), 0, mask.shape[1] - 1)
    gap = np.nonzero(mask[rows, columns] < 128)[0]
    if gap.size and line[gap[0], 1] - usual[1] < 0.25 * skeleton.torso:
        return np.asarray(line[gap[0]])
    return usual


def find_hem(seen: Silhouette, skeleton: Skeleton) -> float | None:
    """Find the hem of a skirt: cloth that hangs between the legs, with bare legs below it."""
    if skeleton.missing & set(LEGS):
        return None
    knees = skeleton.limbs[list(LEGS), 1].mean(axis=0)
    ankles = skeleton.limbs[list(LEGS), 2].mean(axis=0)
    cloth = np.isin(seen.wear, (Wear.LOWER, Wear.DRESS, Wear.UPPER)) & (seen.mask >= 128)
    line = np.concatenate([way(skeleton.pelvis, knees), way(knees, knees + 0.8 * (ankles - knees))])
    line = line[line[:, 1] < seen.mask.shape[0] - 1]
    rows, columns = np.rint(line[:, 1]).astype(int), np.rint(line[:, 0]).astype(int)
    hung = cloth[rows, np.clip(columns, 0, seen.mask.shape[1] - 1)]
    if not hung.any():
        return None
    last = int(np.flatnonzero(hung)[-1])
    # In a lunge knees are hardly below the hips, and shorts are no skirt.
    thigh = THIGH_DOWN_MIN * float(skeleton.lengths[list(LEGS), 0].mean())
    hem, thigh = float(line[last, 1]), max(thigh, float(knees[1] - skeleton.pelvis[1]))
    if hung[: last + 1].mean() < SKIRT_FILLED_MIN:
        return None
    if hem < skeleton.pelvis[1] + SKIRT_SHARE_MIN * thigh or last > 0.9 * len(line):
        return None
    return hem


def way(start: Points, end: Points) -> Points:
    """Return places on a line, some for each pixel down."""
    count = max(2, int(abs(end[1] - start[1])))
    return np.asarray(start + np.linspace(0.0, 1.0, count)[:, None] * (end - start))


def below_groin(
    skeleton: Skeleton, outline: Outline, limb: Limb, places: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Tell how far places are below the line from a hip's outside to the crotch; ...x2 to ...."""
    hip = skeleton.limbs[limb, 0]
    side = np.sign(hip[0] - skeleton.pelvis[0]) or 1.0
    radius = outline.radii[limb, 0]
    outside = hip + np.array([side * 1.2 * radius, -0.45 * radius])
    unit, _ = unit_of(outside, outline.crotch)
    normal = np.array([-unit[1], unit[0]])
    normal = normal if normal[1] > 0 else -normal
    return np.asarray((places - outside) @ normal)


def on_side(skeleton: Skeleton, limb: Limb, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which pixels are on a limb's side of the trunk's middle."""
    rows, columns = np.indices(shape, np.float32)
    across = skeleton.limbs[limb, 0] - skeleton.pelvis
    along = skeleton.pelvis - skeleton.neck
    normal = np.array([along[1], -along[0]])
    normal = normal * np.sign(normal @ across)
    x, y = skeleton.pelvis
    return np.asarray((columns - x) * normal[0] + (rows - y) * normal[1] > 0)


def chin(skeleton: Skeleton) -> Points:
    """Return where the chin is."""
    down = skeleton.neck - skeleton.head
    long = max(float(np.hypot(*down)), 1e-6)
    place: Points = skeleton.head + down * min(0.9, 0.95 * skeleton.head_radius / long)
    return place


def unit_of(start: Points, end: Points) -> tuple[Points, float]:
    """Return the direction and the length of a bone."""
    bone = end - start
    long = max(float(np.hypot(*bone)), 1.0)
    unit: Points = bone / long
    return unit, long
