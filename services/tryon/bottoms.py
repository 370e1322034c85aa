"""Skirts, trousers and shorts laid on a body: the seat as a thin plate, legs along the legs."""

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import (
    FOOT,
    HIP,
    SHOES,
    SIDES,
    THIGH,
    TORSO,
    Point,
    Side,
    Wearer,
    hang,
    unit,
)
from services.tryon.cloth import COVERED, Cloth
from services.tryon.garment import GarmentCategory
from services.tryon.limb import Limb, find_limb
from services.tryon.pieces import Part, Piece
from services.tryon.probe import outermost_label, smooth
from services.tryon.sections import (
    Frame,
    frame_between,
    limb_sections,
    row_edges,
    widths_of,
)
from services.tryon.tubes import extended, limb_target
from services.tryon.warp import Mesh, grid_over, strip, thin_plate

# Above the hip joints, in spans: where trousers and skirts are worn.
WAIST_UP = 0.40
CROTCH_DOWN = 0.32
# From waist to crotch, in spans, of trousers that sit on the hips.
RISE = 0.55
# The inner leg of trousers that reach the ankle, over their rise.
FULL_LENGTH = 2.3
# Half the widths of waist and hips, in spans.
SEAT_HEIGHTS = (-0.9, -0.45, -0.1, 0.25, 0.6)
SEAT_WIDTHS = (0.44, 0.47, 0.54, 0.56, 0.55)
EASE = 1.02
DRAPE = 0.9
# Trouser legs are at most so much wider than the leg.
LEG_LOOSE_MAX = 3.4
# Trousers and skirts that lie flat are wider than those on a body: pictured worn, and lying.
FLAT = (1.02, 1.15)
# Trousers end no further down than so, as a share of the leg.
LEG_END_MAX = 1.05
# Pixels of a shoe in sight; its upper edge is where so few of them lie above; trousers go on so far
# over it, as a share of the leg.
SHOE_MIN = 40
SHOE_QUANTILE = 0.05
SHOE_OVERLAP = 0.01
ROWS = 6
SECTIONS = 14


def fit_bottom(cloth: Cloth, wearer: Wearer) -> list[Piece]:
    """Lay a skirt, trousers or shorts on a body."""
    frame = frame_between(cloth.points["waist_right"], cloth.points["waist_left"])
    if cloth.category is GarmentCategory.SKIRT:
        return [fit_skirt(cloth, frame, wearer)]
    return fit_trousers(cloth, frame, wearer)


# --- the body's seat --------------------------------------------------------------------------


def seat_axis(wearer: Wearer, distance: float) -> tuple[Point, Point]:
    """Follow the body down from the hip joints: the point, and the way to the wearer's left."""
    hips = wearer.middle(HIP)
    if distance <= 0:
        return hips + wearer.down * distance, wearer.across
    direction = hang(wearer)
    return hips + direction * distance, np.array([direction[1], -direction[0]])


def seat_edge(wearer: Wearer, place: Point, normal: Point, distance: float, side: Side) -> float:
    """Measure half the width of waist, hips or both thighs to one side, in pixels."""
    usual = float(np.interp(distance / wearer.span, SEAT_HEIGHTS, SEAT_WIDTHS)) * wearer.span
    out = normal if side is Side.LEFT else -normal
    far = outermost_label(wearer, (TORSO, *THIGH.values()), place, out, 1.9 * usual)
    return usual if far is None else float(np.clip(far, 0.7 * usual, 1.9 * usual))


def seat_outline(
    cloth: Cloth, frame: Frame, heights: NDArray[np.float64]
) -> list[tuple[float, float, float]]:
    """Measure a garment's seat: height, offsets of the right and of the left edge."""
    far = 1.6 * frame.width
    return [
        (height, *row_edges(cloth.solid, frame, max(height, 0.03 * frame.width), (-far, far)))
        for height in heights
    ]


