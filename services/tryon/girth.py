"""How wide the trunk of a body is, row by row, however it turns and whatever arms hide of it."""

import numpy as np

from services.tryon.body import ARMS, THIGH, TORSO, Point, Side, Wearer
from services.tryon.probe import outermost_label

# Half the trunk's width in spans, from the shoulder line (0) over the hips (1) down.
TRUNK_HEIGHTS = (0.0, 0.25, 0.6, 0.85, 1.05, 1.4)
TRUNK_WIDTHS = (0.52, 0.52, 0.47, 0.49, 0.52, 0.52)
# A body is this deep for its width, as it shows when it turns.
TRUNK_DEPTH = 0.62


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
