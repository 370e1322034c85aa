"""Tops, outerwear and dresses laid on a body: the trunk as a thin plate, sleeves along the arms."""

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import HIP, SIDES, Point, Side, Wearer, hang, unit
from services.tryon.cloth import COVERED, Cloth
from services.tryon.girth import body_edge, visible_share
from services.tryon.limb import find_limb
from services.tryon.pieces import Part, Piece
from services.tryon.probe import outermost, smooth
from services.tryon.sections import (
    FLARE_BESIDE_SLEEVE,
    Frame,
    frame_between,
    limb_sections,
    row_edges,
    sleeves,
    widths_of,
)
from services.tryon.size import between
from services.tryon.trunk import Trunk, collar_place, find_trunk, front_shift, shoulder_line
from services.tryon.tubes import extended, limb_target
from services.tryon.warp import Mesh, grid_over, strip, thin_plate

# Cloth lies on the body and is a little wider than it.
EASE = 1.03
# Seen width of worn cloth over its width in the picture: hanging on a body there too, lying flat.
DRAPE = (0.98, 0.78)
SLEEVE_DRAPE = (0.95, 0.74)
# Nor wider than this over the body.
LOOSE_MAX = 1.6
# No sleeve reaches further over the hand, as a share of the arm.
SLEEVE_END_MAX = 1.05
# A sleeve's cloth may end so far before or behind the corners of its opening, as a share of it.
OPENING_OFF_MAX = 0.25
# Pixels of the cloth that slips of something else are no wider than twice.
SLIP = 3.0
ROWS = 8
SECTIONS = 14
# The trunk's cloth goes on under the sleeves: at the shoulder as a share of the garment's width,
# below the armpit in pixels.
SEAM_OVERLAP = 0.03
SIDE_OVERLAP = 4.0
SEAM_INWARD = 0.06
SEAM_CONTROLS = (0.0, 0.25, 0.5, 0.75, 1.0)


def fit_top(cloth: Cloth, wearer: Wearer) -> list[Piece]:
    """Lay a top, a piece of outerwear or a dress on a body; the trunk first, then the sleeves."""
    frame = frame_between(cloth.points["shoulder_right"], cloth.points["shoulder_left"])
    trunk = find_trunk(wearer, cloth, frame)
    outline = trunk_outline(cloth, frame)
    pieces = [fit_trunk(cloth, frame, outline, wearer, trunk)]
    pieces += [fit_sleeve(cloth, outline, wearer, trunk, side) for side in sleeves(cloth)]
    return pieces


# --- the garment's own outline ----------------------------------------------------------------


def trunk_outline(cloth: Cloth, frame: Frame) -> NDArray[np.float64]:
    """Measure the trunk of a garment below its armpits.

    Returns:
        ROWS x 3: height below the shoulder line, offsets of the right and of the left edge.
    """
    points = cloth.points
    start = max(frame.height_of(points[f"armpit_{side}"]) for side in SIDES)
    end = sum(frame.height_of(points[f"hem_{side}"]) for side in SIDES) / 2
    corners = {
        side: (frame.offset_of(points[f"armpit_{side}"]), frame.offset_of(points[f"hem_{side}"]))
        for side in SIDES
    }
    rows = []
    for share in np.linspace(0.0, 1.0, ROWS):
        height = start + share * (end - start)
        # The last row is a little above the hem, which may be curved.
        look = min(height, end - 0.02 * (end - start))
        straight = {side: pair[0] + share * (pair[1] - pair[0]) for side, pair in corners.items()}
        slack = FLARE_BESIDE_SLEEVE if sleeves(cloth) else 1.5
        limits = straight[Side.RIGHT] * slack, straight[Side.LEFT] * slack
        rows.append((height, *row_edges(cloth.solid, frame, look, limits)))
    return np.array(rows)


