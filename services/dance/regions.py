"""Which pixels belong to which limb: what is seen as such, as far as its bones reach."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.outline import LIMB_PARTS, Mask, Silhouette, unit_of
from services.dance.pixels import blur, grow, resized, touching
from services.dance.skeleton import ARMS, LEGS, Limb, Points, Skeleton
from services.vision.parts import BodyPart, Wear

Share: TypeAlias = NDArray[np.float32]

# Nothing farther from a limb's bones than this, over what was measured, belongs to it.
REACH_MORE = 1.6
# A forearm of which so much is seen as its arm is the arm's all along, so far around its bone, over
# half the arm's width.
FOREARM = 1
BRIDGE_SEEN_MIN = 0.35
BRIDGE_SHARE = 0.75
STATIONS = 24
# Room around a limb's bones that holds all of it, over the torso's length; beyond it is far away.
WINDOW_MARGIN = 0.5
FAR = 99.0
# Widest that limbs are half across, over the torso's length: at root, middle joint and end.
ARM_RADII = (0.19, 0.14, 0.115)
LEG_RADII = (0.25, 0.16, 0.11)
RADIUS_SHARE_MIN = 0.045
# Between where a limb's free edge is found and where its region ends, so that the soft edge stays.
SLACK_SHARE = 0.035
# Width of a cut's soft edge, over the torso's length.
SOFT_SHARE = 0.012
# A border between two parts of a body is smoothed by this many widths of the soft edge.
SMOOTH = 1.5
# The parts under a limb reach in under its edge by this many widths of the soft edge.
RIM = 1.5
# Cloth this much beyond a sleeve's end, over a bone's length, is no sleeve: the arm hung beside it.
CUFF_SHARE = 0.1
# An arm with less of a sleeve, in bones, is bare at its armpit.
SLEEVE_MIN = 0.25
# An arm of which so much is bare beyond its sleeve has an end of a sleeve to speak of.
BARE_MIN = 0.7
CLOTHED = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What belongs to a limb, and where on it: HxW float32 each.

    Attributes:
        share: 0..1.
        inside: 0..1, the same without its rim and without the shoulder.
        own: 0..1, the same without the shoulder alone.
        along: from the root on, 1 for each bone.
        away: from the nearest bone, over the limb's half width there.
        sleeve: how far it is clothed, as `along`; beyond the hand for one that is not bare.
    """

    share: Share
    inside: Share
    own: Share
    along: Share
    away: Share
    sleeve: float = CLOTHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How wide a limb is along its two long bones.

    Attributes:
        reach: 2x2xSTATIONS: for each bone, to its left and right, how far the limb's region goes.
        width: 2xSTATIONS: half the limb's width.
    """

    reach: NDArray[np.float64]
    width: NDArray[np.float64]


def measure(mask: Mask, skeleton: Skeleton, limb: Limb) -> Profile:
    """Measure a limb by the silhouette's edges beside its bones.

    Where one edge is hidden by the trunk, the limb is taken to be as wide there as on its other
    side; nowhere wider than limbs are. Bones seldom lie quite in the middle.
    """
    torso = skeleton.torso
    caps = np.array(ARM_RADII if limb in ARMS else LEG_RADII) * torso
    reach, width = np.empty((2, 2, STATIONS)), np.empty((2, STATIONS))
    for bone in range(2):
        start, end = skeleton.limbs[limb, bone : bone + 2]
        cap = np.linspace(caps[bone], caps[bone + 1], STATIONS)
        sides = np.stack([edge(mask, start, end, side, 1.5 * caps[0]) for side in (-1, 1)])
        free = sides <= 1.35 * cap
        sides = np.where(free, sides, np.inf)
        half = np.where(free.all(axis=0), sides.mean(axis=0), sides.min(axis=0))
        narrow = np.clip(half, RADIUS_SHARE_MIN * torso, cap)
        width[bone] = steady(narrow)
        own = np.where(free, sides + SLACK_SHARE * torso, width[bone])
        reach[bone] = np.maximum(own, width[bone])
    return Profile(reach=reach, width=width)


def edge(mask: Mask, start: Points, end: Points, side: int, most: float) -> NDArray[np.float64]:
    """Return how far the silhouette goes to one side of a bone, at each station."""
    bone = end - start
    normal = np.array([-bone[1], bone[0]]) / max(float(np.hypot(*bone)), 1e-6) * side
    away = np.arange(0.0, most, 1.0)
    stations = start + np.linspace(0.0, 1.0, STATIONS)[:, None] * bone
    places = np.rint(stations[:, None] + away[:, None] * normal).astype(int)
    rows, columns = places[..., 1], places[..., 0]
    inside = (rows >= 0) & (columns >= 0) & (rows < mask.shape[0]) & (columns < mask.shape[1])
    value = mask[np.clip(rows, 0, mask.shape[0] - 1), np.clip(columns, 0, mask.shape[1] - 1)]
    out = (value < 128) | ~inside
    return np.where(out.any(axis=1), np.argmax(out, axis=1), np.inf).astype(np.float64)


def steady(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smooth over the stations: the median of five, then their mean."""
    padded = np.pad(values, 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5)
    medians = np.pad(np.median(windows, axis=1), 2, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(medians, 5).mean(axis=1))


