"""How large a top is on a body, and how flat it lies in its picture.

Nothing in a picture tells a garment's size in centimetres: it is as large as it has to be to fit
shoulders and chest.
"""

import numpy as np

from services.tryon.body import HIP, SHOULDER, SIDES, TORSO_SHARE, Wearer
from services.tryon.cloth import Cloth
from services.tryon.garment import GarmentCategory
from services.tryon.girth import body_edge, visible_share
from services.tryon.sections import Frame, sleeves

# Distance of a garment's shoulder seams over that of the shoulder joints, and its chest over the
# body's: of a garment that hangs on a body (its chest about as wide as its shoulders), and of one
# that lies flat (its chest clearly wider).
CHEST_OVER_SHOULDERS = (1.0, 1.14)
SEAM_SPAN = (1.21, 1.28)
CHEST_SPAN = (0.94, 1.34)
# How much the shoulders count against the chest. On rendered people garments that are worn differ
# by 4 % in their shoulders and by 11 % in their chest; of one that lies flat, the network tells the
# armpits better than where on a smooth outline the shoulders are.
SHOULDERS_WEIGHT = (0.88, 0.5)
# The same of a garment without sleeves, whose chest alone counts.
CHEST_SPAN_SLEEVELESS = (1.06, 1.30)
# How flat a garment on an uneven ground lies, and one without sleeves, if nothing else tells.
FLAT_ON_UNEVEN = 0.8
FLAT_SLEEVELESS = 0.2
# Where the chest is measured below the shoulder joints, in spans, and how wide one may be.
CHEST_DOWN = 0.38
CHEST_HEIGHT = 0.26
CHESTS = (0.85, 1.25)
# What hangs further from the body, and what goes down over the hips.
SIZES = {GarmentCategory.OUTERWEAR: 1.07, GarmentCategory.DRESS: 1.07}
# Clothes of the tall are longer, and of the short shorter: by so much of what their trunks are, and
# within these bounds, as a bent trunk looks short.
TALL_SHARE, TALL = 0.5, (0.97, 1.07)


def top_scale(wearer: Wearer, cloth: Cloth, frame: Frame) -> float:
    """Return pixels of the crop for one of the cloth."""
    flatness, chest = flatness_of(cloth, frame), chest_width(cloth, frame)
    body = chest_of(wearer)
    if not sleeves(cloth):
        return body * between(CHEST_SPAN_SLEEVELESS, flatness) / chest
    by_chest = body * between(CHEST_SPAN, flatness) / chest
    by_shoulders = wearer.span * between(SEAM_SPAN, flatness) / frame.width
    size = SIZES.get(cloth.category, 1.0) * tallness(wearer)
    weight = between(SHOULDERS_WEIGHT, flatness)
    return float(size * by_shoulders**weight * by_chest ** (1 - weight))


def tallness(wearer: Wearer) -> float:
    """Return how much longer clothes are on a body than on one of its shoulders' width."""
    torso = float(np.linalg.norm(wearer.middle(HIP) - wearer.middle(SHOULDER)))
    return float(np.clip((torso / wearer.span / TORSO_SHARE) ** TALL_SHARE, *TALL))


def chest_of(wearer: Wearer) -> float:
    """Measure the width of a chest as if seen from the front, in pixels of the crop."""
    place = wearer.middle(SHOULDER) + CHEST_DOWN * wearer.span * wearer.down
    seen = sum(body_edge(wearer, place, wearer.across, CHEST_HEIGHT, side) for side in SIDES)
    least, most = CHESTS
    return float(np.clip(seen / visible_share(wearer), least * wearer.span, most * wearer.span))


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


def between(ends: tuple[float, float], share: float) -> float:
    """Return the value a share of the way from one end to the other."""
    return ends[0] + (ends[1] - ends[0]) * share
