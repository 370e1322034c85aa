"""Light and folds: what the old clothes and the skin show of the light, without their own colours.

All in logarithms of brightness, so that shading is added to a new colour.
"""

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import (
    DRESS,
    HALVED_SPAN_MIN,
    HEAD,
    LEGS,
    LOWER,
    SKIN,
    UPPER,
    Wearer,
    labelled,
)
from services.tryon.canvas import Plane

# Windows of the shading in spans: folds of plain cloth, the light alone under prints and stripes.
FOLD_SIGMA = 0.035
LIGHT_SIGMA = 0.16
# Standard deviation of log brightness, finer than the light, from which cloth counts as printed,
# and from which nothing fine is taken over any more.
PRINT_MIN, PRINT_MAX = 0.07, 0.16
# Cloth darker than this has its noise lifted by the logarithm; less of its shading is believed.
DARK_LEVEL = 40.0
SHADING_MIN, SHADING_MAX = -0.55, 0.22
# Half of the light is in the garment's picture already, which was lit as well.
STRENGTH = 0.75
COVERED = 0.5


def shading_of(wearer: Wearer) -> Plane:
    """Read the shading of a body, HxW float32: 0 for the usual brightness, less in the shade.

    Each kind of surface is measured against its own middle, and what none shows is filled from
    around it.
    """
    if wearer.span >= HALVED_SPAN_MIN:
        small = wearer.halved()
        return canvas.enlarged(shading_of(small), wearer.shape)
    luma = log_luma(wearer.pixels)
    total = np.zeros(wearer.shape, np.float32)
    weight = np.zeros(wearer.shape, np.float32)
    low = labelled(wearer.body, LEGS)
    skin = (wearer.wear == SKIN) & (wearer.body > HEAD)
    clothes = [wearer.wear == label for label in (UPPER, LOWER, DRESS)]
    for surface in (*clothes, skin & low, skin & ~low):
        chosen = canvas.shrunk(surface, 2)
        if np.count_nonzero(chosen) < 200:
            continue
        trust = chosen.astype(np.float32)
        total += surface_shading(luma, trust, wearer.span) * trust
        weight += trust
    if not weight.any():
        return total
    shading = canvas.spread(total, weight, FOLD_SIGMA * wearer.span)
    return np.clip(shading, SHADING_MIN, SHADING_MAX)


def log_luma(pixels: NDArray[np.uint8]) -> Plane:
    """Return the logarithm of brightness, HxW float32, steadied in the dark."""
    level = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(np.log(level + DARK_LEVEL * 0.35), np.float32)


def surface_shading(luma: Plane, trust: Plane, span: float) -> Plane:
    """Separate the shading of one surface from its own colours and prints."""
    inside = trust > 0
    middle = float(np.median(luma[inside]))
    light = within(luma - middle, trust, LIGHT_SIGMA * span)
    fine = luma - middle - light
    deviation = float(np.abs(fine[inside]).mean()) * 1.25
    plain = float(np.clip((PRINT_MAX - deviation) / (PRINT_MAX - PRINT_MIN), 0.0, 1.0))
    if plain == 0.0:
        return light
    folds = within(np.clip(fine, -0.4, 0.25), trust, FOLD_SIGMA * 0.5 * span)
    return light + plain * folds


def within(plane: Plane, weight: Plane, sigma: float) -> Plane:
    """Blur values inside a region without what lies outside it."""
    share = canvas.blurred(weight, sigma)
    return np.asarray(canvas.blurred(plane * weight, sigma) / np.maximum(share, 1e-3))


class Light:
    """Shading, laid over a garment so that the garment's middle keeps its own brightness."""

    def __init__(self, shading: Plane, cover: Plane) -> None:
        """Measure the shading where a garment is; both HxW."""
        covered = cover > COVERED
        middle = float(np.median(shading[covered])) if covered.any() else 0.0
        self._shading, self._middle = shading, middle

    def on(self, colour: NDArray[np.uint8], window: tuple[slice, slice]) -> Plane:
        """Light hxwx3 uint8 RGB that lies in a window of the crop; float32 0..255."""
        factor = np.exp(STRENGTH * (self._shading[window] - self._middle))
        return np.asarray(np.minimum(colour * factor[:, :, None], 255.0))
