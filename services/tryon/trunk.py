"""The trunk of a body as a top meets it: shoulder seams, armpits, the collar's place."""

from dataclasses import dataclass

import numpy as np

from services.tryon.body import (
    ARMS,
    SHOULDER,
    SIDES,
    TORSO,
    UPPER_ARM,
    Point,
    Side,
    Wearer,
    unit,
)
from services.tryon.cloth import Cloth
from services.tryon.girth import visible_share
from services.tryon.limb import find_limb, outer_normals
from services.tryon.probe import outermost_bald
from services.tryon.sections import Frame
from services.tryon.size import flatness_of, top_scale

# From the shoulder joint to the seam on top of it and to the armpit, in spans.
SEAM_ABOVE = 0.15
SEAM_OVER_MAX = 0.14
ARMPIT_BELOW = (0.24, 0.55)
ARMPIT_INWARD = 0.04
# How much of the way a shoulder seam turns with a raised arm.
SEAM_TURN = 0.35
# Sides of the neck, from the middle of the shoulders, in spans.
NECK_OUT, NECK_UP = 0.25, 0.20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """The trunk of a body as cloth meets it.

    Attributes:
        tops: side -> the point on top of the shoulder where a sleeve starts.
        armpits: side -> the point under it.
        scale: pixels of the crop for one of the cloth.
        flatness: 0 for a garment pictured as worn, 1 for one that lies flat.
    """

    tops: dict[Side, Point]
    armpits: dict[Side, Point]
    scale: float
    flatness: float


def find_trunk(wearer: Wearer, cloth: Cloth, frame: Frame) -> Trunk:
    """Find the seams of the shoulders on a body, and how large the garment is there."""
    scale = top_scale(wearer, cloth, frame)
    tops, armpits = {}, {}
    for side in SIDES:
        joint, arm = wearer.joint(SHOULDER, side), find_limb(wearer, "arm", side)
        along = unit(arm.joints[1] - arm.joints[0])
        normal = outer_normals(arm, unit(wearer.outward(side) + SEAM_TURN * along))
        # Seams that hang over the shoulder lie down the arm.
        half = scale * frame.width / 2 * visible_share(wearer)
        over = half - float((joint - wearer.middle(SHOULDER)) @ wearer.outward(side))
        over = float(np.clip(over, 0.0, SEAM_OVER_MAX * wearer.span))
        normal = unit(SEAM_ABOVE * wearer.span * normal + over * (wearer.outward(side) + along))
        above = outermost_bald(wearer, (TORSO, *ARMS), joint, normal, 0.30 * wearer.span)
        tops[side] = joint + normal * np.clip(
            above or 0.0, 0.8 * SEAM_ABOVE * wearer.span, 1.5 * SEAM_ABOVE * wearer.span
        )
        depth = frame.height_of(cloth.points[f"armpit_{side}"]) * scale / wearer.span - SEAM_ABOVE
        raised = float(np.clip(0.5 - along @ wearer.down, 0.0, 1.0))
        below = float(np.clip(depth, *ARMPIT_BELOW)) * (1 - 0.35 * raised)
        armpits[side] = joint + wearer.span * (
            below * wearer.down - ARMPIT_INWARD * wearer.outward(side)
        )
    return Trunk(tops=tops, armpits=armpits, scale=scale, flatness=flatness_of(cloth, frame))


def collar_place(wearer: Wearer, trunk: Trunk, side: Side, share: float, stand: float) -> Point:
    """Place the side of a collar: on the shoulder's line, or up along the neck from it."""
    middle = (trunk.tops[Side.LEFT] + trunk.tops[Side.RIGHT]) / 2
    neck_share = NECK_OUT * wearer.span / max(float(np.linalg.norm(trunk.tops[side] - middle)), 1.0)
    base = shoulder_line(wearer, trunk, side, max(share, neck_share))
    if share >= neck_share:
        return base
    inward = (neck_share - share) * float(np.linalg.norm(trunk.tops[side] - middle))
    gained = float((middle - base) @ wearer.down)
    up = max(0.0, stand - gained)
    return base - wearer.outward(side) * inward - wearer.down * up


def shoulder_line(wearer: Wearer, trunk: Trunk, side: Side, share: float) -> Point:
    """Return the point on the upper line of a shoulder.

    Both shoulders tell how it runs: hair, and where labels of the neck begin, differ by side.

    Args:
        share: 0 in the middle of the body, 1 at the sleeve's seam.
    """
    sunk = [sunk_by(wearer, usual_line(wearer, trunk, each, share), each) for each in SIDES]
    return usual_line(wearer, trunk, side, share) + wearer.down * float(np.mean(sunk))


def usual_line(wearer: Wearer, trunk: Trunk, side: Side, share: float) -> Point:
    """Return the point where the upper line of a shoulder usually lies."""
    middle = (trunk.tops[Side.LEFT] + trunk.tops[Side.RIGHT]) / 2
    top = trunk.tops[side]
    neck = wearer.middle(SHOULDER) + wearer.span * (
        NECK_OUT * wearer.outward(side) - NECK_UP * wearer.down
    )
    place = middle + share * (top - middle)
    neck_share = float(np.clip((neck - middle) @ unit(top - middle), 0.0, None)) / max(
        float(np.linalg.norm(top - middle)), 1.0
    )
    rise = np.interp(share, [neck_share, 1.0], [1.0, 0.0])
    height = float((middle - neck) @ wearer.down)
    return np.asarray(place - wearer.down * height * rise)


def sunk_by(wearer: Wearer, usual: Point, side: Side) -> float:
    """Measure how far a shoulder lies below where it usually does, in pixels; 0 if unknown."""
    reach = 0.10 * wearer.span
    labels, below = (TORSO, UPPER_ARM[side]), usual + reach * wearer.down
    far = outermost_bald(wearer, labels, below, -wearer.down, 2 * reach)
    if far is None or far >= 2 * reach - 1.0:
        return 0.0
    return reach - far - 1.0


def front_shift(wearer: Wearer, depth: float) -> Point:
    """Return how far the front's middle lies off the body's axis as the body turns."""
    return np.asarray(wearer.across * wearer.turn * depth * wearer.span * 0.8)
