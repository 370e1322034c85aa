"""What the old clothes leave open where the new garment does not reach, and what is seen there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.bare import BareLimb, bare_outline
from services.tryon.beneath import beneath
from services.tryon.body import (
    ARMS,
    DRESS,
    FOOT,
    HAIR,
    HAND,
    HEAD,
    HIP,
    LEGS,
    LOWER,
    SHOES,
    SHOULDER,
    SIDES,
    SKIN,
    TORSO,
    UPPER,
    Side,
    Wearer,
    below_chin,
    below_hips,
    labelled,
)
from services.tryon.canvas import Chosen, Plane
from services.tryon.drawing import Drawn, sleeve_ends
from services.tryon.edit import Edit
from services.tryon.fit import BOTTOMS, TOPS
from services.tryon.garment import GarmentCategory
from services.tryon.ground import CLEAR_MARGIN, Filler, ground
from services.tryon.hems import above_lower, hem_of_top, under_hem
from services.tryon.limb import along_arm, along_limb, find_limb
from services.tryon.pieces import Part
from services.tryon.skin import bare_trunk

# On shoes that a hem may lie on it reaches further, and on skin in a hem's shadow; in spans.
HEM_MARGIN = 0.028
SHADOW_MARGIN = 0.05
# So far, in spans, skin that is made goes over into skin that is seen.
FADE = 0.07
EDGE_SIGMA = 0.8
# The same of skin, which is laid up to drawn outlines, and twice where an arm lies in front.
SKIN_SIGMA = 1.2
# Steps of labels' borders are rounded off so much, in pixels, where skin is laid up to them.
OUTLINE_SIGMA = 2.5
COVERED = 0.5
# A sleeve goes all round an arm from this share of the upper arm on.
WRAP_FROM = 0.12
# Pixels of an arm or leg that go on under the end of a sleeve or trouser leg.
SLEEVE_OVERLAP = 3.0
# Rows of a dress that go on under the waistband of what is put on below it.
WAIST_OVERLAP = 5
# The same under the hem of a top.
HEM_OVERLAP = 8
# Half the width of the widest neckline between sleeves, in spans.
NECKLINE = 0.40
# Beside the trunk a top may go on so far under what is worn below it, in spans.
LAP = 0.15
# Waist above the hip joints, in spans.
WAIST_UP = 0.34
# Darkness of the shadow that cloth throws on what is under its edge, and its width in spans.
SHADOW = 0.30
SHADOW_SIGMA = 0.022


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What the old clothes leave open, by what is to be seen there; all HxW.

    Attributes:
        ground: what lies behind the person.
        skin: the person's own skin.
        cloth: the other garment, which goes on under the old one.
        limbs: the outlines of arms and legs, bare.
    """

    ground: Chosen
    skin: Chosen
    cloth: Chosen
    limbs: Sequence[BareLimb]


def find_gap(wearer: Wearer, category: GarmentCategory, union: Plane, drawn: list[Drawn]) -> Gap:
    """Find where the old clothes show beside the new garment, and what is to be seen there."""
    old = replaced(wearer, category, union, sleeve_ends(drawn))
    wrapped = beside_limbs(wearer, drawn)
    old |= wrapped & (wearer.wear == SKIN)
    beside = canvas.depth_inside(~old)
    hems = (beside <= HEM_MARGIN * wearer.span) & (wearer.wear == SHOES)
    # An arm in front of a trunk is in the shadow of its own sleeve alone.
    arms = labelled(wearer.body, ARMS)
    beside_sleeve = canvas.depth_inside(~(old & arms))
    shaded = np.where(arms, beside_sleeve, beside) <= SHADOW_MARGIN * wearer.span
    hems |= shaded & (wearer.wear == SKIN)
    if category not in BOTTOMS:
        old |= under_hem(wearer, old)
    wide = canvas.grown(old, CLEAR_MARGIN)
    wide |= hems
    low = below_hips(wearer)
    wide &= ~protected(wearer)
    kept = LOWER if category not in BOTTOMS else UPPER
    other = wearer.wear == kept
    wide &= (union < 0.99) & ~(canvas.shrunk(other, 1) & ~old)
    limbs = [
        bare_outline(wearer, find_limb(wearer, kind, side))
        for kind in ("arm", "leg")
        for side in SIDES
    ]
    ends = sleeve_ends(drawn)
    trunk = wearer.body == TORSO
    under = np.zeros(wearer.shape, np.bool_)
    has_other = np.count_nonzero(other) > 200
    # Trousers or a skirt hide the legs beside which a top stood out.
    kinds = ("arm",) if has_other and category in TOPS else ("arm", "leg")
    bare = bare_limbs(wearer, [each for each in limbs if each.limb.kind in kinds], ends)
    if category in BOTTOMS:
        # A raised knee lies as high as the hem of the top, and shows none of it.
        near = canvas.depth_inside(~(trunk & other)) <= LAP * wearer.span
        under = wide & (trunk | (low < 0)) & near & has_other & (wearer.body > 0)
        under &= low < hem_of_top(wearer) + CLEAR_MARGIN
    elif has_other and category is not GarmentCategory.DRESS:
        lap = trunk | labelled(wearer.body, LEGS)
        # Between a hand and the trunk that it lies on, labels of the arm reach too far.
        lap |= arms & old & (canvas.depth_inside(~lap) <= LAP * wearer.span)
        under = wide & lap & (low > -WAIST_UP * wearer.span)
        under &= above_lower(wearer, old)
    chest = trunk & bare_trunk(wearer)
    if any(ends.values()):
        chest &= canvas.polygon(wearer.shape, between_shoulders(wearer))
    skin = wide & ~under & ~wrapped & (bare | chest)
    if category in BOTTOMS and (union > COVERED).any():
        # Beside a skirt no leg stands out, only below it.
        skin &= low > np.quantile(low[union > COVERED], 0.9)
    return Gap(ground=wide & ~under & ~skin, skin=skin, cloth=under, limbs=limbs)


