"""Where a garment ends on this body: its outline in true proportion, piece by piece.

Garment landmarks are named by the wearer's side as if the garment were worn facing the camera, so
`shoulder_left` lies on the right of the garment's picture. A garment is as large as its shoulders
(tops, dresses) or its waist and hips (skirts, trousers) say; where sleeves, hem and legs end
follows from that and from the bones, never from where the old garment ended.
"""

from services.tryon.body import SIDES, Wearer
from services.tryon.bottoms import fit_bottom
from services.tryon.cloth import Cloth
from services.tryon.garment import GarmentCategory
from services.tryon.pieces import Piece
from services.tryon.tops import fit_top

BOTTOMS = (GarmentCategory.SKIRT, GarmentCategory.TROUSERS, GarmentCategory.SHORTS)
TOPS = frozenset(GarmentCategory) - {*BOTTOMS, GarmentCategory.DRESS}


def fit(cloth: Cloth, wearer: Wearer) -> list[Piece]:
    """Lay a garment on a body; pieces in the order in which they are painted."""
    return fit_bottom(cloth, wearer) if cloth.category in BOTTOMS else fit_top(cloth, wearer)


def corners_of(category: GarmentCategory) -> frozenset[str]:
    """Name the landmarks without which a garment can't be laid on a body."""
    if category is GarmentCategory.SKIRT:
        return both("waist", "hem")
    if category in BOTTOMS:
        return both("waist", "ankle_outer", "ankle_inner") | {"crotch"}
    return both("collar", "shoulder", "armpit", "hem") | {"collar_centre"}


def both(*names: str) -> frozenset[str]:
    """Return the landmarks of both sides."""
    return frozenset(f"{name}_{side}" for name in names for side in SIDES)
