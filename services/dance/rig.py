"""The puppet: a photo's person cut into pieces that bend at the joints.

Each piece is a texture with a mesh over it. Corners know how much they turn with each joint: fully
beyond it, not at all before it, and partly in a band of the limb's own width, so that bones are
stiff and joints elastic. Pieces overlap at their cuts, where both follow the same turns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.dance.cutting import UPPER_LAYERS, Cut, Layer
from services.dance.outline import Silhouette
from services.dance.pixels import blur, grow, premultiply, resized
from services.dance.skeleton import ARMS, Points, Skeleton
from services.dance.skinning import (
    CoreWeights,
    LimbWeights,
    Weights,
    core_weights,
    limb_weights,
    neck_base,
    with_hair,
)
from services.dance.stance import Stance
from services.dance.trunk import smooth

# Width of a mesh's cells over the torso's length.
CELL_SHARE = 0.055
CELL_MIN = 5.0
COARSE = 4
# A mesh that bends by more about an elbow folds over itself: beyond this, in radians, the two parts
# of an arm turn about it like the blades of scissors.
ELBOW_BEND_MAX = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the puppet that is drawn at once.

    Attributes:
        layer: which part.
        texture: HxWx4 uint8, premultiplied RGBA, in the call's arena.
        corners: Vx2, places of the mesh's corners in the photo.
        origin: x and y of the texture's first pixel in the photo.
        triangles: Tx3 int32.
        weights: how the corners follow the joints.
        nearness: V, 0..1, which of them is seen where the piece folds over itself.
    """

    layer: Layer
    texture: NDArray[np.uint8]
    corners: Points
    origin: tuple[int, int]
    triangles: NDArray[np.int32]
    weights: LimbWeights | CoreWeights
    nearness: NDArray[np.float32]


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


def make_rig(skeleton: Skeleton, cut: Cut, seen: Silhouette, arena: Arena) -> Rig:
    """Lay meshes over the cut-out parts of a body.

    Args:
        skeleton: the body at rest.
        cut: its parts.
        seen: the person in the photo, for what is hair.
        arena: where the textures go.
    """
    cell = cell_of(skeleton)
    neck = neck_base(skeleton)
    pieces = []
    for layer, part in cut.parts.items():
        # Room around, so that a mesh never ends at the edge of what it shows.
        room = int(np.ceil(cell))
        corners, triangles = mesh(np.pad(part.alpha, room), cell)
        if not len(triangles):
            continue
        places = corners - room + part.origin
        weights: LimbWeights | CoreWeights
        if layer is Layer.CORE:
            weights = core_weights(skeleton, cut.outline, neck, places)
            weights = with_hair(weights, skeleton, seen, places)
        else:
            weights = limb_weights(skeleton, cut.outline, layer.limb, places)
        texture = arena.array((*part.alpha.shape, 4), np.uint8)
        texture[:] = premultiply(part.colour, part.alpha)
        pieces.append(
            Piece(
                layer=layer,
                texture=texture,
                corners=places,
                origin=part.origin,
                triangles=triangles,
                weights=weights,
                nearness=nearness(weights, part.alpha, corners - room, cell),
            )
        )
    return Rig(skeleton=skeleton, pieces=tuple(pieces), neck=neck)


def nearness(
    weights: LimbWeights | CoreWeights, alpha: NDArray[np.uint8], corners: Points, cell: float
) -> NDArray[np.float32]:
    """Tell which part of a piece is seen where it folds: the end of a limb, or the head.

    What is clear must never hide what is not.

    Args:
        weights: of the corners.
        alpha: HxW of the piece.
        corners: Vx2, in pixels of the piece.
        cell: width of the mesh's cells.
    """
    first = 0.5 * weights.head if isinstance(weights, CoreWeights) else weights.along.mean(axis=1)
    # A quarter of the size will do for what is smooth over a cell.
    height, width = (-(-extent // COARSE) for extent in alpha.shape)
    small = blur(resized(alpha, (height, width)), 0.5 * cell / COARSE)
    columns, rows = np.rint(corners / COARSE).astype(int).T
    inside = (rows >= 0) & (columns >= 0) & (rows < height) & (columns < width)
    solid = small[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    share = np.where(inside, solid / 255.0, 0.0)
    return np.asarray(share * (0.5 + 0.5 * first), np.float32)


def cell_of(skeleton: Skeleton) -> float:
    """Return the width of a mesh's cells."""
    return max(CELL_MIN, CELL_SHARE * skeleton.torso)


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


def posed_corners(rig: Rig, piece: Piece, stance: Stance, late: Stance) -> Points:
    """Return where the corners of a piece are.

    Args:
        stance: the body now.
        late: the body a moment ago, which hair and cloth still follow.
    """
    if isinstance(piece.weights, LimbWeights):
        return follow_limb(rig.skeleton, piece.weights, piece.corners, stance, piece.layer)
    return follow_core(rig, piece, stance, late)


def follow_limb(
    skeleton: Skeleton,
    weights: LimbWeights,
    corners: Points,
    stance: Stance,
    layer: Layer | None = None,
) -> Points:
    """Move corners with a limb: first along its bones, then about its joints from the end on.

    Args:
        layer: which part of an arm they are of, None for a limb in one part.
    """
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
    places = turn_about(places, joints[2], steps[2] * weights.bends[:, 2])
    soft = float(np.clip(steps[1], -ELBOW_BEND_MAX, ELBOW_BEND_MAX)) if limb in ARMS else steps[1]
    # What bends softly does so in both parts alike; the rest is the forearm's alone.
    stiff = 0.0 if layer in UPPER_LAYERS else steps[1] - soft
    places = turn_about(places, joints[1], soft * weights.bends[:, 1] + stiff)
    return turn_about(places, joints[0], parent + steps[0] * weights.bends[:, 0], posed[0])


def follow_core(rig: Rig, piece: Piece, stance: Stance, late: Stance) -> Points:
    """Move corners with trunk and head, and a skirt's with the legs as well."""
    weights = piece.weights
    assert isinstance(weights, CoreWeights)
    placed = stance.pelvis + stance.trunk.place(piece.corners, surface=True)
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
    place: Points = stance.pelvis + stance.trunk.place(rig.neck) - [0.0, stance.shrug]
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
