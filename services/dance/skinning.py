"""How a mesh follows the joints: stiffly along bones, softly across joints."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.outline import Outline, Silhouette, below_groin, chin
from services.dance.pixels import blur
from services.dance.skeleton import LEGS, Limb, Points, Skeleton
from services.dance.trunk import smooth
from services.vision.parts import Wear

Weights: TypeAlias = NDArray[np.float64]

# A joint's bend is spread over this much of the limb's width on both sides.
BAND = 1.15
# Hair below the chin follows the head by so much; where hair begins is smoothed a little, over the
# head's radius.
HAIR_LED = 0.55
HAIR_BLUR = 0.12
# Where on the way from the base of the neck to the chin the head is stiff.
NECK_SHARES = (0.0, 0.62)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbWeights:
    """How corners follow a limb.

    Attributes:
        limb: which.
        bends: Vx3, 0..1, how far a corner turns with the root, the middle joint and the end.
        along: Vx2, 0..1, where on the way along each long bone a corner is.
    """

    limb: Limb
    bends: Weights
    along: Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreWeights:
    """How corners of trunk, head and skirt follow.

    Attributes:
        head: V, 0..1, how much of the head's turn.
        loose: V, 0..1, how much of its lag, for hair below the chin.
        legs: how a skirt follows each leg, and how much: V, 0..1; empty without a skirt.
    """

    head: Weights
    loose: Weights
    legs: tuple[tuple[LimbWeights, Weights], ...]


def neck_base(skeleton: Skeleton) -> Points:
    """Return the point about which the head turns."""
    base: Points = skeleton.neck + 0.35 * (chin(skeleton) - skeleton.neck)
    return base


def limb_weights(skeleton: Skeleton, outline: Outline, limb: Limb, places: Points) -> LimbWeights:
    """Tell how corners follow the joints of a limb."""
    points, radii = skeleton.limbs[limb], outline.radii[limb]
    bones = np.diff(points, axis=0)
    lengths = np.maximum(np.hypot(bones[:, 0], bones[:, 1]), 1e-6)
    units = bones / lengths[:, None]
    bends = np.empty((len(places), 3))
    bends[:, 0] = root_bend(skeleton, outline, limb, places, units[0])
    for joint in (1, 2):
        across = units[joint - 1] + units[joint]
        across = across / max(float(np.hypot(*across)), 1e-6)
        away = (places - points[joint]) @ across
        bends[:, joint] = smooth(0.5 + 0.5 * away / (BAND * radii[joint]))
    along = np.stack(
        [np.clip((places - points[k]) @ units[k] / lengths[k], 0.0, 1.0) for k in range(2)], 1
    )
    return LimbWeights(limb=limb, bends=bends, along=along)


def root_bend(
    skeleton: Skeleton, outline: Outline, limb: Limb, places: Points, unit: Points
) -> Weights:
    """Tell how far corners turn with a limb's root: across the armpit, or across the groin."""
    root, radius = skeleton.limbs[limb, 0], outline.radii[limb][0]
    if limb in LEGS:
        if outline.hem is not None:
            # Nobody sees how a leg under a skirt hangs on its hip.
            return smooth(0.5 + 0.5 * (places - root) @ unit / radius)
        return smooth(0.5 + 0.5 * below_groin(skeleton, outline, limb, places) / radius)
    away = (places - root) @ unit
    return smooth(0.75 + 0.5 * away / radius)


def core_weights(skeleton: Skeleton, outline: Outline, neck: Points, places: Points) -> CoreWeights:
    """Tell how corners follow head, hair and skirt."""
    up = chin(skeleton) - neck
    long = max(float(np.hypot(*up)), 1e-6)
    high = (places - neck) @ up / long**2
    aside = np.abs((places - skeleton.head) @ np.array([-up[1], up[0]]) / long)
    # What is beside the neck and below the ears is shoulder, or hair that lies on it.
    near = smooth((3.2 * skeleton.head_radius - aside) / skeleton.head_radius)
    low, top = NECK_SHARES
    head = smooth((high - low) / (top - low)) * np.where(high < 1.0, near, 1.0)
    legs: tuple[tuple[LimbWeights, Weights], ...] = ()
    if outline.hem is not None:
        legs = tuple(
            (limb_weights(skeleton, outline, limb, places), skirt_share(skeleton, limb, places))
            for limb in LEGS
        )
    return CoreWeights(head=head, loose=np.zeros(len(places)), legs=legs)


def with_hair(
    weights: CoreWeights, skeleton: Skeleton, seen: Silhouette, places: Points
) -> CoreWeights:
    """Let hair that hangs below the chin follow the head, the later the lower it is."""
    height, width = seen.wear.shape
    columns = np.clip(np.rint(places[:, 0]).astype(int), 0, width - 1)
    rows = np.clip(np.rint(places[:, 1]).astype(int), 0, height - 1)
    hair = blur((seen.wear == Wear.HAIR).astype(np.float32), HAIR_BLUR * skeleton.head_radius)
    down = (places[:, 1] - chin(skeleton)[1]) / (2 * skeleton.head_radius)
    loose = np.minimum(1.0, 2.0 * hair[rows, columns]) * smooth(down + 0.2)
    head = np.maximum(weights.head, HAIR_LED * loose)
    return replace(weights, head=head, loose=loose)


def skirt_share(skeleton: Skeleton, limb: Limb, places: Points) -> Weights:
    """Tell how much corners of a skirt follow a leg: more to its side, and more below the hips."""
    other = LEGS[0] if limb is LEGS[1] else LEGS[1]
    hip, across = skeleton.limbs[limb, 0], skeleton.limbs[limb, 0] - skeleton.limbs[other, 0]
    wide = max(float(np.hypot(*across)), 1e-6)
    aside = (places - skeleton.pelvis) @ across / wide**2
    down = (places - hip)[:, 1] / (0.5 * skeleton.lengths[limb, 0])
    share: Weights = smooth(0.5 + 0.55 * aside) * smooth(down)
    return share