def seat_controls(
    frame: Frame,
    outline: list[tuple[float, float, float]],
    wearer: Wearer,
    scale: float,
    waist: float,
) -> tuple[list[Point], list[Point]]:
    """Pair the rows of a garment's seat with their places on the body.

    Args:
        waist: how far below the hip joints the waistband lies, in pixels; less than 0 above them.
    """
    places = [seat_axis(wearer, waist + height * scale) for height, _, _ in outline]
    widths = {
        side: smooth(
            [
                seat_edge(wearer, place, normal, waist + row[0] * scale, side)
                for row, (place, normal) in zip(outline, places, strict=True)
            ],
            passes=1,
        )
        for side in SIDES
    }
    source: list[Point] = []
    target: list[Point] = []
    for number, ((height, right, left), (place, normal)) in enumerate(
        zip(outline, places, strict=True)
    ):
        edge = {}
        for side, offset in ((Side.RIGHT, right), (Side.LEFT, left)):
            body = widths[side][number] * EASE
            width = float(np.clip(abs(offset) * scale * DRAPE, body, 2.5 * body))
            if number == 0:
                # A waistband is closed on the waist.
                width = body
            edge[side] = place + (normal if side is Side.LEFT else -normal) * width
            source.append(frame.place(offset, height))
            target.append(edge[side])
        source.append(frame.place((left + right) / 2, height))
        target.append((edge[Side.LEFT] + edge[Side.RIGHT]) / 2)
    return source, target


def width_at(wearer: Wearer, distance: float) -> float:
    """Measure the width of the body a distance below the hip joints, in pixels."""
    place, normal = seat_axis(wearer, distance)
    return sum(seat_edge(wearer, place, normal, distance, side) for side in SIDES)


# --- skirts -----------------------------------------------------------------------------------


def fit_skirt(cloth: Cloth, frame: Frame, wearer: Wearer) -> Piece:
    """Bend a skirt onto waist, hips and thighs."""
    end = sum(frame.height_of(cloth.points[f"hem_{side}"]) for side in SIDES) / 2
    outline = seat_outline(cloth, frame, np.linspace(0.0, 0.98 * end, ROWS))
    waist = -WAIST_UP * wearer.span
    widest = max(left - right for _, right, left in outline[:4])
    hips = EASE * width_at(wearer, 0.1 * wearer.span) / widest
    scale = flat_size(cloth) * min(width_at(wearer, waist) / frame.width, 1.1 * hips)
    source, target = seat_controls(frame, outline, wearer, scale, waist)
    corners, triangles = grid_over(cloth.cover)
    bent = thin_plate(np.array(source), np.array(target), corners)
    mesh = Mesh(source=corners, target=bent, triangles=triangles)
    return Piece(part=Part.TRUNK, side=None, mesh=mesh, cover=cloth.cover)


# --- trousers and shorts ----------------------------------------------------------------------


def fit_trousers(cloth: Cloth, frame: Frame, wearer: Wearer) -> list[Piece]:
    """Lay trousers on a body: legs first, the seat over them."""
    crotch = cloth.points["crotch"]
    rise = frame.height_of(crotch)
    outline = seat_outline(cloth, frame, np.linspace(0.0, 0.97 * rise, ROWS))
    scale = trousers_scale(cloth, outline, rise, wearer)
    down = CROTCH_DOWN * wearer.span
    body_crotch, _ = seat_axis(wearer, down)
    source, target = seat_controls(frame, outline, wearer, scale, down - rise * scale)
    source.append(crotch)
    target.append(body_crotch)
    hips = {Side.RIGHT: (source[-4], target[-4]), Side.LEFT: (source[-3], target[-3])}
    legs = [
        fit_leg(cloth, wearer, side, scale, (crotch, body_crotch), hips[side]) for side in SIDES
    ]
    region = seat_region(cloth, crotch, hips)
    cover = np.where(region, cloth.cover, np.uint8(0))
    corners, triangles = grid_over(cover)
    bent = thin_plate(np.array(source), np.array(target), corners)
    mesh = Mesh(source=corners, target=bent, triangles=triangles)
    return [*legs, Piece(part=Part.TRUNK, side=None, mesh=mesh, cover=cover)]


def flat_size(cloth: Cloth) -> float:
    """Return how much larger a garment is than its width on the body says."""
    worn, lying = FLAT
    return lying + (worn - lying) * cloth.evenness


def trousers_scale(
    cloth: Cloth, outline: list[tuple[float, float, float]], rise: float, wearer: Wearer
) -> float:
    """Return pixels of the crop for one of the cloth."""
    widest = max(left - right for _, right, left in outline)
    hips = flat_size(cloth) * EASE * width_at(wearer, 0.1 * wearer.span) / widest
    if is_full_length(cloth, rise):
        inner = np.mean([cloth.points[f"ankle_inner_{side}"] for side in SIDES], axis=0)
        legs = np.mean([find_limb(wearer, "leg", side).length for side in SIDES])
        by_length = (legs - CROTCH_DOWN * wearer.span) / np.linalg.norm(
            inner - cloth.points["crotch"]
        )
        return float(np.clip(by_length, 0.8 * hips, 1.35 * hips))
    by_rise = RISE * wearer.span / rise
    return float(np.sqrt(hips * np.clip(by_rise, 0.7 * hips, 1.4 * hips)))


