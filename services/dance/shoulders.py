"""Where an arm joins the trunk: what goes with the arm when it is raised, and what then shows.

A shoulder's outer corner turns with its arm, or it would stand out of the trunk like a spike; and
below the joint the trunk goes over into the arm in a hollow curve.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.outline import Mask, Outline
from services.dance.pixels import blur, grow, polygon, touching, window_of
from services.dance.regions import SOFT_SHARE, Share, distance, ramp
from services.dance.skeleton import Limb, Points, Skeleton

Pixels: TypeAlias = NDArray[np.uint8]

# Half the arm's width is the unit of these: where a shoulder begins to round off, inwards of the
# joint, where its rounding ends, outwards, and how high above the joint its top may be.
ROUND_FROM, ROUND_TO = 0.8, 0.6
TOP_MIN, TOP_MAX = 0.5, 1.7
# An arm that points down less than this (cosine) is raised: its shoulder has no corner.
HANGING_MIN = 0.3
# The hollow reaches from the joint's disc, of so much of the arm's half width, down the trunk's
# side by so much of the torso.
DISC_SHARE = 0.6
HOLLOW_SHARE = 0.4
HOLLOW_BEND = (0.4, 0.5)
CURVE_STEPS = 12
# So far around its joint, and so far inwards of it, over the arm's half width, a bare shoulder
# turns with its arm.
BARE_REACH, BARE_INWARDS = 2.0, 0.8
# Colours so many standard deviations from an arm's are not its skin; fewer pixels show none.
SKIN_DEVIATIONS = 3.5
SKIN_NOISE = 2.0
BARE_PIXELS_MIN = 50


def rounding(mask: Mask, skeleton: Skeleton, outline: Outline, limb: Limb) -> tuple[Share, Share]:
    """Return what of HxW above a shoulder's joint is inside of its rounding, and outside; 0..1."""
    joint, elbow = skeleton.limbs[limb, :2]
    bone, radius = elbow - joint, float(outline.radii[limb, 0])
    if bone[1] < HANGING_MIN * np.hypot(*bone):
        return np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    side = skeleton.side(limb)
    top = height_above(mask, joint - [side * ROUND_FROM * radius, 0.0])
    top = float(np.clip(top, TOP_MIN * radius, TOP_MAX * radius))
    out = side * (np.arange(mask.shape[1], dtype=np.float32) - np.float32(joint[0]))
    up = np.float32(joint[1]) - np.arange(mask.shape[0], dtype=np.float32)
    aside = (out + ROUND_FROM * radius) / ((ROUND_FROM + ROUND_TO) * radius)
    beyond = np.sqrt(np.add.outer((up / top) ** 2, aside**2)) - 1.0
    beyond *= top / (SOFT_SHARE * skeleton.torso)
    near = np.outer((up > 0) & (up < 2 * TOP_MAX * radius), (aside > 0) & (out < 2 * radius))
    return ramp(1.0 - beyond) * near, ramp(beyond) * near


def bare_shoulder(
    pixels: Pixels,
    arm: NDArray[np.bool_],
    free: NDArray[np.bool_],
    skeleton: Skeleton,
    outline: Outline,
    limb: Limb,
) -> Share:
    """Return the skin of a bare arm's shoulder, outwards of the strap that stays; HxW, 0..1.

    What is coloured like the upper arm and hangs together with it: where skin ends and cloth begins
    is seen more sharply in the colours than in what they were taken for.

    Args:
        pixels: HxWx3 uint8 RGB.
        arm: HxW, skin of the upper arm for sure.
        free: HxW, what may be the arm's: the person without the head.
        skeleton: the person's.
        outline: the person's.
        limb: which arm.
    """
    share = np.zeros(arm.shape, np.float32)
    joint, radius = skeleton.limbs[limb, 0], float(outline.radii[limb, 0])
    window = window_of(joint[None], BARE_REACH * radius)
    own, low = arm[window], (window[1].start, window[0].start)
    if np.count_nonzero(own) < BARE_PIXELS_MIN:
        return share
    columns = np.arange(low[0], low[0] + own.shape[1], dtype=np.float32)
    out = skeleton.side(limb) * (columns - np.float32(joint[0]))
    near = distance(own.shape, joint - low) < BARE_REACH * radius
    near &= free[window] & (out > -BARE_INWARDS * radius)
    like = near & (alike(pixels[window], own) | own)
    whole = grow(grow(like.astype(np.uint8) * 255, -1.0), 1.0)
    skin = touching(whole, np.where(own, 255, 0).astype(np.uint8)) / np.float32(255)
    soft = max(1.0, SOFT_SHARE * skeleton.torso)
    share[window] = ramp((blur(skin, soft / 2) - 0.25) / 0.5)
    return share


