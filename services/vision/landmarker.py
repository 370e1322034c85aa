"""Reading a body: MediaPipe's landmark network on a crop that is upright with the body.

Procedure after Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking" (2020); the
landmarks are refined on the network's heat maps as its published graph does.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.memory.arena import Arena
from services.vision.frame import Point

CELLS = 256
LANDMARKS = 33
# The network also answers helpers for tracking after the 33 landmarks of the body: first the middle
# between the hips, then a point above the head on the circle around it that holds the body.
ANSWERS = 39
HIPS, CROWN = 33, 34
VALUES_PER_ANSWER = 5
HEAT_CELLS = 64
# Heat is looked at this far around a landmark, in cells of the heat map.
HEAT_REACH = 3
# A heat map that is colder than this around a landmark says nothing about it.
HEAT_MIN = 0.5

HEAD = list(range(11))
TORSO = [11, 12, 23, 24]
# For each landmark the one on the other side: eyes, ears and mouth first, then limbs in pairs.
OPPOSITES = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9]
OPPOSITES += [side for left in range(11, LANDMARKS, 2) for side in (left + 1, left)]

Floats: TypeAlias = NDArray[np.float32]
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Run: TypeAlias = Callable[[Arrays, Arrays], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What one look at a crop says. The landmarks belong to the caller's arena.

    Attributes:
        presence: 0..1, how surely there is a body.
        landmarks: 33x4 float32: x, y and z in pixels of the crop, visibility 0..1.
        hips: middle between the hips, in pixels of the crop.
        crown: point above the head on the circle around the hips that holds the body.
    """

    presence: float
    landmarks: Floats
    hips: Point
    crown: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the network says of a crop. Arrays belong to the caller's arena.

    Attributes:
        presence: 0..1, how surely there is a body.
        presence_mirrored: the same of the mirror image.
        head_doubt: mean distance, in cells, between the head's landmarks here and in the mirror.
        torso_doubt: the same of shoulders and hips.
        landmarks: 33x4 float32: x, y and z in pixels of the crop, visibility 0..1; the mean of what
            both show.
        silhouette: 256x256 uint8, 255 where the body is, likewise.
    """

    presence: float
    presence_mirrored: float
    head_doubt: float
    torso_doubt: float
    landmarks: Floats
    silhouette: NDArray[np.uint8]


class Landmarker:
    """Reads landmarks and silhouette of the body in a crop."""

    def __init__(self, engine: SeriesEngine) -> None:
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
        with self._engine.series() as run, arena.scope():
            mirrored = arena.array((LANDMARKS, 4), np.float32)
            seen = arena.array((CELLS, CELLS), np.float32)
            presence = self._look(run, crop, landmarks, seen, arena)
            # One after the other: the second look must not add to a copy of the first.
            seen[:] = seen[:, ::-1]
            presence_mirrored = self._look(run, crop[:, ::-1], mirrored, seen, arena)
            np.rint(seen[:, ::-1] * 127.5, out=silhouette, casting="unsafe")
            turn_back(mirrored)
            apart = np.hypot(*(landmarks - mirrored)[:, :2].T)
            head_doubt, torso_doubt = apart[HEAD].mean(), apart[TORSO].mean()
            landmarks += mirrored
            landmarks /= 2
        return Reading(
            presence=presence,
            presence_mirrored=presence_mirrored,
            head_doubt=float(head_doubt),
            torso_doubt=float(torso_doubt),
            landmarks=landmarks,
            silhouette=silhouette,
        )

    @contextmanager
    def glances(self) -> Iterator[Callable[[NDArray[np.uint8], Arena], Glance]]:
        """Give a way to look once at each of many crops; their traces go with the block."""
        with self._engine.series() as run:

            def glance(crop: NDArray[np.uint8], arena: Arena) -> Glance:
                landmarks = arena.array((LANDMARKS, 4), np.float32)
                with arena.scope():
                    found = self._run(run, crop, arena)
                    self._fill(landmarks, found)
                    helpers = found[self._answers].reshape(ANSWERS, VALUES_PER_ANSWER)
                    return Glance(
                        presence=float(found[self._presence][0, 0]),
                        landmarks=landmarks,
                        hips=(float(helpers[HIPS, 0]), float(helpers[HIPS, 1])),
                        crown=(float(helpers[CROWN, 0]), float(helpers[CROWN, 1])),
                    )

            yield glance

    def _look(
        self, run: Run, crop: NDArray[np.uint8], landmarks: Floats, seen: Floats, arena: Arena
    ) -> float:
        """Run the network once: fill the landmarks, add the silhouette, return the presence."""
        with arena.scope():
            found = self._run(run, crop, arena)
            self._fill(landmarks, found)
            seen += sigmoid(found[self._silhouette][0, :, :, 0])
            return float(found[self._presence][0, 0])

    def _fill(self, landmarks: Floats, found: Mapping[str, Floats]) -> None:
        """Take 33x4 landmarks out of the network's answers."""
        answers = found[self._answers].reshape(ANSWERS, VALUES_PER_ANSWER)[:LANDMARKS]
        landmarks[:, :3] = answers[:, :3]
        # The fourth value is visibility, the fifth whether the point lies inside the crop.
        landmarks[:, 3] = sigmoid(answers[:, 3])
        refine(landmarks, found[self._heat][0])

    def _run(self, run: Run, crop: NDArray[np.uint8], arena: Arena) -> dict[str, Floats]:
        shade = arena.array((1, CELLS, CELLS, 3), np.float32)
        np.multiply(crop, np.float32(1 / 255), out=shade[0])
        found = {
            name: arena.array(tuple(extent or 1 for extent in shape), np.float32)
            for name, shape in self._shapes.items()
        }
        run({self._input: shade}, found)
        return found


def turn_back(landmarks: Floats) -> None:
    """Turn landmarks of a mirror image back in place: left is right there."""
    landmarks[:] = landmarks[OPPOSITES]
    landmarks[:, 0] = CELLS - 1 - landmarks[:, 0]


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
