"""The kinds of garments, the landmarks that each has, and where heat maps put them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Place: TypeAlias = tuple[float, float]
Mark: TypeAlias = tuple[float, float, float]
"""x, y and confidence 0..1."""


class GarmentCategory(StrEnum):
    """What can be put on."""

    TOP_SHORT_SLEEVE = "top_short_sleeve"
    TOP_LONG_SLEEVE = "top_long_sleeve"
    TOP_SLEEVELESS = "top_sleeveless"
    OUTERWEAR = "outerwear"
    DRESS = "dress"
    SKIRT = "skirt"
    TROUSERS = "trousers"
    SHORTS = "shorts"


SIDE: Final = 256
"""Of the square that the network looks at; a picture fits into its middle."""

HEAT_SIDE: Final = 64
COVERED: Final = 128
LANDMARKS: Final = (
    "collar_left",
    "collar_right",
    "collar_centre",
    "shoulder_left",
    "shoulder_right",
    "armpit_left",
    "armpit_right",
    "cuff_outer_left",
    "cuff_outer_right",
    "cuff_inner_left",
    "cuff_inner_right",
    "waist_left",
    "waist_right",
    "hem_left",
    "hem_right",
    "crotch",
    "ankle_outer_left",
    "ankle_outer_right",
    "ankle_inner_left",
    "ankle_inner_right",
)
"""In the order of the heat maps; left is the wearer's, the right of the picture."""

CUFFS: Final = LANDMARKS[7:11]
TRUNK: Final = (*LANDMARKS[:7], *LANDMARKS[11:15])
LEGS: Final = (*LANDMARKS[11:13], *LANDMARKS[15:])
LANDMARKS_OF: Final[Mapping[GarmentCategory, Sequence[str]]] = {
    GarmentCategory.TOP_SHORT_SLEEVE: (*TRUNK, *CUFFS),
    GarmentCategory.TOP_LONG_SLEEVE: (*TRUNK, *CUFFS),
    GarmentCategory.TOP_SLEEVELESS: TRUNK,
    GarmentCategory.OUTERWEAR: (*TRUNK, *CUFFS),
    GarmentCategory.DRESS: (*TRUNK, *CUFFS),
    GarmentCategory.SKIRT: LANDMARKS[11:15],
    GarmentCategory.TROUSERS: LEGS,
    GarmentCategory.SHORTS: LEGS,
}
"""Those that a kind has; of coats and dresses, cuffs only where there are sleeves."""

MAYBE_SLEEVELESS: Final = (GarmentCategory.OUTERWEAR, GarmentCategory.DRESS)
SLEEVE_CONFIDENCE_MIN: Final = 0.3
# Those of which only some lie on the outline.
INNER: Final = ("collar_centre",)

GUESSED_BELOW: Final = 0.1
"""Heat that says nothing: then a landmark is where garments of its kind usually have it."""

USUAL: Final[Mapping[str, tuple[float, float]]] = {
    "collar": (0.10, 0.03),
    "shoulder": (0.24, 0.08),
    "armpit": (0.22, 0.34),
    "cuff_outer": (0.48, 0.40),
    "cuff_inner": (0.40, 0.46),
    "waist": (0.30, 0.01),
    "hem": (0.28, 0.98),
    "ankle_outer": (0.46, 0.98),
    "ankle_inner": (0.12, 0.98),
}
"""Where garments have their landmarks: from the middle out and from the top down, as shares of the
width and height of the mask."""

USUAL_CENTRES: Final[Mapping[str, float]] = {"collar_centre": 0.09, "crotch": 0.36}
USUAL_OF: Final[Mapping[GarmentCategory, Mapping[str, tuple[float, float]]]] = {
    GarmentCategory.TOP_LONG_SLEEVE: {"cuff_outer": (0.48, 0.84), "cuff_inner": (0.38, 0.88)},
    GarmentCategory.OUTERWEAR: {"cuff_outer": (0.48, 0.84), "cuff_inner": (0.38, 0.88)},
    GarmentCategory.TOP_SLEEVELESS: {"armpit": (0.44, 0.32), "hem": (0.46, 0.98)},
    GarmentCategory.DRESS: {"armpit": (0.26, 0.20), "waist": (0.22, 0.38), "hem": (0.46, 0.98)},
    GarmentCategory.SKIRT: {"hem": (0.46, 0.98)},
}
"""Where kinds differ."""

