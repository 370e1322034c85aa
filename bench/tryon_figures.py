"""What a try-on is measured by: where cloth ends, its colours, its texture, the skin beside it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tryon_cases import Case
from services.tryon import canvas
from services.tryon.body import FOREARM, SIDES, UPPER_ARM, Wearer, below_hips, labelled
from services.tryon.cloth import Cloth
from services.tryon.drawing import Drawn
from services.tryon.limb import along_arm, find_limb
from services.tryon.pieces import Part
from services.vision.parts import BodyPart

Pixels = NDArray[np.uint8]
Chosen = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]

ARM = (*UPPER_ARM.values(), *FOREARM.values())
HANDS = (BodyPart.HAND_LEFT, BodyPart.HAND_RIGHT)
GREY = np.array([0.299, 0.587, 0.114])
# Cloth whose brightness varies less has no texture to correlate.
PLAIN = 8.0
# Standard deviation of lightness from which cloth has a pattern of several colours.
PATTERNED = 15.0
# Pixels that tell where cloth ends, and that tell a tone.
END_MIN, TONE_MIN = 50, 300
# Height of a trunk for the distance of its shoulders.
TRUNK_SHARE = 1.48
UNKNOWN = float("nan")


def overlap(laid: Chosen, worn: Chosen) -> float:
    """Return intersection over union of the garment as laid and as it is worn."""
    return float((laid & worn).sum() / max(1, (laid | worn).sum()))


def colour_error(cloth: Cloth, made: Pixels, laid: Chosen) -> float:
    """Return dE2000 between the middle colours of the garment's picture and of the result.

    Where a pattern has several colours the median falls on one or the other of them by chance; then
    the mean counts.
    """
    if not laid.any():
        return UNKNOWN
    own, shown = to_lab(cloth.colour[cloth.solid]), to_lab(made[laid])
    middle = np.mean if own[:, 0].std() > PATTERNED else np.median
    return ciede2000(np.asarray(middle(own, axis=0)), np.asarray(middle(shown, axis=0)))


def skin_error(made: Pixels, truth: Pixels, bare: Chosen) -> float:
    """Return dE2000 between the middles of made and of true skin; nan where hardly any is made."""
    if np.count_nonzero(bare) < TONE_MIN:
        return UNKNOWN
    middles = [np.median(to_lab(pixels[bare]), axis=0) for pixels in (made, truth)]
    return ciede2000(*middles)


def sleeve_error(wearer: Wearer, laid: Chosen, worn: Chosen) -> float:
    """Return how far sleeves end below the truth, in per cent of the arm; nan without sleeves."""
    errors = []
    for side in SIDES:
        along, arm = along_arm(wearer, side), find_limb(wearer, "arm", side)
        ends = [end_of(along[each & (along >= 0)]) for each in (laid, worn)]
        if min(ends) > 0.1 * arm.length:
            errors.append((ends[0] - ends[1]) / arm.length)
    return 100 * max(errors, key=abs) if errors else UNKNOWN


def hem_error(wearer: Wearer, laid: Chosen, case: Case, reach: Chosen) -> float:
    """Return how far a hem ends below the truth, in per cent of the trunk (tops) or of the leg."""
    low = below_hips(wearer)
    trunk = ~labelled(wearer.body, (*ARM, *HANDS))
    ends = [end_of(low[each & trunk]) for each in (laid, reach)]
    leg = find_limb(wearer, "leg", SIDES[0]).length
    whole = TRUNK_SHARE * wearer.span if case.kind == "upper" else leg
    return 100 * (ends[0] - ends[1]) / whole


def end_of(places: Floats) -> float:
    """Return where a garment ends, a few stray pixels aside."""
    return float(np.quantile(places, 0.995)) if len(places) > END_MIN else 0.0


def texture_correlation(drawn: list[Drawn], made: Pixels) -> float:
    """Correlate the result's trunk with the cloth that the warp says lies there.

    Returns:
        -1 to 1; nan for plain cloth, which has no texture to correlate.
    """
    trunk = next(layer for layer in drawn if layer.piece.part is Part.TRUNK)
    inner = canvas.shrunk(trunk.cover > 0.9, 3)
    first = trunk.colour[inner].astype(float) @ GREY
    second = made[trunk.window][inner].astype(float) @ GREY
    if not len(first) or first.std() < PLAIN:
        return UNKNOWN
    return float(np.corrcoef(first, second)[0, 1])


def to_lab(colours: Pixels) -> Floats:
    """Turn Nx3 uint8 RGB into CIE Lab."""
    return canvas.lab(np.ascontiguousarray(colours.reshape(-1, 1, 3)))[:, 0].astype(np.float64)


def ciede2000(first: Floats, second: Floats) -> float:
    """Return the colour difference of two CIE Lab colours (CIE 142-2001)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    chroma = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * math.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    c1, c2 = math.hypot(a1 * stretch, b1), math.hypot(a2 * stretch, b2)
    h1 = math.degrees(math.atan2(b1, a1 * stretch)) % 360
    h2 = math.degrees(math.atan2(b2, a2 * stretch)) % 360
    apart = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = h1 + apart / 2
    c, light = (c1 + c2) / 2, (l1 + l2) / 2
    hue_step = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(apart) / 2)
    turn = (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
    weight_light = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    weight_chroma, weight_hue = 1 + 0.045 * c, 1 + 0.015 * c * turn
    rotation = (
        -2
        * math.sqrt(c**7 / (c**7 + 25.0**7))
        * math.sin(math.radians(60 * math.exp(-(((hue % 360 - 275) / 25) ** 2))))
    )
    x, y, z = (l2 - l1) / weight_light, (c2 - c1) / weight_chroma, hue_step / weight_hue
    return math.sqrt(x * x + y * y + z * z + rotation * y * z)