def alike(pixels: Pixels, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which pixels of HxWx3 are coloured like those of HxW that are known."""
    colours = pixels[known].astype(np.float32)
    spread = np.cov(colours, rowvar=False) + SKIN_NOISE**2 * np.eye(3)
    away = pixels.astype(np.float32) - colours.mean(axis=0)
    far = np.einsum("...i,ij,...j->...", away, np.linalg.inv(spread).astype(np.float32), away)
    return np.asarray(far < SKIN_DEVIATIONS**2)


def height_above(mask: Mask, place: Points) -> float:
    """Return how far up from a place a mask goes on."""
    column = int(np.clip(round(float(place[0])), 0, mask.shape[1] - 1))
    row = int(np.clip(round(float(place[1])), 0, mask.shape[0] - 1))
    bare = np.flatnonzero(mask[row::-1, column] < 128)
    return float(bare[0]) if bare.size else float(row)


def hollow(mask: Mask, trunk: Mask, skeleton: Skeleton, outline: Outline, limb: Limb) -> Mask:
    """Return HxW with 255 between a shoulder's joint and the trunk's side below it.

    Args:
        mask: HxW, what is seen of the person.
        trunk: HxW, what is seen of the trunk.
        skeleton: the person's.
        outline: the person's.
        limb: which arm.
    """
    joint, side = skeleton.limbs[limb, 0], skeleton.side(limb)
    start = joint + np.array([side * DISC_SHARE * float(outline.radii[limb, 0]), 0.0])
    foot = armpit(mask, trunk, skeleton, limb)
    if foot is None or side * (start[0] - foot[0]) <= 0:
        return np.zeros(trunk.shape, np.uint8)
    across, down = HOLLOW_BEND
    bend = foot + (start - foot) * [across, down]
    step = np.linspace(0.0, 1.0, CURVE_STEPS)[:, None]
    curve = (1 - step) ** 2 * start + 2 * step * (1 - step) * bend + step**2 * foot
    inner = np.array([[skeleton.neck[0], foot[1]], [skeleton.neck[0], joint[1]], joint])
    return polygon((trunk.shape[0], trunk.shape[1]), np.concatenate([curve, inner]))


def armpit(mask: Mask, trunk: Mask, skeleton: Skeleton, limb: Limb) -> Points | None:
    """Return where ground is seen between arm and trunk, or how far down that may be at most."""
    joint, side = skeleton.limbs[limb, 0], skeleton.side(limb)
    first = int(np.clip(round(float(joint[1])), 0, mask.shape[0] - 1))
    last = int(np.clip(joint[1] + HOLLOW_SHARE * skeleton.torso, first, mask.shape[0] - 1))
    foot = None
    for row in range(first, last + 1):
        seen = np.flatnonzero(trunk[row] >= 128)
        if not seen.size:
            continue
        edge = int(seen[-1] if side > 0 else seen[0])
        foot = np.array([float(edge), float(row)])
        beside = edge + 3 * side
        if row > first and (not 0 <= beside < mask.shape[1] or mask[row, beside] < 128):
            break
    return foot
