"""What lies in front of what: the old garment cleared away, the new one laid between the limbs."""

from dataclasses import dataclass, replace

import numpy as np

from services.tryon import canvas
from services.tryon.body import (
    ARMS,
    DRESS,
    ELBOW,
    HAND,
    LEGS,
    LOWER,
    SHOES,
    SIDES,
    SKIN,
    TORSO,
    UPPER,
    WRIST,
    Side,
    Wearer,
    below_hips,
    labelled,
)
from services.tryon.canvas import Chosen, Plane
from services.tryon.cloth import Cloth
from services.tryon.drawing import Drawn, draw, seams_closed, sleeve_ends, united
from services.tryon.edit import Edit
from services.tryon.fit import BOTTOMS, fit
from services.tryon.gap import (
    HEM_MARGIN,
    SKIN_SIGMA,
    Gap,
    find_gap,
    lay_gap,
    protected,
    shadow,
    skin_cover,
)
from services.tryon.garment import GarmentCategory
from services.tryon.ground import Filler
from services.tryon.hems import hem_of_top
from services.tryon.limb import along_arm, find_limb
from services.tryon.pieces import Part
from services.tryon.shading import Light
from services.tryon.skin import skin_over

EDGE_SIGMA = 0.8
COVERED = 0.5
# From the shoulder on, as a share of the upper arm, a bare arm lies in front of a trunk's cloth.
ARM_IN_FRONT = 0.38
# The tuck line above the hip joints, in spans.
TUCK_UP = 0.24
# A hem runs straight over so much to both sides, and labels of it are wrong by so much, in spans.
HEM_REACH, HEM_STEP = 0.2, 0.07
HEM_COLUMNS_MIN = 12
INSIDE_LIGHT = 0.72
# An arm whose bones are hidden by the trunk to this share lies behind it.
BEHIND_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What putting one garment on does.

    Attributes:
        edit: the fresh pixels.
        wearer: the person before it.
        category: of the garment.
        gap: what the old clothes left open.
        union: HxW, 0..1, what the garment covers if nothing lies on it.
    """

    edit: Edit
    wearer: Wearer
    category: GarmentCategory
    gap: Gap
    union: Plane

    def dressed(self) -> Wearer:
        """Return the person as dressed, labelled anew for what is put on next."""
        wear, body = self.wearer.wear.copy(), self.wearer.body.copy()
        shown = self.edit.cover > COVERED
        wear[self.gap.ground & shown], body[self.gap.ground & shown] = 0, 0
        wear[self.gap.skin & shown] = SKIN
        wear[self.gap.cloth & shown] = LOWER if self.category not in BOTTOMS else UPPER
        label = UPPER
        if self.category in BOTTOMS:
            label = LOWER
        elif self.category is GarmentCategory.DRESS:
            label = DRESS
        wear[(self.union > COVERED) & shown] = label
        pixels = self.edit.over(self.wearer.pixels)
        return replace(self.wearer, pixels=pixels, body=body, wear=wear)


def put_on(
    wearer: Wearer, cloth: Cloth, *, tucked: bool, shading: Plane, fill: Filler, seed: int
) -> Change:
    """Put one garment on.

    Args:
        wearer: as the person is now.
        tucked: whether a top goes under what is worn below.
        shading: of the person as photographed, see `shading.shading_of`.
        fill: makes up what lies behind.
        seed: of the grain of skin.
    """
    bottoms = cloth.category in BOTTOMS
    if bottoms:
        wearer = with_straight_hem(wearer)
    drawn = seams_closed(draw(cloth, fit(cloth, wearer), wearer), wearer)
    if tucked and not bottoms:
        drawn = [tuck(layer, wearer) for layer in drawn]
    if bottoms:
        hidden = under_top(wearer)
        drawn = [replace(each, cover=each.cover * ~hidden[each.window]) for each in drawn]
    union = united(drawn, wearer.shape)
    gap = find_gap(wearer, cloth.category, union, drawn)
    skin = skin_over(wearer, shading, gap.skin, gap.limbs, seed)
    edit = Edit(wearer.shape)
    bare = skin_cover(wearer, gap)
    lay_gap(edit, wearer, gap, (skin, bare), fill, under=UPPER if bottoms else LOWER, seed=seed)
    edit.darken(shadow(wearer, gap, union, wearer.span))
    lay_pieces(edit, wearer, drawn, gap, (skin, bare), Light(shading, union), bottoms=bottoms)
    edit.protect(protected(wearer))
    return Change(edit=edit, wearer=wearer, category=cloth.category, gap=gap, union=union)


def tuck(layer: Drawn, wearer: Wearer) -> Drawn:
    """End a top's trunk where it goes under what is worn below."""
    if layer.piece.part is not Part.TRUNK:
        return layer
    above = np.clip(0.5 - (below_hips(wearer) + TUCK_UP * wearer.span), 0.0, 1.0)
    return replace(layer, cover=layer.cover * above[layer.window])


