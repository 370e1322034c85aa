"""What hands cover and hold: skin that lies on clothes is theirs, and so is a thing beside them.

A hand on a lap is easily taken for the lap's, and would stay there when its arm dances away; a ball
under an arm would hang in the air, cut through.
"""

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.outline import Mask, Silhouette, unit_of
from services.dance.pixels import blur, grow, resized, touching, window_of
from services.dance.skeleton import ARMS, Limb, Points, Skeleton
from services.vision.parts import BodyPart, Wear

Pixels: TypeAlias = NDArray[np.uint8]

HANDS = {Limb.LEFT_ARM: BodyPart.HAND_LEFT, Limb.RIGHT_ARM: BodyPart.HAND_RIGHT}
# A hand reaches so far around the line from its wrist to its finger tips, over the torso's length.
HAND_SHARE = 0.13
# Of a part that is clothed at most so much is seen as skin.
SKIN_SHARE_MAX = 0.3
COARSE = 4
# A thing is looked for so far around a hand, where the torso is so many pixels long.
HELD_REACH = 0.9
TORSO_PIXELS = 48
# The ground around begins so far from the person.
GROUND_FROM = 0.3
# It lies no farther from the person, and covers no more, over the torso's length and its square.
HELD_NEAR = 0.06
HELD_AREA_MAX = 0.25
HELD_AREA_MIN = 0.004
# Its colour differs from all that is around by so much; colours are told apart in so many steps.
COLOUR_AWAY_MIN = 40.0
COLOUR_STEP = 16
# A colour that fewer pixels around have is none of the ground's.
COLOUR_COUNT_MIN = 3
FREE = 26


def with_hands(seen: Silhouette, skeleton: Skeleton) -> Silhouette:
    """Take skin that lies on clothes beside a hand's bones for the hand's."""
    clothed, body = clothed_parts(seen), seen.body.copy()
    for limb in ARMS:
        if limb in skeleton.missing:
            continue
        ends, radius = skeleton.limbs[limb, 2:], HAND_SHARE * skeleton.torso
        window = window_of(ends, radius)
        near, (start, end) = body[window], ends - [window[1].start, window[0].start]
        lying = np.isin(near, clothed) & (seen.wear[window] == Wear.SKIN)
        near[lying & near_line(near.shape, start, end, radius)] = HANDS[limb]
    return replace(seen, body=body)


def clothed_parts(seen: Silhouette) -> list[int]:
    """List trunk and legs of which little is seen as skin."""
    coarse = slice(None, None, COARSE), slice(None, None, COARSE)
    body, skin = seen.body[coarse], seen.wear[coarse] == Wear.SKIN
    every, bare = (np.bincount(part.ravel(), minlength=256) for part in (body, body[skin]))
    parts = (BodyPart.TORSO, *range(BodyPart.THIGH_LEFT, BodyPart.FOOT_LEFT))
    return [part for part in parts if bare[part] < SKIN_SHARE_MAX * every[part]]


def near_line(
    shape: tuple[int, ...], start: Points, end: Points, radius: float
) -> NDArray[np.bool_]:
    """Tell which pixels are near a line."""
    unit, long = unit_of(start, end)
    rows, columns = np.indices(shape, np.float32)
    right, down = columns - np.float32(start[0]), rows - np.float32(start[1])
    ahead = np.clip(right * unit[0] + down * unit[1], 0.0, long)
    return np.asarray(np.hypot(right - ahead * unit[0], down - ahead * unit[1]) < radius)


def held_things(photo: Pixels, mask: Mask, skeleton: Skeleton) -> Mask:
    """Find what hands hold: small, beside the person, and of a colour that nothing around has.

    Args:
        photo: HxWx3 uint8 RGB.
        mask: HxW, 255 where the person is.
        skeleton: the person's.

    Returns:
        HxW uint8, 255 where such a thing is, 0 elsewhere.
    """
    found = np.zeros(mask.shape, np.uint8)
    scale = min(1.0, TORSO_PIXELS / max(skeleton.torso, 1.0))
    reach = HELD_REACH * skeleton.torso
    for limb in ARMS:
        if limb in skeleton.missing:
            continue
        window = window_of(skeleton.limbs[limb, 2:].mean(axis=0, keepdims=True), reach)
        near = mask[window]
        if min(near.shape) < 3:
            continue
        size = (max(2, round(near.shape[0] * scale)), max(2, round(near.shape[1] * scale)))
        small = np.asarray(resized(photo[window], size), np.uint8)
        thing = held_thing(small, np.asarray(resized(near, size), np.uint8), scale * skeleton.torso)
        grown = resized(thing, (near.shape[0], near.shape[1])) >= 64
        found[window] = np.maximum(found[window], np.where(grown, 255, 0))
    return found


def held_thing(photo: Pixels, mask: Mask, torso: float) -> Mask:
    """Find the thing in a window around a hand."""
    free = grow(mask, 0.02 * torso) < FREE
    ground = grow(mask, GROUND_FROM * torso) < FREE
    odd = free & (colour_away(photo, ground) > COLOUR_AWAY_MIN)
    beside = grow(mask, HELD_NEAR * torso)
    closed = grow(grow(np.where(odd, 255, 0).astype(np.uint8), 1.0), -1.0)
    thing = touching(closed, np.where((beside >= 128) & odd, 255, 0).astype(np.uint8))
    border = np.ones(mask.shape, bool)
    border[1:-1, 1:-1] = False
    area = np.count_nonzero(thing) / torso**2
    # What goes on beyond the window is no thing in a hand.
    if (thing[border] > 0).any() or not HELD_AREA_MIN < area < HELD_AREA_MAX:
        return np.zeros(mask.shape, np.uint8)
    return grow(thing, 0.03 * torso)


def colour_away(photo: Pixels, ground: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how far each colour of hxwx3 is from the nearest of those that the ground has."""
    steps = np.asarray(blur(photo, 1.0), np.uint8) // COLOUR_STEP
    levels = 256 // COLOUR_STEP
    code = (steps.astype(np.int32) * [levels * levels, levels, 1]).sum(axis=2)
    every = np.stack(np.unravel_index(np.arange(levels**3), (levels,) * 3), axis=1)
    usual = np.bincount(code[ground], minlength=levels**3) >= COLOUR_COUNT_MIN
    present = np.bincount(code.ravel(), minlength=levels**3) > 0
    apart = np.zeros(levels**3, np.float32)
    if usual.any():
        ways = every[present][:, None] - every[usual]
        apart[present] = np.sqrt((ways**2).sum(axis=2).min(axis=1))
    return np.asarray(COLOUR_STEP * apart[code], np.float32)