def joint_radii(profile: Profile) -> NDArray[np.float64]:
    """Return half the limb's width at root, middle joint and end."""
    quarter = STATIONS // 6
    root = profile.width[0, quarter // 2 : 2 * quarter].mean()
    middle = np.concatenate([profile.width[0, -quarter:], profile.width[1, :quarter]]).mean()
    return np.array([root, middle, profile.width[1, -quarter:].mean()])


def region_of(seen: Silhouette, skeleton: Skeleton, limb: Limb, profile: Profile) -> Region:
    """Tell which pixels belong to a limb: what is seen as such, as far as its bones reach."""
    window = window_around(skeleton, limb, seen.mask.shape)
    origin = np.array([window[1].start, window[0].start], np.float64)
    points, body = skeleton.limbs[limb] - origin, np.ascontiguousarray(seen.body[window])
    near = region_near(body, points, skeleton.torso, limb, profile)

    def whole(values: Share, beyond: float = 0.0) -> Share:
        laid = np.full(seen.mask.shape, beyond, np.float32)
        laid[window] = values
        return laid

    return Region(
        share=whole(near.share),
        inside=whole(near.inside),
        own=whole(near.own),
        along=whole(near.along),
        away=whole(near.away, FAR),
    )


def window_around(skeleton: Skeleton, limb: Limb, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns that hold all that may belong to a limb; for a leg, to either."""
    points = skeleton.limbs[limb] if limb in ARMS else skeleton.limbs[list(LEGS)].reshape(-1, 2)
    margin = WINDOW_MARGIN * skeleton.torso
    # Even numbers, since every other pixel is worked on.
    low = 2 * np.floor((points.min(axis=0) - margin) / 2).astype(int)
    high = np.ceil(points.max(axis=0) + margin).astype(int)
    (left, top), (right, bottom) = np.maximum(low, 0), np.maximum(high, 2)
    return slice(min(top, shape[0] - 2), bottom), slice(min(left, shape[1] - 2), right)


def region_near(body: Mask, points: Points, torso: float, limb: Limb, profile: Profile) -> Region:
    """Do the work of `region_of` in a window, on every other pixel: all of it is smooth.

    Args:
        body: HxW `BodyPart` of the window.
        points: 4x2, the limb's, in pixels of the window.
        torso: its length.
        limb: which.
        profile: how wide it is.
    """
    shape, points = body.shape, points.astype(np.float32)
    soft = max(1.0, SOFT_SHARE * torso)
    half = (-(-shape[0] // 2), -(-shape[1] // 2))
    rows, columns = 2 * np.indices(half, np.float32) + 0.5
    near, bridge = np.zeros(half, np.float32), np.zeros(half, np.float32)
    along, nearest = np.zeros(half, np.float32), np.full(half, np.inf, np.float32)
    for bone in range(3):
        start, end = points[bone], points[bone + 1]
        unit, long = unit_of(start, end)
        ahead = (columns - start[0]) * unit[0] + (rows - start[1]) * unit[1]
        aside = (rows - start[1]) * unit[0] - (columns - start[0]) * unit[1]
        step = np.clip(ahead / long, 0.0, 1.0)
        away = np.hypot(ahead - step * long, aside)
        reach, width = reach_at(profile, bone, step, aside, torso)
        near = np.maximum(near, ramp(0.5 + (REACH_MORE * reach - away) / soft))
        if (
            limb in ARMS
            and bone == FOREARM
            and seen_share(body, limb, start, end) > BRIDGE_SEEN_MIN
        ):
            bridge = np.maximum(bridge, ramp((BRIDGE_SHARE * width - away) / soft))
        closer = away / width < nearest
        nearest = np.where(closer, away / width, nearest)
        along = np.where(closer, bone + np.where(step > 0, step, ahead / long), along)
    share, inside = label_shares(body, limb, soft)
    near = full(near, shape)
    # An arm is one: a hand that is seen beyond a gap is joined to it.
    bridge = full(bridge, shape)
    own, inside = np.maximum(share * near, bridge), np.maximum(inside * near, bridge)
    share = own
    if limb in ARMS:
        fade, disc = shoulder(columns, rows, points, float(joint_radii(profile)[0]))
        share = np.maximum(share, full(disc, shape)) * full(fade, shape)
    return Region(
        share=share,
        inside=inside,
        own=own,
        along=full(along, shape),
        away=full(nearest, shape),
    )


def without_trunk_cloth(region: Region, seen: Silhouette, skeleton: Skeleton, limb: Limb) -> Region:
    """Leave cloth beside a bare arm to the trunk that wears it."""
    end = sleeve_end(seen, skeleton, limb)
    if end is None:
        return region
    soft = max(1.0, SOFT_SHARE * skeleton.torso)
    cloth = np.isin(seen.wear, (Wear.UPPER, Wear.LOWER, Wear.DRESS))
    # A bare arm has no cloth at all, not even at its shoulder.
    beyond = cloth & ((region.along > end + CUFF_SHARE) | (end < SLEEVE_MIN))
    # A patch of skin that is taken for cloth hangs on no trunk.
    trunk = cloth & (seen.body == BodyPart.TORSO)
    hung = touching(*((each * 255).astype(np.uint8) for each in (beyond | trunk, trunk)))
    cloth = beyond & (hung > 0)
    keep = 1 - ramp((blur(cloth.astype(np.float32), soft / 2) - 0.25) / 0.5)
    return replace(
        region,
        share=region.share * keep,
        inside=region.inside * keep,
        own=region.own * keep,
        sleeve=end,
    )


def sleeve_end(seen: Silhouette, skeleton: Skeleton, limb: Limb) -> float | None:
    """Tell where an arm's sleeve ends, 0 for the shoulder and 1 a bone; None for no bare arm."""
    points = skeleton.limbs[limb]
    steps = np.linspace(0.0, 1.0, STATIONS)[:, None]
    bones = (points[bone] + steps * (points[bone + 1] - points[bone]) for bone in (0, 1))
    line = np.concatenate(list(bones))
    rows = np.clip(np.rint(line[:, 1]).astype(int), 0, seen.wear.shape[0] - 1)
    columns = np.clip(np.rint(line[:, 0]).astype(int), 0, seen.wear.shape[1] - 1)
    bare = seen.wear[rows, columns] == Wear.SKIN
    # The split with the fewest stations on the wrong side of it.
    wrong = np.append(0, np.cumsum(bare)) + (~bare).sum() - np.append(0, np.cumsum(~bare))
    split = int(np.argmin(wrong))
    if split > len(bare) - STATIONS // 4 or bare[split:].mean() < BARE_MIN:
        return None
    return split / STATIONS


def seen_share(body: Mask, limb: Limb, start: Points, end: Points) -> float:
    """Return how much of a bone lies where its limb is seen."""
    places = start + np.linspace(0.0, 1.0, STATIONS)[:, None] * (end - start)
    rows = np.clip(np.rint(places[:, 1]).astype(int), 0, body.shape[0] - 1)
    columns = np.clip(np.rint(places[:, 0]).astype(int), 0, body.shape[1] - 1)
    return float(np.isin(body[rows, columns], LIMB_PARTS[limb]).mean())


def label_shares(body: Mask, limb: Limb, soft: float) -> tuple[Share, Share]:
    """Return what is seen as a limb with soft edges, and the same without its rim.

    Towards the ground a limb's edge is that of the person: there the share goes on.
    """
    own = np.isin(body, LIMB_PARTS[limb]).astype(np.uint8) * 255
    wide = np.where(body == BodyPart.GROUND, grow(own, 3 * soft), own).astype(np.uint8)
    share = ramp((blur(wide, SMOOTH * soft).astype(np.float32) - 100) / 55)
    inside = ramp((blur(grow(wide, -RIM * soft), soft / 2).astype(np.float32) - 64) / 128)
    return share, inside


def shoulder(columns: Share, rows: Share, points: Points, radius: float) -> tuple[Share, Share]:
    """Return how an arm fades into the trunk inwards of its shoulder, and the shoulder's disc."""
    unit, _ = unit_of(points[0], points[1])
    ahead = (columns - points[0][0]) * unit[0] + (rows - points[0][1]) * unit[1]
    around = np.hypot(columns - points[0][0], rows - points[0][1]) / radius
    fade = ramp((ahead / radius + 0.6) / 0.4)
    fade = fade * np.where(ahead < 0, ramp((0.95 - around) / 0.2), 1.0).astype(np.float32)
    return fade, ramp((0.8 - around) / 0.25)


def reach_at(
    profile: Profile, bone: int, step: Share, aside: Share, torso: float
) -> tuple[Share, Share]:
    """Return how far a limb's region goes, and how wide it is, beside pixels of a bone."""
    if bone < 2:
        place = step * (STATIONS - 1)
        below = np.minimum(place.astype(np.int32), STATIONS - 2)
        share = (place - below).astype(np.float32)
        reach = profile.reach[bone].astype(np.float32)
        left, right, width = (
            values[below] * (1 - share) + values[below + 1] * share
            for values in (reach[0], reach[1], profile.width[bone].astype(np.float32))
        )
        return np.where(aside < 0, left, right), width
    # Hands and feet are wider than what they hang on, and alone out there.
    end = profile.width[1, -STATIONS // 6 :].mean()
    wide = np.full(step.shape, max(1.9 * end, 0.13 * torso), np.float32)
    return wide, wide


def full(values: NDArray[np.floating], shape: tuple[int, ...]) -> Share:
    """Bring what was worked out on every other pixel to all of them."""
    size = (2 * values.shape[0], 2 * values.shape[1])
    fine = resized(values.astype(np.float32), size)
    return np.asarray(fine[: shape[0], : shape[1]], np.float32)


def distance(shape: tuple[int, ...], centre: Points) -> Share:
    """Return how far each pixel is from a point."""
    down = (np.arange(shape[0], dtype=np.float32) - np.float32(centre[1])) ** 2
    right = (np.arange(shape[1], dtype=np.float32) - np.float32(centre[0])) ** 2
    return np.asarray(np.sqrt(np.add.outer(down, right)), np.float32)


def ramp(values: NDArray[np.floating]) -> Share:
    """Hold values to 0..1."""
    return np.asarray(np.clip(values, 0.0, 1.0), np.float32)