HEAT_REACH: Final = 2
SNAP_SHARE: Final = 0.05
"""Landmarks are moved to an outline no further away than this share of the garment's diagonal."""

OPPOSITES: Final = [
    LANDMARKS.index(
        name.replace("left", "right") if name.endswith("left") else name.replace("right", "left")
    )
    for name in LANDMARKS
]


def landmarks_of(category: GarmentCategory, heat: Floats, coarse: Mask) -> dict[str, Mark]:
    """Read the landmarks that a category has.

    Args:
        heat: 20x64x64 over the square around the picture.
        coarse: hxw, the garment's mask, the picture in the middle of the square.

    Returns:
        x and y in pixels of `coarse`, and confidence, by name.
    """
    names = LANDMARKS_OF[category]
    top, left = ((SIDE - extent) // 2 for extent in coarse.shape)
    step = SIDE / HEAT_SIDE
    outline = outline_of(coarse)
    reach = SNAP_SHARE * float(np.hypot(*np.ptp(outline, axis=0))) if len(outline) else 0.0
    found = {}
    for name in names:
        x, y, confidence = hottest(heat[LANDMARKS.index(name)])
        place = np.array([(x + 0.5) * step - 0.5 - left, (y + 0.5) * step - 0.5 - top])
        if confidence < GUESSED_BELOW and len(outline):
            place = usual_place(category, name, outline)
        if name not in INNER and len(outline):
            place = snapped(place, outline, reach)
        found[name] = (float(place[0]), float(place[1]), confidence)
    if category in MAYBE_SLEEVELESS:
        confidence = float(np.mean([found[name][2] for name in CUFFS]))
        if confidence < SLEEVE_CONFIDENCE_MIN:
            found = {name: mark for name, mark in found.items() if name not in CUFFS}
    return found


def usual_place(
    category: GarmentCategory, name: str, outline: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where a kind of garment usually has a landmark, from its outline's box alone."""
    part, _, side = name.rpartition("_")
    if name in USUAL_CENTRES:
        share = np.array([0.5, USUAL_CENTRES[name]])
    else:
        out, down = USUAL_OF.get(category, {}).get(part, USUAL[part])
        share = np.array([0.5 + (out if side == "left" else -out), down])
    return np.asarray(outline.min(axis=0) + share * np.ptp(outline, axis=0))


def hottest(heat: Floats) -> tuple[float, float, float]:
    """Return x and y of the middle of the hottest spot, in cells, and how hot it is."""
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    top, left = max(0, int(row) - HEAT_REACH), max(0, int(column) - HEAT_REACH)
    near = heat[top : int(row) + HEAT_REACH + 1, left : int(column) + HEAT_REACH + 1]
    down, right = np.indices(near.shape)
    total = float(near.sum())
    x, y = left + float((near * right).sum()) / total, top + float((near * down).sum()) / total
    return x, y, float(heat[row, column])


def outline_of(mask: Mask) -> NDArray[np.float64]:
    """Return Nx2, x and y of the pixels at the rim of a mask, just inside it."""
    inside = np.pad(mask >= COVERED, 1)
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    rows, columns = np.nonzero(inside[1:-1, 1:-1] & ~core)
    return np.column_stack([columns, rows]).astype(np.float64)


def snapped(
    place: NDArray[np.float64], outline: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    """Move a point to the nearest of an outline, if one is near enough."""
    away = np.hypot(*(outline - place).T)
    nearest = int(away.argmin())
    return outline[nearest] if away[nearest] <= reach else place


def axis_of(landmarks: Mapping[str, Mark]) -> tuple[Place, Place]:
    """Return the middle of the uppermost pair of landmarks and that of the lowest."""
    upper = next(pair for pair in ("collar", "waist") if f"{pair}_left" in landmarks)
    lower = next(pair for pair in ("hem", "ankle_inner") if f"{pair}_left" in landmarks)
    (top_x, top_y), (end_x, end_y) = (
        np.mean([landmarks[f"{pair}_{side}"][:2] for side in ("left", "right")], axis=0).tolist()
        for pair in (upper, lower)
    )
    return (top_x, top_y), (end_x, end_y)
