"""The puppet: a photo's person cut into pieces that bend at the joints.

Each piece is a texture with a mesh over it. Corners know how much they turn with each joint: fully
beyond it, not at all before it, and partly in a band of the limb's own width, so that bones are
stiff and joints elastic. Pieces overlap at their cuts, where both follow the same turns.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.cutting import Cut, Layer
from services.dance.outline import Outline, Silhouette, below_groin, chin
from services.dance.pixels import blur, grow, premultiply
from services.dance.skeleton import ARMS, LEGS, Limb, Points, Skeleton
from services.dance.stance import Stance
from services.dance.trunk import Trunk, smooth
from services.vision.parts import Wear

Weights: TypeAlias = NDArray[np.float64]

# Width of a mesh's cells over the torso's length.
CELL_SHARE = 0.055
CELL_MIN = 5.0
# A joint's bend is spread over this much of the limb's width on both sides.
BAND = 1.15
# Hair below the chin follows the head by so much; where hair begins is smoothed a little, over the
# head's radius.
HAIR_LED = 0.55
HAIR_BLUR = 0.12
# Where on the way from the base of the neck to the chin the head is stiff.
NECK_SHARES = (0.05, 0.85)


class Order(IntEnum):
    """What is drawn over what when nothing is nearer, from the back to the front."""

    BACK_ARM = 0
    LEG = 1
    CORE = 2
    FRONT_ARM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the puppet that is drawn at once.

    Attributes:
        layer: which part.
        texture: HxWx4 uint8, premultiplied RGBA.
        corners: Vx2, places of the mesh's corners in the photo.
        origin: x and y of the texture's first pixel in the photo.
        triangles: Tx3 int32.
        weights: how the corners follow the joints.
    """

    layer: Layer
    texture: NDArray[np.uint8]
    corners: Points
    origin: tuple[int, int]
    triangles: NDArray[np.int32]
    weights: "LimbWeights | CoreWeights"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A body ready to move.

    Attributes:
        skeleton: the body at rest.
        pieces: all parts, from the back to the front as they are drawn by default.
        neck: base of the neck, about which the head turns.
    """

    skeleton: Skeleton
    pieces: tuple[Piece, ...]
    neck: Points

    @property
    def trails(self) -> bool:
        """Whether any of it follows late: hair, or a skirt."""
        cores = [p.weights for p in self.pieces if isinstance(p.weights, CoreWeights)]
        return any(bool(core.legs) or bool(core.loose.any()) for core in cores)


def make_rig(skeleton: Skeleton, cut: Cut, seen: Silhouette) -> Rig:
    """Lay meshes over the cut-out parts of a body.

    Args:
        skeleton: the body at rest.
        cut: its parts.
        seen: the person in the photo, for what is hair.
    """
    cell = max(CELL_MIN, CELL_SHARE * skeleton.torso)
    neck = neck_base(skeleton)
    pieces = []
    for layer, part in cut.parts.items():
        corners, triangles = mesh(part.alpha, cell)
        if not len(triangles):
            continue
        places = corners + part.origin
        weights: LimbWeights | CoreWeights
        if layer is Layer.CORE:
            weights = core_weights(skeleton, cut.outline, neck, places)
            weights = with_hair(weights, skeleton, seen, places)
        else:
            weights = limb_weights(skeleton, cut.outline, layer.limb, places)
        pieces.append(
            Piece(
                layer=layer,
                texture=premultiply(part.colour, part.alpha),
                corners=places,
                origin=part.origin,
                triangles=triangles,
                weights=weights,
            )
        )
    return Rig(skeleton=skeleton, pieces=tuple(pieces), neck=neck)


def neck_base(skeleton: Skeleton) -> Points:
    """Return the point about which the head turns."""
    base: Points = skeleton.neck + 0.35 * (chin(skeleton) - skeleton.neck)
    return base


def mesh(alpha: NDArray[np.uint8], cell: float) -> tuple[Points, NDArray[np.int32]]:
    """Lay a grid of triangles over what an alpha channel covers, and a little more."""
    height, width = alpha.shape
    rows, columns = (max(2, int(np.ceil(extent / cell)) + 1) for extent in (height, width))
    y, x = np.meshgrid(
        np.linspace(-1.0, height, rows), np.linspace(-1.0, width, columns), indexing="ij"
    )
    wide = grow(alpha, 0.5 * cell)
    used = np.zeros((rows - 1, columns - 1), bool)
    row_of = np.minimum((np.arange(height) + 1) * (rows - 1) // (height + 1), rows - 2)
    column_of = np.minimum((np.arange(width) + 1) * (columns - 1) // (width + 1), columns - 2)
    down, right = np.nonzero(wide)
    used[row_of[down], column_of[right]] = True
    number = np.arange(rows * columns).reshape(rows, columns)
    first, second = number[:-1, :-1][used], number[:-1, 1:][used]
    third, fourth = number[1:, :-1][used], number[1:, 1:][used]
    triangles = np.concatenate(
        [np.stack([first, second, third], 1), np.stack([second, fourth, third], 1)]
    )
    kept, renumbered = np.unique(triangles, return_inverse=True)
    corners = np.stack([x.ravel(), y.ravel()], 1)[kept]
    return corners, renumbered.reshape(-1, 3).astype(np.int32)


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


def posed_corners(rig: Rig, piece: Piece, stance: Stance, late: Stance) -> Points:
    """Return where the corners of a piece are.

    Args:
        stance: the body now.
        late: the body a moment ago, which hair and cloth still follow.
    """
    trunk = trunk_of(rig.skeleton, stance)
    if isinstance(piece.weights, LimbWeights):
        return follow_limb(rig.skeleton, piece.weights, piece.corners, stance)
    return follow_core(rig, piece, trunk, stance, late)


def trunk_of(skeleton: Skeleton, stance: Stance) -> Trunk:
    """Return how a stance bends the trunk."""
    return Trunk(skeleton, stance.pelvis_turn, stance.chest_turn, stance.yaws, stance.pitch)


def follow_limb(
    skeleton: Skeleton, weights: LimbWeights, corners: Points, stance: Stance
) -> Points:
    """Move corners with a limb: first along its bones, then about its joints from the end on."""
    limb = weights.limb
    rest, posed, turns = skeleton.limbs[limb], stance.limbs[limb], stance.turns[limb]
    places, joints = corners.copy(), rest.copy()
    for bone in range(2):
        away = rest[bone + 1] - rest[bone]
        now = posed[bone + 1] - posed[bone]
        stretch = float(np.hypot(*now)) / max(float(np.hypot(*away)), 1e-6) - 1.0
        places += stretch * weights.along[:, bone, None] * away
        joints[bone + 1 :] += stretch * away
    parent = stance.chest_turn if limb in ARMS else stance.pelvis_turn
    steps = np.diff(turns, prepend=parent)
    for joint in (2, 1):
        places = turn_about(places, joints[joint], steps[joint] * weights.bends[:, joint])
    return turn_about(places, joints[0], parent + steps[0] * weights.bends[:, 0], posed[0])


def follow_core(rig: Rig, piece: Piece, trunk: Trunk, stance: Stance, late: Stance) -> Points:
    """Move corners with trunk and head, and a skirt's with the legs as well."""
    weights = piece.weights
    assert isinstance(weights, CoreWeights)
    placed = stance.pelvis + trunk.place(piece.corners, surface=True)
    placed[:, 1] -= stance.shrug * smooth(weights.head * 2)
    for leg, share in weights.legs:
        led = follow_limb(rig.skeleton, leg, piece.corners, stance)
        lagging = follow_limb(rig.skeleton, leg, piece.corners, late)
        placed += share[:, None] * (0.6 * led + 0.4 * lagging - placed)
    neck = neck_place(rig, stance)
    turn = stance.chest_turn + (stance.head_turn - stance.chest_turn) * weights.head
    stiff = turn_about(piece.corners, rig.neck, turn, neck)
    if weights.loose.any():
        behind = turn_about(
            piece.corners, rig.neck, np.array(late.head_turn), neck_place(rig, late)
        )
        stiff += weights.loose[:, None] * (behind - stiff)
    moved: Points = placed + weights.head[:, None] * (stiff - placed)
    return moved


def neck_place(rig: Rig, stance: Stance) -> Points:
    """Return where a stance puts the base of the neck, about which the head turns."""
    trunk = trunk_of(rig.skeleton, stance)
    place: Points = stance.pelvis + trunk.place(rig.neck) - [0.0, stance.shrug]
    return place


def turn_about(
    places: Points, centre: Points, turns: Weights, target: Points | None = None
) -> Points:
    """Turn points clockwise about a centre, each by its own angle, and bring the centre along."""
    away = places - centre
    cosine, sine = np.cos(turns), np.sin(turns)
    moved = np.empty_like(places)
    moved[:, 0] = away[:, 0] * cosine - away[:, 1] * sine
    moved[:, 1] = away[:, 0] * sine + away[:, 1] * cosine
    return moved + (centre if target is None else target)