def bare_limbs(wearer: Wearer, limbs: Sequence[BareLimb], ends: dict[Side, float]) -> Chosen:
    """Choose what limbs cover beyond the ends of sleeves, where nothing else lies over them."""
    bare = np.zeros(wearer.shape, np.bool_)
    for each in limbs:
        # Beside the shoulder of a sleeve nothing of the arm stands out.
        start = ends[each.limb.side] - SLEEVE_OVERLAP if each.limb.kind == "arm" else 0.0
        chosen = each.chosen(wearer.shape, start)
        window = canvas.bounds(chosen, round(4 * OUTLINE_SIGMA))
        labels = (*each.limb.labels, 0, *HAND.values(), *FOOT.values())
        near = canvas.grown(labelled(wearer.body[window], labels), CLEAR_MARGIN)
        bare[window] |= chosen[window] & (canvas.softened(near, OUTLINE_SIGMA) > COVERED)
    return bare


def between_shoulders(wearer: Wearer) -> NDArray[np.float64]:
    """Return the corners of what lies inside the shoulders of a garment with sleeves, 4x2."""
    middle, out = wearer.middle(SHOULDER), NECKLINE * wearer.span * wearer.across
    far = 3.0 * wearer.span * wearer.down
    return np.array(
        [middle - out - far, middle + out - far, middle + out + far, middle - out + far]
    )


def beside_limbs(wearer: Wearer, drawn: list[Drawn]) -> Chosen:
    """Choose limbs as far as a sleeve or trouser leg goes round them: nothing of them shows."""
    beside = np.zeros(wearer.shape, np.bool_)
    for layer in drawn:
        side, part = layer.piece.side, layer.piece.part
        if side is None:
            continue
        limb = find_limb(wearer, "arm" if part is Part.SLEEVE else "leg", side)
        along = along_limb(wearer, limb)
        beside |= (along > WRAP_FROM * limb.lengths[0]) & (
            along < layer.piece.ends_at - SLEEVE_OVERLAP
        )
    return beside & ~labelled(wearer.body, tuple(HAND.values()))


def replaced(
    wearer: Wearer, category: GarmentCategory, union: Plane, ends: dict[Side, float]
) -> Chosen:
    """Choose the clothes that a garment takes the place of."""
    wear, low = wearer.wear, below_hips(wearer)
    if category is GarmentCategory.DRESS:
        return labelled(wear, (UPPER, LOWER, DRESS))
    rows = np.nonzero((union > COVERED).any(axis=1))[0]
    middle = int(np.clip(wearer.middle(HIP)[0], 0, wearer.shape[1] - 1))
    if category in BOTTOMS:
        waist = float(low[rows[0], middle]) if rows.size else 0.0
        return np.asarray((wear == LOWER) | ((wear == DRESS) & below_waist(union, low > waist)))
    if category is GarmentCategory.OUTERWEAR:
        # It is worn over the top, whose sleeves alone must not stand out beside its own.
        beside = np.zeros(wearer.shape, np.bool_)
        for side in SIDES:
            along = along_arm(wearer, side)
            beside |= (along >= 0) & (along < ends[side])
        return labelled(wear, (UPPER, DRESS)) & beside
    hem = float(low[rows[-1], middle]) if rows.size else 0.0
    return np.asarray((wear == UPPER) | ((wear == DRESS) & above_hem(union, low < min(hem, 0.0))))