def is_full_length(cloth: Cloth, rise: float) -> bool:
    """Tell whether trousers are meant to reach the ankles."""
    inner = np.mean([cloth.points[f"ankle_inner_{side}"] for side in SIDES], axis=0)
    return float(np.linalg.norm(inner - cloth.points["crotch"])) > FULL_LENGTH * rise


def fit_leg(
    cloth: Cloth,
    wearer: Wearer,
    side: Side,
    scale: float,
    crotch: tuple[Point, Point],
    hip: tuple[Point, Point],
) -> Piece:
    """Lay a trouser leg along thigh and shin.

    Args:
        crotch: the crotch on the cloth and on the body.
        hip: the outer end of the leg's seam on the cloth and on the body.
    """
    opening = cloth.points[f"ankle_outer_{side}"], cloth.points[f"ankle_inner_{side}"]
    seam = hip[0], crotch[0]
    cover = np.where(leg_region(cloth, crotch[0], hip[0], side), cloth.cover, np.uint8(0))
    leg = find_limb(wearer, "leg", side)
    start = float((crotch[1] - leg.joints[0]) @ unit(leg.joints[1] - leg.joints[0])) * 0.5
    axis = (seam[0] + seam[1]) / 2, (opening[0] + opening[1]) / 2
    end = start + float(np.linalg.norm(axis[1] - axis[0])) * scale
    waist = (cloth.points["waist_left"] + cloth.points["waist_right"]) / 2
    if is_full_length(cloth, float(np.linalg.norm(crotch[0] - waist))):
        end = shoe_top(wearer, leg)
    end = min(end, leg.length * LEG_END_MAX)
    source = limb_sections(cover >= COVERED, seam, opening, SECTIONS)
    widths = widths_of(source) * scale * DRAPE
    target = limb_target(wearer, leg, (hip[1], crotch[1]), end, widths, LEG_LOOSE_MAX)
    mesh = strip(extended(source), extended(target), 7, 0.25)
    return Piece(part=Part.LEG, side=side, mesh=mesh, cover=cover, ends_at=end)


def shoe_top(wearer: Wearer, leg: Limb) -> float:
    """Return how far down a leg trousers meet its shoe; its whole length without one in sight."""
    rows, columns = np.nonzero((wearer.body == FOOT[leg.side]) & (wearer.wear == SHOES))
    if len(rows) < SHOE_MIN:
        return leg.length
    seen = max(float(np.linalg.norm(leg.joints[2] - leg.joints[1])), 1.0)
    along = unit(leg.joints[2] - leg.joints[1])
    past = (np.stack([columns, rows], axis=1) - leg.joints[2]) @ along * leg.lengths[1] / seen
    meets = float(np.quantile(past, SHOE_QUANTILE)) + SHOE_OVERLAP * leg.length
    return leg.length + max(0.0, meets)


def seat_region(
    cloth: Cloth, crotch: Point, hips: dict[Side, tuple[Point, Point]]
) -> NDArray[np.bool_]:
    """Choose the seat of trousers: above the lines from the crotch to both hips, and a margin."""
    far = 4.0 * float(max(cloth.cover.shape))
    overlap = np.array([0.0, 4.0])
    right, left = hips[Side.RIGHT][0] + overlap, hips[Side.LEFT][0] + overlap
    corners = [
        right + far * unit(right - crotch - overlap),
        right,
        crotch + overlap,
        left,
        left + far * unit(left - crotch - overlap),
        left + np.array([far, -far]),
        right + np.array([-far, -far]),
    ]
    return canvas.polygon(cloth.cover.shape, np.array(corners))


def leg_region(cloth: Cloth, crotch: Point, hip: Point, side: Side) -> NDArray[np.bool_]:
    """Choose a trouser leg: below its seam, on its side of the crotch."""
    far = 4.0 * float(max(cloth.cover.shape))
    out = np.array([1.0, 0.0]) if side is Side.LEFT else np.array([-1.0, 0.0])
    inner = (cloth.points["ankle_inner_left"] + cloth.points["ankle_inner_right"]) / 2
    corners = [
        crotch,
        hip,
        hip + far * unit(hip - crotch),
        hip + far * (out + np.array([0.0, 1.0])),
    ]
    corners += [inner + far * unit(inner - crotch)]
    return canvas.polygon(cloth.cover.shape, np.array(corners))
