"""Drawing a posed puppet on its stage, frame by frame."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.dance.cutting import ARM_LAYERS, ROOT_LAYERS
from services.dance.pixels import draw_map, lay_over, opaque, push_in, sample, unmultiplied
from services.dance.rig import Piece, Rig, cell_of, posed_corners
from services.dance.skeleton import Limb
from services.dance.skinning import LimbWeights
from services.dance.stage import Shadow
from services.dance.stance import Stance

Pixels: TypeAlias = NDArray[np.uint8]

# A mesh is drawn coarsely, yet so finely that what it has beyond its piece's edge is not lost.
MAP_STEP_MIN = 2
MAP_STEPS_PER_CELL = 4
# A forearm this far behind its shoulder, over its length, is drawn behind the trunk.
BEHIND_SHARE = 0.12
# Depth of a piece in the drawing order: the trunk lies at 0.
LEGS_DEPTH = -1.0
ROOT_DEPTH = -0.5
BACK_DEPTH = -2.0
FRONT_DEPTH = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a clip's frames have in common.

    Attributes:
        rig: the puppet.
        plate: HxWx4 premultiplied RGBA, what every frame starts from.
        shadow: under the feet, or None.
        push: how much larger the last frame shows its middle, 0 for a still camera.
        focus: x and y that the camera pushes in on.
        transparent: whether frames keep their opacity.
    """

    rig: Rig
    plate: Pixels
    shadow: Shadow | None
    push: float
    focus: tuple[float, float]
    transparent: bool


def frames(
    scene: Scene, stances: Iterator[tuple[Stance, Stance]], count: int, arena: Arena
) -> Iterator[Pixels]:
    """Draw the frames of a clip.

    Args:
        scene: what they have in common.
        stances: for each frame the body now, and a moment ago.
        count: how many frames the clip has.
        arena: where the canvases go.

    Yields:
        HxWx3 uint8 RGB, or HxWx4 with opacity; two memories in turn, since the next frame is drawn
        while this one is used. Nothing is carved from the arena meanwhile.
    """
    shape = scene.plate.shape
    canvas = arena.array(shape, np.uint8)
    pushed = arena.array(shape, np.uint8) if scene.push else canvas
    channels = 4 if scene.transparent else 3
    sheets = [arena.array((*shape[:2], channels), np.uint8) for _ in range(2)]

    def drawn(number: int) -> Pixels | None:
        pair = next(stances, None)
        if pair is None:
            return None
        np.copyto(canvas, scene.plate)
        if scene.shadow is not None:
            scene.shadow.cast(canvas, pair[0])
        draw(canvas, scene.rig, *pair)
        if scene.push:
            step = number / max(count - 1, 1)
            push_in(canvas, 1 + scene.push * step * step * (3 - 2 * step), scene.focus, pushed)
        frame = sheets[number % 2]
        (unmultiplied if scene.transparent else opaque)(pushed, frame)
        return frame

    with ThreadPoolExecutor(1, thread_name_prefix="draw") as pen:
        coming, number = pen.submit(drawn, 0), 0
        while (frame := coming.result()) is not None:
            number += 1
            coming = pen.submit(drawn, number)
            yield frame


def draw(canvas: Pixels, rig: Rig, stance: Stance, late: Stance) -> None:
    """Draw a puppet on HxWx4 premultiplied RGBA, in place, the farthest piece first."""
    step = max(MAP_STEP_MIN, int(cell_of(rig.skeleton) / MAP_STEPS_PER_CELL))
    for piece in in_order(rig, stance):
        corners = posed_corners(rig, piece, stance, late)
        top_left = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
        end = np.ceil(corners.max(axis=0)).astype(int) + 1
        bottom_right = np.minimum(end, [canvas.shape[1], canvas.shape[0]])
        (left, top), (right, bottom) = top_left, bottom_right
        if left >= right or top >= bottom:
            continue
        places = draw_map(
            (corners - top_left).astype(np.float32),
            piece.nearness,
            piece.triangles,
            (piece.corners - piece.origin).astype(np.float32),
            (bottom - top, right - left),
            step,
        )
        lay_over(canvas[top:bottom, left:right], sample(piece.texture, places))


def in_order(rig: Rig, stance: Stance) -> Sequence[Piece]:
    """Sort pieces from the farthest to the nearest."""
    return sorted(rig.pieces, key=lambda piece: (depth(rig, piece, stance), piece.layer))


def depth(rig: Rig, piece: Piece, stance: Stance) -> float:
    """Return how near a piece is to the viewer; the trunk is at 0."""
    if not isinstance(piece.weights, LimbWeights):
        return 0.0
    limb = piece.weights.limb
    elbow, end = stance.nearness[limb] / float(rig.skeleton.lengths[limb].sum())
    if limb in (Limb.LEFT_LEG, Limb.RIGHT_LEG):
        return LEGS_DEPTH + 0.1 * float(elbow)
    if piece.layer in ROOT_LAYERS.values():
        return ROOT_DEPTH
    upper, _ = ARM_LAYERS[limb]
    if piece.layer is upper:
        # A shoulder is hidden by the trunk that it is part of only where its arm goes behind it.
        if float(elbow) < -BEHIND_SHARE:
            return BACK_DEPTH + 0.1 * float(elbow)
        return FRONT_DEPTH + 0.1 * float(elbow)
    near = float(elbow + end) / 2
    # Otherwise a forearm lies over its upper arm.
    return BACK_DEPTH + 0.5 + near if near < -BEHIND_SHARE else FRONT_DEPTH + 0.5 + near