def trunk_region(cloth: Cloth, frame: Frame, outline: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose the trunk of a garment, and a little of its sleeves."""
    if not sleeves(cloth):
        return np.ones(cloth.cover.shape, np.bool_)
    points, far = cloth.points, 2.0 * frame.width
    left, right = points["shoulder_left"], points["shoulder_right"]
    out, seam = SIDE_OVERLAP * frame.across, SEAM_OVERLAP * frame.width * frame.across
    edge_left = [frame.place(offset, height) + out for height, _, offset in outline]
    edge_right = [frame.place(offset, height) - out for height, offset, _ in outline]
    below = 0.2 * frame.width * frame.down
    corners = [
        right - seam - far * frame.down,
        left + seam - far * frame.down,
        left + seam,
        0.3 * left + 0.7 * points["armpit_left"] + seam,
        points["armpit_left"] + out,
        *edge_left,
        edge_left[-1] + below,
        edge_right[-1] + below,
        *reversed(edge_right),
        points["armpit_right"] - out,
        0.3 * right + 0.7 * points["armpit_right"] - seam,
        right - seam,
    ]
    return canvas.polygon(cloth.cover.shape, np.array(corners))


# --- the trunk on the body --------------------------------------------------------------------


def fit_trunk(
    cloth: Cloth, frame: Frame, outline: NDArray[np.float64], wearer: Wearer, trunk: Trunk
) -> Piece:
    """Bend the trunk of a garment onto the body as a thin plate."""
    source, target = shoulder_controls(cloth, frame, wearer, trunk)
    for point, place in row_controls(frame, outline, wearer, trunk, beside=bool(sleeves(cloth))):
        source.append(point)
        target.append(place)
    region = trunk_region(cloth, frame, outline)
    cover = np.where(region, cloth.cover, np.uint8(0))
    corners, triangles = grid_over(cover)
    bent = thin_plate(np.array(source), np.array(target), corners)
    return Piece(
        part=Part.TRUNK,
        side=None,
        mesh=Mesh(source=corners, target=bent, triangles=triangles),
        cover=cover,
        inside=inner_back(cloth, frame),
    )


def inner_back(cloth: Cloth, frame: Frame) -> NDArray[np.uint8] | None:
    """Choose what lies above the front of the neckline: the inside of the garment's back."""
    left, right = cloth.points["collar_left"], cloth.points["collar_right"]
    centre = cloth.points["collar_centre"]
    middle = (left + right) / 2
    if (centre - middle) @ frame.down < 0.03 * frame.width:
        return None
    bend = 2 * centre - middle
    shares = np.linspace(0.0, 1.0, 24)[:, None]
    curve = (1 - shares) ** 2 * right + 2 * shares * (1 - shares) * bend + shares**2 * left
    far = frame.width * frame.down
    corners = np.vstack([curve, left - far, right - far])
    return canvas.polygon(cloth.cover.shape, corners).astype(np.uint8) * np.uint8(255)


def shoulder_controls(
    cloth: Cloth, frame: Frame, wearer: Wearer, trunk: Trunk
) -> tuple[list[Point], list[Point]]:
    """Pair collar, shoulders and armpits of a garment with their places on the body."""
    source: list[Point] = []
    target: list[Point] = []
    collar = {}
    for side in SIDES:
        top, seam = trunk.tops[side], cloth.points[f"shoulder_{side}"]
        for part in SEAM_CONTROLS if side in sleeves(cloth) else (0.0, 1.0):
            # Straight on the body as a sleeve's first section is, so that patterns meet.
            source.append(seam + part * (cloth.points[f"armpit_{side}"] - seam))
            target.append(top + part * (trunk.armpits[side] - top))
        neck = cloth.points[f"collar_{side}"]
        share = abs(frame.offset_of(neck)) / (frame.width / 2)
        stand = -frame.height_of(neck) * trunk.scale
        collar[side] = collar_place(wearer, trunk, side, share, stand)
        source.append(neck)
        target.append(collar[side])
        for part in (0.35, 0.7):
            # The garment's own upper edge lies on the line of the body's shoulder.
            between = neck + part * (seam - neck)
            edge = upper_edge(cloth, frame, between)
            if edge is not None:
                source.append(edge)
                target.append(shoulder_line(wearer, trunk, side, share + part * (1 - share)))
    centre = cloth.points["collar_centre"]
    level = (cloth.points["collar_left"] + cloth.points["collar_right"]) / 2
    depth = frame.height_of(centre) - frame.height_of(level)
    source.append(centre)
    target.append(
        (collar[Side.LEFT] + collar[Side.RIGHT]) / 2
        + wearer.down * depth * trunk.scale
        + front_shift(wearer, 0.35)
    )
    return source, target


def upper_edge(cloth: Cloth, frame: Frame, near: Point) -> Point | None:
    """Find a garment's upper edge at the offset of a point."""
    far = 0.25 * frame.width
    up = outermost(cloth.solid, near + far * frame.down, -frame.down, 2 * far)
    return None if up is None else near + (far - up) * frame.down


def row_controls(
    frame: Frame, outline: NDArray[np.float64], wearer: Wearer, trunk: Trunk, *, beside: bool
) -> list[tuple[Point, Point]]:
    """Pair the edges and the middle of a garment's rows with their places on the body."""
    seen = visible_share(wearer)
    places = [axis_place(wearer, trunk, height * trunk.scale) for height, _, _ in outline]
    widths = {side: smooth([body_edge(wearer, *place, side) for place in places]) for side in SIDES}
    pairs = []
    for number, ((height, right, left), (place, normal, _)) in enumerate(
        zip(outline, places, strict=True)
    ):
        if number == 0 and beside:
            # The armpits hold the first row.
            continue
        edge = {}
        for side, offset in ((Side.RIGHT, right), (Side.LEFT, left)):
            body = widths[side][number] * EASE
            own = abs(offset) * trunk.scale * seen * between(DRAPE, trunk.flatness)
            width = float(np.clip(own, body, LOOSE_MAX * body))
            edge[side] = place + (normal if side is Side.LEFT else -normal) * width
            pairs.append((frame.place(offset, height), edge[side]))
        middle = (edge[Side.LEFT] + edge[Side.RIGHT]) / 2 + front_shift(wearer, 0.2)
        pairs.append((frame.place((left + right) / 2, height), middle))
    return pairs


def axis_place(wearer: Wearer, trunk: Trunk, distance: float) -> tuple[Point, Point, float]:
    """Follow the body's axis down from the seams' line.

    Returns:
        The point at a distance, the direction towards the wearer's left there, and how far down it
        is: 0 at the shoulder line, 1 at the hips.
    """
    start = (trunk.tops[Side.LEFT] + trunk.tops[Side.RIGHT]) / 2
    hips = wearer.middle(HIP)
    length = max(float(np.linalg.norm(hips - start)), 1.0)
    if distance <= length:
        return start + (hips - start) * distance / length, wearer.across, distance / length
    direction = hang(wearer)
    return (
        hips + direction * (distance - length),
        np.array([direction[1], -direction[0]]),
        distance / length,
    )


# --- sleeves ----------------------------------------------------------------------------------


def fit_sleeve(
    cloth: Cloth, outline: NDArray[np.float64], wearer: Wearer, trunk: Trunk, side: Side
) -> Piece:
    """Lay a sleeve along upper arm and forearm."""
    points = cloth.points
    seam = points[f"shoulder_{side}"], points[f"armpit_{side}"]
    opening = points[f"cuff_outer_{side}"], points[f"cuff_inner_{side}"]
    far = sleeve_region(cloth, seam, side)
    cover = np.where(far & ~trunk_region_inner(cloth, outline), cloth.cover, np.uint8(0))
    opening = moved_to_end(cover >= COVERED, seam, opening)
    arm = find_limb(wearer, "arm", side)
    axis = (seam[0] + seam[1]) / 2, (opening[0] + opening[1]) / 2
    own_length = float(np.linalg.norm(axis[1] - axis[0])) * trunk.scale
    start_place = (trunk.tops[side] + trunk.armpits[side]) / 2
    start = float((start_place - arm.joints[0]) @ unit(arm.joints[1] - arm.joints[0]))
    start = float(np.clip(start, 0.0, 0.5 * arm.lengths[0]))
    end = min(start + own_length, SLEEVE_END_MAX * arm.length)
    source = limb_sections(cover >= COVERED, seam, opening, SECTIONS)
    widths = widths_of(source) * trunk.scale * between(SLEEVE_DRAPE, trunk.flatness)
    target = limb_target(wearer, arm, (trunk.tops[side], trunk.armpits[side]), end, widths)
    return Piece(
        part=Part.SLEEVE,
        side=side,
        mesh=strip(extended(source), extended(target), 7, 0.25),
        cover=cover,
        ends_at=end,
    )


def moved_to_end(
    solid: NDArray[np.bool_], seam: tuple[Point, Point], opening: tuple[Point, Point]
) -> tuple[Point, Point]:
    """Move the corners of a sleeve's opening along the sleeve to where its cloth ends.

    An opening that is seen from below is round, and reaches beyond the line between its corners.

    Args:
        solid: where the sleeve is, without the rest of the garment.
    """
    start = (seam[0] + seam[1]) / 2
    along = (opening[0] + opening[1]) / 2 - start
    length = float(np.linalg.norm(along))
    if length < 1.0:
        return opening
    # Slips of a wide skirt beside the sleeve are none of it.
    sleeve = canvas.shrunk(solid, SLIP)
    x, y = np.rint(start + 0.5 * along).astype(int)
    seed = np.zeros(solid.shape, np.bool_)
    reach = round(0.25 * length)
    seed[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = True
    rows, columns = np.nonzero(canvas.connected(sleeve, seed))
    if not rows.size:
        return opening
    places = (np.stack([columns, rows], axis=1) - start) @ (along / length)
    off = (float(np.quantile(places, 0.995)) + SLIP) / length - 1.0
    if abs(off) > OPENING_OFF_MAX:
        return opening
    return opening[0] + off * along, opening[1] + off * along


def sleeve_region(cloth: Cloth, seam: tuple[Point, Point], side: Side) -> NDArray[np.bool_]:
    """Choose what lies on the outer side of a sleeve's seam."""
    top, bottom = seam
    along = unit(bottom - top)
    out = np.array([along[1], -along[0]]) if side is Side.LEFT else np.array([-along[1], along[0]])
    far = 4.0 * float(max(cloth.cover.shape))
    # A little of the trunk goes along, so that no gap opens at the seam.
    inward = SEAM_INWARD * float(np.linalg.norm(bottom - top)) * out
    first, last = top - far * along - inward, bottom + far * along - inward
    return canvas.polygon(
        cloth.cover.shape, np.array([first, last, last + far * out, first + far * out])
    )


def trunk_region_inner(cloth: Cloth, outline: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose the trunk below the armpits, which a sleeve that hangs beside it must not take."""
    frame = frame_between(cloth.points["shoulder_right"], cloth.points["shoulder_left"])
    left = [frame.place(offset + 2, height) for height, _, offset in outline]
    right = [frame.place(offset - 2, height) for height, offset, _ in outline]
    below = 0.3 * frame.width * frame.down
    corners = [*left, left[-1] + below, right[-1] + below, *reversed(right)]
    return canvas.polygon(cloth.cover.shape, np.array(corners))
