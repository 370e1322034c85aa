"""Measuring a garment in its picture: its frame, its edges row by row, its limbs' sections."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tryon.body import SIDES, Point, Side, unit
from services.tryon.cloth import Cloth
from services.tryon.probe import outermost, unbroken

# Beside a sleeve the body of a garment is at most this much wider than between its corners.
FLARE_BESIDE_SLEEVE = 1.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A garment's own upright frame.

    Attributes:
        origin: middle of its top line: shoulders or waist.
        across: direction towards the wearer's left.
        down: direction to the hem.
        width: length of the top line, in pixels of the cloth.
    """

    origin: Point
    across: Point
    down: Point
    width: float

    def height_of(self, point: Point) -> float:
        """Return how far below the top line a point is."""
        return float((point - self.origin) @ self.down)

    def offset_of(self, point: Point) -> float:
        """Return how far towards the wearer's left a point is."""
        return float((point - self.origin) @ self.across)

    def place(self, offset: float, height: float) -> Point:
        """Return the point at an offset and a height."""
        return np.asarray(self.origin + offset * self.across + height * self.down)


def frame_between(right: Point, left: Point) -> Frame:
    """Return the frame whose top line joins two points of the cloth."""
    across = unit(left - right)
    return Frame(
        origin=(left + right) / 2,
        across=across,
        down=np.array([-across[1], across[0]]),
        width=float(np.linalg.norm(left - right)),
    )


def row_edges(
    solid: NDArray[np.bool_], frame: Frame, height: float, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return the offsets of a garment's right and left edge at a height, within limits."""
    start = frame.place(sum(limits) / 2, height)
    middle = sum(limits) / 2
    right = outermost(solid, start, -frame.across, middle - limits[0])
    left = outermost(solid, start, frame.across, limits[1] - middle)
    return (
        limits[0] if right is None else middle - right,
        limits[1] if left is None else middle + left,
    )


def limb_sections(
    solid: NDArray[np.bool_], seam: tuple[Point, Point], opening: tuple[Point, Point], count: int
) -> NDArray[np.float64]:
    """Cut a sleeve or trouser leg into sections, from its seam to its opening.

    Sections are as oblique as the seam at first and turn square to the limb, since its outer and
    its inner edge are cut into equally many parts each.

    Args:
        solid: where the sleeve or leg is, without the rest of the garment.
        seam: its outer and inner end.
        opening: its outer and inner corner.
        count: number of sections.

    Returns:
        count x 2 x 2: outer and inner end of each section, on the garment's edge.
    """
    start, end = (seam[0] + seam[1]) / 2, (opening[0] + opening[1]) / 2
    along = unit(end - start)
    square = np.array([along[1], -along[0]])
    if square @ (seam[0] - seam[1]) < 0:
        square = -square
    reach = 1.2 * float(np.linalg.norm(seam[0] - seam[1]))
    edges = []
    for first, last, way in ((seam[0], opening[0], square), (seam[1], opening[1], -square)):
        edge = np.linspace(first, last, count)
        for point in edge[1:-1]:
            middle = start + along * ((point - start) @ along)
            far = unbroken(solid, middle, way, reach)
            if far is not None:
                point[:] = middle + way * far
        edge[1:-1] = (edge[:-2] + 2 * edge[1:-1] + edge[2:]) / 4
        edges.append(edge)
    return np.stack(edges, axis=1)


def widths_of(sections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the width of each section, square to the limb."""
    along = unit(sections[-1].mean(axis=0) - sections[0].mean(axis=0))
    across = sections[:, 0] - sections[:, 1]
    return np.asarray(np.abs(across[:, 0] * along[1] - across[:, 1] * along[0]))


def has_sleeve(cloth: Cloth, side: Side) -> bool:
    """Tell whether a sleeve can be followed on one side."""
    return cloth.has(*(f"{name}_{side}" for name in ("armpit", "cuff_outer", "cuff_inner")))


def sleeves(cloth: Cloth) -> tuple[Side, ...]:
    """List the sides with a sleeve."""
    return tuple(side for side in SIDES if has_sleeve(cloth, side))
