"""The trunk of a body as a top meets it: shoulders, armpits, sides, and the garment's size."""

from dataclasses import dataclass

import numpy as np

from services.tryon.body import (
    ARMS,
    SHOULDER,
    SIDES,
    THIGH,
    TORSO,
    UPPER_ARM,
    Point,
    Side,
    Wearer,
    find_limb,
    outer_normal,
    outermost_bald,
    outermost_label,
    unit,
)
from services.tryon.cloth import Cloth
from services.tryon.garment import GarmentCategory
from services.tryon.sections import Frame, sleeves

# Distance of a garment's shoulder seams over that of the shoulder joints, and its chest over the
# body's: of a garment that hangs on a body (its chest about as wide as its shoulders), and of one
# that lies flat (its chest clearly wider).
CHEST_OVER_SHOULDERS = (1.0, 1.14)
SEAM_SPAN = (1.15, 1.28)
CHEST_SPAN = (1.09, 1.34)
# How flat a garment on an uneven ground lies, and one without sleeves, if nothing else tells.
FLAT_ON_UNEVEN = 0.8
FLAT_SLEEVELESS = 0.2
# How much the chest counts against the shoulders, and what hangs further from the body.
CHEST_WEIGHT = 0.7
OUTER_SIZE = 1.07
SLEEVELESS_SIZE = 0.97
# From the shoulder joint to the seam on top of it and to the armpit, in spans.
SEAM_ABOVE = 0.15
SEAM_OVER_MAX = 0.14
ARMPIT_BELOW = (0.24, 0.55)
ARMPIT_INWARD = 0.04
# How much of the way a shoulder seam turns with a raised arm.
SEAM_TURN = 0.35
# Half the trunk's width in spans, from the shoulder line (0) over the hips (1) down.
TRUNK_HEIGHTS = (0.0, 0.25, 0.6, 0.85, 1.05, 1.4)
TRUNK_WIDTHS = (0.52, 0.52, 0.47, 0.49, 0.52, 0.52)
# A body is this deep for its width, as it shows when it turns.
TRUNK_DEPTH = 0.62
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
        normal = outer_normal(arm, unit(wearer.outward(side) + SEAM_TURN * along))
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


def chest_width(cloth: Cloth, frame: Frame) -> float:
    """Return the distance of a garment's armpits, in pixels of the cloth."""
    right, left = (frame.offset_of(cloth.points[f"armpit_{side}"]) for side in SIDES)
    return abs(left - right)


def flatness_of(cloth: Cloth, frame: Frame) -> float:
    """Tell how flat a garment lies, 0 as if worn, by how wide its chest is for its shoulders."""
    lying = FLAT_ON_UNEVEN * (1.0 - cloth.evenness)
    if not sleeves(cloth):
        return max(lying, FLAT_SLEEVELESS)
    worn, flat = CHEST_OVER_SHOULDERS
    wide = (chest_width(cloth, frame) / frame.width - worn) / (flat - worn)
    return float(np.clip(max(wide, lying), 0.0, 1.0))


def top_scale(wearer: Wearer, cloth: Cloth, frame: Frame) -> float:
    """Return pixels of the crop for one of the cloth, from shoulders and chest."""
    flatness, chest = flatness_of(cloth, frame), chest_width(cloth, frame)
    place = wearer.middle(SHOULDER) + 0.38 * wearer.span * wearer.down
    seen = sum(body_edge(wearer, place, wearer.across, 0.26, side) for side in SIDES)
    body = float(np.clip(seen / visible_share(wearer), 0.85 * wearer.span, 1.25 * wearer.span))
    by_chest = body * between(CHEST_SPAN, flatness) / chest
    if not sleeves(cloth):
        return SLEEVELESS_SIZE * by_chest
    by_shoulders = wearer.span * between(SEAM_SPAN, flatness) / frame.width
    size = OUTER_SIZE if cloth.category is GarmentCategory.OUTERWEAR else 1.0
    return float(size * by_chest**CHEST_WEIGHT * by_shoulders ** (1 - CHEST_WEIGHT))


def between(ends: tuple[float, float], share: float) -> float:
    """Return the value a share of the way from one end to the other."""
    return ends[0] + (ends[1] - ends[0]) * share


def visible_share(wearer: Wearer) -> float:
    """Return how wide the trunk shows for how wide it is from the front."""
    return float(np.hypot(np.sqrt(max(0.0, 1 - wearer.turn**2)), TRUNK_DEPTH * wearer.turn))


def body_edge(wearer: Wearer, place: Point, normal: Point, height: float, side: Side) -> float:
    """Measure half the body's width at one side, in pixels; the usual one where an arm hides it."""
    out = normal if side is Side.LEFT else -normal
    seen = visible_share(wearer)
    usual = float(np.interp(height, TRUNK_HEIGHTS, TRUNK_WIDTHS)) * wearer.span * seen
    labels = (TORSO, *THIGH.values()) if height > 0.8 else (TORSO,)
    far = outermost_label(wearer, labels, place, out, 1.9 * usual)
    if far is None:
        return usual
    column, row = np.rint(place + out * (far + 3.0)).astype(int)
    height_pixels, width_pixels = wearer.shape
    inside = 0 <= row < height_pixels and 0 <= column < width_pixels
    if inside and wearer.body[row, column] in ARMS:
        return max(far, usual)
    return float(np.clip(far, 0.7 * usual, 1.9 * usual))


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

    Args:
        share: 0 in the middle of the body, 1 at the sleeve's seam.
    """
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
    usual = place - wearer.down * height * rise
    reach = 0.10 * wearer.span
    labels, below = (TORSO, UPPER_ARM[side]), usual + reach * wearer.down
    far = outermost_bald(wearer, labels, below, -wearer.down, 2 * reach)
    if far is None or far >= 2 * reach - 1.0:
        return np.asarray(usual)
    return np.asarray(usual + wearer.down * (reach - far) - wearer.down)


def front_shift(wearer: Wearer, depth: float) -> Point:
    """Return how far the front's middle lies off the body's axis as the body turns."""
    return np.asarray(wearer.across * wearer.turn * depth * wearer.span * 0.8)
