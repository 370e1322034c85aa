"""Reading a body: MediaPipe's landmark network on a crop that is upright with the body.

Procedure after Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking" (2020); the
landmarks are refined on the network's heat maps as its published graph does.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.memory.arena import Arena

CELLS = 256
LANDMARKS = 33
# The network also answers helpers for tracking after the 33 landmarks of the body.
ANSWERS = 39
VALUES_PER_ANSWER = 5
HEAT_CELLS = 64
# Heat is looked at this far around a landmark, in cells of the heat map.
HEAT_REACH = 3
# A heat map that is colder than this around a landmark says nothing about it.
HEAT_MIN = 0.5

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the network says of a crop. Arrays belong to the caller's arena.

    Attributes:
        presence: 0..1, how surely there is a body.
        presence_mirrored: the same of the mirror image.
        landmarks: 33x4 float32: x, y and z in pixels of the crop, visibility 0..1.
        silhouette: 256x256 uint8, 255 where the body is, the mean of both.
    """

    presence: float
    presence_mirrored: float
    landmarks: Floats
    silhouette: NDArray[np.uint8]


class Landmarker:
    """Reads landmarks and silhouette of the body in a crop."""

    def __init__(self, engine: Engine) -> None:
        """Take over the network `pose_landmarker`."""
        self._engine = engine
        (self._input,) = (spec.name for spec in engine.inputs)
        by_shape = {spec.shape: spec.name for spec in engine.outputs}
        self._answers = by_shape[1, ANSWERS * VALUES_PER_ANSWER]
        self._presence = by_shape[1, 1]
        self._silhouette = by_shape[1, CELLS, CELLS, 1]
        self._heat = by_shape[1, HEAT_CELLS, HEAT_CELLS, ANSWERS]
        self._shapes = {spec.name: spec.shape for spec in engine.outputs}

    def read(self, crop: NDArray[np.uint8], arena: Arena) -> Reading:
        """Read a 256x256x3 uint8 RGB crop, and its mirror image for a second opinion."""
        landmarks = arena.array((LANDMARKS, 4), np.float32)
        silhouette = arena.array((CELLS, CELLS), np.uint8)
        with arena.scope():
            found = self._run(crop, arena)
            answers = found[self._answers].reshape(ANSWERS, VALUES_PER_ANSWER)[:LANDMARKS]
            landmarks[:, :3] = answers[:, :3]
            # The fourth value is visibility, the fifth whether the point lies inside the crop.
            landmarks[:, 3] = sigmoid(answers[:, 3])
            refine(landmarks, found[self._heat][0])
            mirrored = self._run(crop[:, ::-1], arena)
            seen = sigmoid(found[self._silhouette][0, :, :, 0])
            seen += sigmoid(mirrored[self._silhouette][0, :, ::-1, 0])
            np.rint(seen * 127.5, out=silhouette, casting="unsafe")
            presence, second = (run[self._presence].item() for run in (found, mirrored))
        return Reading(
            presence=presence,
            presence_mirrored=second,
            landmarks=landmarks,
            silhouette=silhouette,
        )

    def _run(self, crop: NDArray[np.uint8], arena: Arena) -> dict[str, Floats]:
        shade = arena.array((1, CELLS, CELLS, 3), np.float32)
        np.multiply(crop, np.float32(1 / 255), out=shade[0])
        found = {
            name: arena.array(tuple(extent or 1 for extent in shape), np.float32)
            for name, shape in self._shapes.items()
        }
        self._engine.run({self._input: shade}, found)
        return found


def refine(landmarks: Floats, heat: Floats) -> None:
    """Move landmarks in place to the centre of the heat around them.

    Args:
        landmarks: 33x4, x and y in pixels of the crop.
        heat: 64x64x39 logits.
    """
    step = CELLS / HEAT_CELLS
    for number, (x, y) in enumerate(landmarks[:, :2] / step):
        column, row = int(x), int(y)
        if not (0 <= column < HEAT_CELLS and 0 <= row < HEAT_CELLS):
            continue
        top, left = max(0, row - HEAT_REACH), max(0, column - HEAT_REACH)
        near = sigmoid(heat[top : row + HEAT_REACH + 1, left : column + HEAT_REACH + 1, number])
        if near.max() < HEAT_MIN:
            continue
        down, right = np.indices(near.shape)
        landmarks[number, 0] = step * (left + (near * right).sum() / near.sum())
        landmarks[number, 1] = step * (top + (near * down).sum() / near.sum())


def sigmoid(values: Floats) -> Floats:
    """Squash logits to 0..1; those of the silhouette reach into the hundreds."""
    squashed = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    return np.asarray(squashed, np.float32)
