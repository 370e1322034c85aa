"""Skin that the new clothes uncover: the person's own tone, lit as the cloth over it was."""

from collections.abc import Sequence

import numpy as np

from services.tryon import canvas
from services.tryon.bare import BareLimb, palms, skin_of
from services.tryon.body import (
    HEAD,
    HIP,
    LEGS,
    SHOULDER,
    SIDES,
    SKIN,
    TORSO,
    Side,
    Wearer,
    labelled,
)
from services.tryon.canvas import Chosen, Plane
from services.tryon.grain import grain
from services.tryon.probe import outermost_skin

# How far the tone of visible skin reaches, in spans.
TONE_SIGMA = 0.10
# Shading that cloth shows is stronger than that of skin under it.
SHADING_SHARE = 0.6
# Log brightness that light on a limb may differ by.
LIGHT_RANGE = (-0.22, 0.12)
# A limb darkens towards its sides.
ROUNDNESS = 0.16
# Least and most of half a neck's width, and how far above the shoulder joints it shows, in spans.
NECK_WIDTHS = (0.12, 0.195)
NECK_HEIGHTS = (0.28, 0.33, 0.38, 0.43)
# Edges that fade out take so much from beyond what is wanted, in spans.
EDGE_REACH = 0.08
# Pixels of skin that give a tone.
SEEN_MIN = 80


def bare_trunk(wearer: Wearer) -> Chosen:
    """Choose where skin may show on the trunk: below the line of neck and shoulders."""
    return wearer.once("bare trunk", trunk_outline)


def trunk_outline(wearer: Wearer) -> Chosen:
    """Choose what `bare_trunk` answers."""
    middle, span, down = wearer.middle(SHOULDER), wearer.span, wearer.down
    side = {}
    for place in SIDES:
        out, neck = wearer.outward(place), neck_width(wearer, place)
        side[place] = [
            middle - 0.60 * span * down + neck * out,
            middle - 0.27 * span * down + neck * out,
            middle - 0.20 * span * down + (neck + 0.07 * span) * out,
            wearer.joint(SHOULDER, place) + span * (0.04 * out - 0.13 * down),
            wearer.joint(SHOULDER, place) + span * 0.20 * out,
            wearer.joint(HIP, place) + span * (0.40 * out + 0.6 * down),
        ]
    right, left = side[SIDES[0]], side[SIDES[1]]
    return canvas.polygon(wearer.shape, np.array([*right, *reversed(left)]))


def neck_width(wearer: Wearer, side: Side) -> float:
    """Measure half the width of the neck, in pixels; the usual one where hair or cloth hides it."""
    least, most = (share * wearer.span for share in NECK_WIDTHS)
    widths = []
    for height in NECK_HEIGHTS:
        place = wearer.middle(SHOULDER) - height * wearer.span * wearer.down
        far = outermost_skin(wearer, place, wearer.outward(side), 1.5 * most)
        if far is not None and far > least:
            widths.append(far)
    return min([*widths, most])


def skin_over(
    wearer: Wearer, shading: Plane, wanted: Chosen, limbs: Sequence[BareLimb], seed: int
) -> Plane:
    """Make skin, HxWx3 float32 0..255, that runs on from what skin there is.

    Args:
        shading: see `shading.shading_of`.
        wanted: where it is needed; elsewhere its value means nothing.
        limbs: the outlines of arms and legs.
        seed: of the grain.
    """
    answer = np.full((*wearer.shape, 3), 150.0, np.float32)
    if not wanted.any():
        return answer
    low = labelled(wearer.body, LEGS)
    rest = wanted.copy()
    for bare in limbs:
        part = wanted & bare.chosen(wearer.shape)
        if part.any():
            lay_limb(answer, wearer, shading, part, bare, wanted, seed)
            rest &= ~part
    for part in (rest & ~low, rest & low):
        if part.any():
            seen = seen_skin(wearer, low=bool((part & low).any())) & ~wanted
            reach = EDGE_REACH * wearer.span
            window = canvas.bounds(part, round(reach) + 1)
            over = part.copy()
            over[window] |= canvas.grown(part[window], reach) & ~wanted[window]
            lay_trunk(answer, wearer, shading, over, seen, seed)
    return answer


