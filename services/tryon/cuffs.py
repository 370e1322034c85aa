"""Where the old clothes end, told by colour where the parts network may err.

A sleeve covers an arm from the shoulder down to one place, and from there on the arm is bare. So
one place per limb is looked for: before it the colours are those of the clothes, behind it those of
face and hands. The network's own answer weighs as much as the colours are alike. Along all other
borders each pixel goes to the neighbour whose colours it has.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import (
    DRESS,
    HALVED_SPAN_MIN,
    HAND,
    HEAD,
    LOWER,
    SHOES,
    SIDES,
    SKIN,
    THIGH,
    TORSO,
    UPPER,
    Labels,
    Wearer,
    below_chin,
    below_hips,
    labelled,
)
from services.tryon.limb import Limb, along_limb, find_limb

# Slices that a limb is cut into.
SLICES = 40
# Cuffs reach over the wrist, as a share of the limb.
PAST_END = 1.14
FORESHORTENED = 0.6
# Colours further apart than this, in CIE Lab with half the lightness, are told apart well.
APART = 14.0
# What the network's answer weighs, in the same unit.
BELIEF = 4.0
USUAL_SHARE = 0.7
# How far, in spans, a border may lie wrong; how much of a neighbour must be near; what nearness
# weighs.
BORDER = 0.05
NEAR_MIN = 0.04
BORDER_BELIEF = 6.0
# Less of a dress than this share of top and bottom is none.
DRESS_SHARE_MIN = 0.3
# A hem is looked for so far above and below the hips, in spans, in so many columns.
HEM_REACH = 0.75
HEM_COLUMNS = 12
KINDS = (UPPER, LOWER, DRESS, SKIN, SHOES)
# Borders that were found on every other pixel are rounded off so much, in pixels.
STEP_SIGMA = 1.5
SAMPLES_MAX = 1500
CLUSTERS = 3
PIXELS_MIN = 60


def with_cuffs(wearer: Wearer) -> Labels:
    """Tell clothes, skin and shoes apart anew; on every other row and column of a large crop.

    Returns:
        HxW uint8, labels of `PartMap.wear`.
    """
    if wearer.span < HALVED_SPAN_MIN:
        return told_anew(wearer)
    small = wearer.halved()
    anew = told_anew(small)
    size = wearer.shape
    changed = (anew != small.wear).repeat(2, 0).repeat(2, 1)[: size[0], : size[1]]
    answer = anew.repeat(2, 0).repeat(2, 1)[: size[0], : size[1]]
    kept = labelled(wearer.wear, KINDS) & changed
    answer = np.where(kept, answer, wearer.wear)
    if kept.any():
        part = canvas.bounds(kept, round(3 * STEP_SIGMA))
        answer[part] = canvas.rounded(answer[part], KINDS, STEP_SIGMA)
    return answer


def told_anew(wearer: Wearer) -> Labels:
    """Tell clothes, skin and shoes apart on all pixels."""
    wear = without_specks(wearer)
    wearer = replace(wearer, wear=wear.copy())
    lab = canvas.lab(wearer.pixels)
    lab[:, :, 0] *= 0.5
    skin = colours_of(lab, usual_part(lab, canvas.shrunk(face_and_hands(wearer), 2)))
    for kind in ("arm", "leg"):
        label, cloth = clothes_colours(wearer, lab, kind)
        if len(skin) == 0 or len(cloth) == 0:
            continue
        for side in SIDES:
            limb = find_limb(wearer, kind, side)
            decide(wearer, limb, lab, skin, cloth, label, wear)
    decide_hem(wearer, lab, wear)
    return along_borders(wearer, lab, wear, skin)


def without_specks(wearer: Wearer) -> Labels:
    """Take what little looks like a dress on someone in two garments for the nearer of the two."""
    wear = wearer.wear.copy()
    dress = wear == DRESS
    others = np.count_nonzero(labelled(wear, (UPPER, LOWER)))
    if 0 < np.count_nonzero(dress) < DRESS_SHARE_MIN * others:
        wear[dress] = np.where(below_hips(wearer)[dress] < 0, UPPER, LOWER)
    return wear


def face_and_hands(wearer: Wearer) -> NDArray[np.bool_]:
    """Choose what is sure to be skin."""
    skin = wearer.wear == SKIN
    sure = (wearer.body == HEAD) | labelled(wearer.body, tuple(HAND.values()))
    return np.asarray(skin & sure)


def usual_part(lab: canvas.Plane, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out what differs most from a choice's middle: eyes, brows and hair of a face."""
    if not chosen.any():
        return chosen
    colours = lab[chosen]
    apart = distance(colours, np.median(colours, axis=0, keepdims=True))
    usual = np.zeros(chosen.shape, np.bool_)
    usual[chosen] = apart <= np.quantile(apart, USUAL_SHARE)
    return usual