def below_waist(union: Plane, usual: Chosen) -> Chosen:
    """Choose what lies below the upper edge of a garment; where it does not reach, the usual."""
    covered = union > COVERED
    below = np.maximum.accumulate(covered, axis=0)
    # What ends under a waistband shows up to it.
    below[WAIST_OVERLAP:] = below[:-WAIST_OVERLAP].copy()
    return np.where(covered.any(axis=0, keepdims=True), below, usual)


def above_hem(union: Plane, usual: Chosen) -> Chosen:
    """Choose what of the usual does not go on under the lower edge of a garment."""
    covered = union > COVERED
    # What begins under a hem shows up to it, all along.
    columns = np.flatnonzero(covered.any(axis=0))
    if not columns.size:
        return usual
    ends = covered.shape[0] - 1 - np.argmax(covered[::-1], axis=0)
    level = np.interp(np.arange(covered.shape[1]), columns, ends[columns]) - HEM_OVERLAP
    return np.asarray(usual & (np.arange(covered.shape[0])[:, None] < level))


def lay_gap(
    edit: Edit,
    wearer: Wearer,
    gap: Gap,
    skin: tuple[Plane, Plane],
    fill: Filler,
    *,
    under: int,
    seed: int,
) -> None:
    """Lay ground, cloth and skin where the old clothes were.

    Args:
        skin: what was made, and how far it covers what is seen, see `skin_cover`.
        under: label of the garment that goes on under the old one.
        seed: of the ground's grain.
    """
    if gap.ground.any():
        hole = canvas.grown(wearer.body > 0, 2.0 * CLEAR_MARGIN) | gap.ground
        # It goes on under the edge of skin, or the old clothes would shine through there.
        below = canvas.grown(gap.ground, 2.0 * CLEAR_MARGIN) & (gap.ground | gap.skin)
        behind, traces = ground(wearer, gap.ground, hole, fill, seed)
        edit.lay(behind, canvas.softened(below | traces, EDGE_SIGMA))
    if gap.cloth.any():
        # What is cleared away lay on it, or beside it.
        open_to = canvas.shrunk(~(gap.ground | gap.skin | gap.cloth), HEM_MARGIN * wearer.span)
        source = canvas.shrunk(wearer.wear == under, 3) & open_to
        if source.any():
            cover = canvas.softened(gap.cloth, EDGE_SIGMA)
            shown = np.asarray(cover > 0)
            edit.lay(beneath(wearer, source, shown, from_below=under == LOWER), cover)
    if gap.skin.any():
        edit.lay(*skin)


def skin_cover(wearer: Wearer, gap: Gap) -> Plane:
    """Return how far skin that is made covers what is seen, HxW 0..1: it fades out on skin."""
    cover = canvas.softened(gap.skin, SKIN_SIGMA)
    if not gap.skin.any():
        return cover
    fade = FADE * wearer.span
    window = canvas.bounds(gap.skin, math.ceil(fade))
    away = canvas.depth_inside(~gap.skin[window])
    inside = bare_trunk(wearer)[window]
    for each in gap.limbs:
        inside = inside | each.chosen(wearer.shape)[window]
    seen = (wearer.wear[window] == SKIN) & inside & ~protected(wearer)[window]
    share = np.clip(1.0 - away / fade, 0.0, 1.0) * canvas.softened(seen, SKIN_SIGMA)
    np.maximum(cover[window], share, out=cover[window])
    return cover


def shadow(wearer: Wearer, gap: Gap, union: Plane, span: float) -> Plane:
    """Return the light under a garment's edge, HxW, 1 where it throws no shadow."""
    sigma = SHADOW_SIGMA * span
    near = np.roll(canvas.blurred(union, sigma), round(0.8 * sigma), axis=0)
    falls = ((wearer.body > 0) & ~gap.ground) | gap.skin
    soft = canvas.softened(falls & ~protected(wearer), EDGE_SIGMA)
    dark = np.clip(2.0 * near, 0.0, 1.0) * soft * (1.0 - union)
    dark[dark < 0.02] = 0.0
    return np.asarray(1.0 - SHADOW * dark, np.float32)


def protected(wearer: Wearer) -> Chosen:
    """Choose face and hair, which no edit may touch. Not to be written to."""
    return wearer.once("protected", face_and_hair)


def face_and_hair(wearer: Wearer) -> Chosen:
    """Choose what `protected` answers."""
    face = (wearer.body == HEAD) & ((wearer.wear == SKIN) | ~below_chin(wearer))
    return np.asarray(face | (wearer.wear == HAIR))