def lay_limb(
    answer: Plane,
    wearer: Wearer,
    shading: Plane,
    part: Chosen,
    bare: BareLimb,
    wanted: Chosen,
    seed: int,
) -> None:
    """Write the skin of a limb's part into the answer."""
    seen = canvas.shrunk((wearer.wear == SKIN) & ~wanted, 2)
    usual = seen_skin(wearer, low=bare.limb.kind == "leg")
    tone = np.median(wearer.pixels[usual], axis=0) if usual.any() else np.full(3, 150.0)
    chart = skin_of(wearer, bare, seen, shading, tone.astype(np.float32))
    reach = EDGE_REACH * wearer.span
    window = canvas.bounds(part, round(reach) + 1)
    over = part[window] | (canvas.grown(part[window], reach) & ~wanted[window])
    made = bare.drawn(chart, window)
    made += grain(wearer.pixels, usual, made.shape[:2], seed)[:, :, None]
    answer[window][over] = made[over]


def lay_trunk(
    answer: Plane, wearer: Wearer, shading: Plane, part: Chosen, seen: Chosen, seed: int
) -> None:
    """Write the skin of neck and chest into the answer."""
    skin = wearer.wear == SKIN
    depth = canvas.depth_inside(part | skin | (wearer.body == TORSO))
    window = canvas.bounds(part, round(3 * TONE_SIGMA * wearer.span), seen)
    # What the cloth is darker by as a whole is its colour's, not the light's.
    light = np.clip(shading - np.median(shading[part]), *LIGHT_RANGE)[window]
    made = toned(wearer, shading, seen, window) * np.exp(SHADING_SHARE * light)[:, :, None]
    rim = np.clip(depth[window] / (0.09 * wearer.span), 0.0, 1.0)
    made *= (1.0 - ROUNDNESS * (1.0 - rim) ** 2)[:, :, None]
    made += grain(wearer.pixels, seen, made.shape[:2], seed)[:, :, None]
    answer[window][part[window]] = made[part[window]]


def seen_skin(wearer: Wearer, *, low: bool) -> Chosen:
    """Choose visible skin to go by: that of legs for legs, of arms and neck for the rest."""
    return wearer.once(f"skin {low}", lambda wearer: telling_skin(wearer, low=low))


def telling_skin(wearer: Wearer, *, low: bool) -> Chosen:
    """Choose what `seen_skin` answers."""
    seen = canvas.shrunk(wearer.wear == SKIN, 2)
    legs = seen & labelled(wearer.body, LEGS)
    rest = seen & (wearer.body > HEAD) & ~legs
    # Palms are lighter than what is to be made.
    arms = rest & ~palms(wearer)
    for choice in (legs, arms, rest) if low else (arms, rest, legs):
        if np.count_nonzero(choice) >= SEEN_MIN:
            return choice
    return seen


def toned(wearer: Wearer, shading: Plane, seen: Chosen, window: tuple[slice, slice]) -> Plane:
    """Carry the tone of visible skin on, without its light, over a window.

    Args:
        shading: of what is visible.
        seen: skin to go by.
        window: rows and columns.
    """
    if not seen.any():
        size = window[0].stop - window[0].start, window[1].stop - window[1].start
        return np.full((*size, 3), 150.0, np.float32)
    usual_light = float(np.median(shading[seen]))
    flat = np.exp(-SHADING_SHARE * (shading[window] - usual_light))[:, :, None]
    usual = np.median(wearer.pixels[seen], axis=0).astype(np.float32)
    pixels, near_skin = wearer.pixels[window] * flat, seen[window].astype(np.float32)
    near = canvas.spread(pixels, near_skin, TONE_SIGMA * wearer.span)
    # Close to visible skin its own colour runs on; further off the usual tone holds.
    trust = canvas.blurred(near_skin, 2.0 * TONE_SIGMA * wearer.span)
    trust = np.clip(4.0 * trust, 0.0, 1.0)[:, :, None]
    return np.asarray(usual + (near - usual) * trust)