def clothes_colours(
    wearer: Wearer, lab: canvas.Plane, kind: str
) -> tuple[int, NDArray[np.float32]]:
    """Return the label and the colours of the clothes that an arm or leg may be covered with."""
    if kind == "arm":
        worn = canvas.shrunk((wearer.body == TORSO) & labelled(wearer.wear, (UPPER, DRESS)), 3)
        dress = np.count_nonzero(worn & (wearer.wear == DRESS))
        return (DRESS if 2 * dress > np.count_nonzero(worn) else UPPER), colours_of(lab, worn)
    low = wearer.middle(23)[1]
    worn = canvas.shrunk(labelled(wearer.wear, (LOWER, DRESS)), 3)
    worn[: max(0, int(low - 0.2 * wearer.span))] = False
    worn[int(low + 0.7 * wearer.span) :] = False
    dress = np.count_nonzero(worn & (wearer.wear == DRESS))
    return (DRESS if 2 * dress > np.count_nonzero(worn) else LOWER), colours_of(lab, worn)


def colours_of(lab: canvas.Plane, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the few colours that a choice consists of, Kx3; none for too small a choice."""
    colours = lab[chosen]
    if len(colours) < PIXELS_MIN:
        return np.zeros((0, 3), np.float32)
    step = max(1, len(colours) // SAMPLES_MAX)
    return canvas.clusters(np.ascontiguousarray(colours[::step]), CLUSTERS)


def decide(
    wearer: Wearer,
    limb: Limb,
    lab: canvas.Plane,
    skin: NDArray[np.float32],
    cloth: NDArray[np.float32],
    label: int,
    wear: Labels,
) -> None:
    """Find the end of the cloth on one limb and label what lies before and behind it, in place."""
    along = along_limb(wearer, limb)
    on = (along >= 0) & labelled(wearer.wear, (UPPER, LOWER, DRESS, SKIN))
    on &= wearer.wear != SHOES
    hand = labelled(wearer.body, tuple(HAND.values()))
    seen = float(np.linalg.norm(limb.joints[2] - limb.joints[1])) / limb.lengths[1]
    if seen < FORESHORTENED:
        # Of a forearm that points at the camera the places along it say nothing.
        on &= ~hand
    if np.count_nonzero(on) < PIXELS_MIN:
        return
    colours = lab[on]
    towards_cloth = leaning(colours, cloth, skin)
    towards_cloth += np.where(wearer.wear[on] == SKIN, -BELIEF, BELIEF)
    length = PAST_END * limb.length
    places = np.clip((along[on] / length * SLICES).astype(int), 0, SLICES - 1)
    gains = np.bincount(places, towards_cloth, SLICES)
    # Best total for cloth on the first n slices and skin on the rest.
    before = np.concatenate([[0.0], np.cumsum(gains)])
    cut = int(np.argmax(2 * before - before[-1]))
    end = length * cut / SLICES
    covered = along < end
    # A hand is covered by its cuff alone.
    covered[on] &= ~hand[on] | (towards_cloth > 0)
    wear[on & covered] = label
    wear[on & ~covered] = SKIN


def leaning(
    colours: NDArray[np.float32], these: NDArray[np.float32], those: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return how much nearer each colour is to these than to those; little if they are alike."""
    apart = float(np.median(distance(these, those)))
    trust = np.clip(apart / (2 * APART), 0.0, 1.0)
    nearer = distance(colours, those) - distance(colours, these)
    return np.asarray(np.clip(nearer, -2 * APART, 2 * APART) * trust, np.float32)


def decide_hem(wearer: Wearer, lab: canvas.Plane, wear: Labels) -> None:
    """Find where a top ends over what is worn below it, column by column, in place."""
    upper, lower = wear == UPPER, wear == LOWER
    low = below_hips(wearer) / np.float32(wearer.span)
    trunk = labelled(wearer.body, (TORSO, *THIGH.values()))
    above = colours_of(lab, canvas.shrunk(upper & (wearer.body == TORSO) & (low < -HEM_REACH), 2))
    below = colours_of(lab, canvas.shrunk(lower & (low > 0.35), 2))
    if len(above) == 0 or len(below) == 0:
        return
    on = trunk & (upper | lower) & (np.abs(low) < HEM_REACH)
    if np.count_nonzero(on) < PIXELS_MIN:
        return
    gains = leaning(lab[on], above, below) + np.where(upper[on], BELIEF, -BELIEF)
    rows = ((low[on] + HEM_REACH) / (2 * HEM_REACH) * SLICES).astype(int).clip(0, SLICES - 1)
    columns = np.nonzero(on)[1]
    left, width = int(columns.min()), max(1, int(np.ptp(columns)) + 1)
    places = ((columns - left) * HEM_COLUMNS // width).astype(int)
    table = np.zeros((HEM_COLUMNS, SLICES))
    np.add.at(table, (places, rows), gains)
    table = np.stack([np.convolve(line, (1, 2, 1), "same") for line in table.T], axis=1)
    before = np.concatenate([np.zeros((HEM_COLUMNS, 1)), np.cumsum(table, axis=1)], axis=1)
    cuts = np.argmax(2 * before - before[:, -1:], axis=1)
    over = rows < np.interp(
        (columns - left + 0.5) * HEM_COLUMNS / width - 0.5, range(HEM_COLUMNS), cuts
    )
    wear[on] = np.where(over, UPPER, LOWER).astype(np.uint8)


def along_borders(
    wearer: Wearer, lab: canvas.Plane, wear: Labels, skin: NDArray[np.float32]
) -> Labels:
    """Give pixels along the borders between clothes, skin and shoes to the side they look like."""
    reach = BORDER * wearer.span
    open_to = labelled(wear, KINDS) & ((wearer.body != HEAD) | below_chin(wearer))
    border = np.zeros(wear.shape, np.bool_)
    near = {}
    for kind in KINDS:
        own = wear == kind
        if np.count_nonzero(own) < PIXELS_MIN:
            continue
        core = canvas.shrunk(own, reach / 2)
        if np.count_nonzero(core) < PIXELS_MIN:
            core = own
        models = skin if kind == SKIN and len(skin) else colours_of(lab, core)
        near[kind] = (models, canvas.blurred(own.astype(np.float32), reach))
        border |= open_to & ~own & (near[kind][1] > NEAR_MIN)
    if len(near) < 2 or not border.any():
        return wear
    border = canvas.grown(border, reach / 2) & open_to
    window = canvas.bounds(border)
    colours, part = lab[window], border[window]
    scores = []
    for models, share in near.values():
        score = np.full(part.shape, -9.0 * APART, np.float32)
        belief = BORDER_BELIEF * np.log(np.maximum(share[window][part], 1e-3))
        score[part] = belief - np.minimum(distance(colours[part], models), 3 * APART)
        scores.append(canvas.blurred(score, 1.0))
    best = np.array(list(near), np.uint8)[np.argmax(scores, axis=0)]
    wear[window][part] = best[part]
    return wear


def distance(colours: NDArray[np.float32], models: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far each colour is from the nearest of a few, N float32."""
    # |a - b|^2 = |a|^2 - 2ab + |b|^2: one product of matrices.
    apart = (models @ colours.T) * -2 + (models**2).sum(axis=1, keepdims=True)
    nearest = apart.min(axis=0) + np.einsum("ij,ij->i", colours, colours)
    return np.asarray(np.sqrt(np.maximum(nearest, 0.0)), np.float32)