def under_top(wearer: Wearer) -> Chosen:
    """Choose what lies beside a top that is worn over: a waistband under it shows nowhere there."""
    hem = hem_of_top(wearer) - HEM_MARGIN * wearer.span
    beside = ~canvas.shrunk(wearer.wear == UPPER, 2)
    return np.asarray(beside & (below_hips(wearer) < hem))


def with_straight_hem(wearer: Wearer) -> Wearer:
    """Tell a top and what is worn below it apart along a hem without steps."""
    on = (wearer.wear == UPPER) & labelled(wearer.body, (TORSO, *LEGS))
    columns = np.flatnonzero(on.any(axis=0))
    if columns.size < HEM_COLUMNS_MIN:
        return wearer
    rows = on.shape[0] - 1 - np.argmax(on[::-1, columns], axis=0)
    reach = max(1, round(HEM_REACH * wearer.span))
    padded = np.pad(rows, reach, mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    wear = wearer.wear.copy()
    for column, row, straight in zip(columns, rows, usual.astype(int), strict=True):
        if abs(row - straight) <= HEM_STEP * wearer.span:
            wear[straight + 1 : row + 1, column] = LOWER
            wear[row : straight + 1, column] = UPPER
    return replace(wearer, wear=wear)


# --- what lies in front -----------------------------------------------------------------------


def lay_pieces(
    edit: Edit,
    wearer: Wearer,
    drawn: list[Drawn],
    gap: Gap,
    skin: tuple[Plane, Plane],
    light: Light,
    *,
    bottoms: bool,
) -> None:
    """Lay a garment's pieces, and before and after them what they go between.

    Args:
        skin: what was made, and how far it covers what is seen.
    """
    ends = sleeve_ends(drawn)
    behind = {side for side in SIDES if arm_behind(wearer, side)}
    for layer in drawn:
        if layer.inside is not None:
            back = layer.inside * (wearer.body[layer.window] == 0)
            edit.lay_part(layer.window, light.on(layer.colour, layer.window) * INSIDE_LIGHT, back)
    for layer in sorted(drawn, key=lambda layer: order_of(layer, wearer, behind)):
        edit.lay_part(layer.window, light.on(layer.colour, layer.window), layer.cover)
        if layer.piece.part is Part.TRUNK and not bottoms:
            for side in SIDES:
                if side not in behind:
                    lay_bare_arm(edit, wearer, gap, skin, side, ends[side])
    if bottoms:
        front = labelled(wearer.body, ARMS) | (wearer.wear == SHOES)
        front |= wearer.wear == UPPER
        edit.uncover(canvas.softened(canvas.shrunk(front & ~gap_all(gap), 1), EDGE_SIGMA))
        return
    hands = np.zeros(wearer.shape, np.bool_)
    for side in SIDES:
        if side not in behind:
            hand = (wearer.body == HAND[side]) & (wearer.wear == SKIN)
            hands |= hand & (along_arm(wearer, side) > ends[side]) & ~gap_all(gap)
    edit.uncover(canvas.softened(hands, EDGE_SIGMA))


def gap_all(gap: Gap) -> Chosen:
    """Choose all that was cleared away."""
    return gap.ground | gap.skin | gap.cloth


def lay_bare_arm(
    edit: Edit, wearer: Wearer, gap: Gap, skin: tuple[Plane, Plane], side: Side, end: float
) -> None:
    """Lay the bare part of an arm in front of the trunk: the photo's skin, and what was made."""
    arm = find_limb(wearer, "arm", side)
    along = along_arm(wearer, side)
    reach = max(end, ARM_IN_FRONT * arm.lengths[0])
    beyond = along > reach
    seen = beyond & (wearer.wear == SKIN)
    edit.uncover(canvas.softened(canvas.shrunk(seen, 1), EDGE_SIGMA))
    made = beyond & canvas.grown(gap.skin, 1)
    if made.any():
        colour, cover = skin
        edit.lay(colour, np.minimum(cover, canvas.softened(beyond, SKIN_SIGMA)))


def order_of(layer: Drawn, wearer: Wearer, behind: set[Side]) -> tuple[int, float]:
    """Rank pieces from back to front."""
    piece = layer.piece
    if piece.part is Part.LEG and piece.side is not None:
        return 1, -wearer.depth(25, piece.side)
    if piece.part is Part.TRUNK or piece.side is None:
        return 2, 0.0
    nearer = -(wearer.depth(ELBOW, piece.side) + wearer.depth(WRIST, piece.side))
    return (0 if piece.side in behind else 3), nearer


def arm_behind(wearer: Wearer, side: Side) -> bool:
    """Tell whether the body hides most of an arm."""
    arm = find_limb(wearer, "arm", side)
    places, _ = arm.at(np.linspace(0.35, 1.0, 12) * arm.length)
    height, width = wearer.shape
    columns = np.clip(np.rint(places[:, 0]).astype(int), 0, width - 1)
    rows = np.clip(np.rint(places[:, 1]).astype(int), 0, height - 1)
    hidden = labelled(wearer.body[rows, columns], (TORSO, *LEGS))
    return bool(hidden.mean() > BEHIND_SHARE)
