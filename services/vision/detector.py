"""Finding people: MediaPipe's pose detector, an SSD with one class and alignment points.

Procedure after Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking" (2020), with
the published anchors and thresholds of the model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.frame import Point

SIDE = 224
# Cells of 8, 16 and 32 pixels; so many anchors share the middle of each.
ANCHOR_LAYERS = ((8, 2), (16, 2), (32, 6))
# Centre, extent, then x and y of hips, crown, shoulders and the upper body's crown.
POINTS_PER_BOX = 6
# Boxes that share more than this much of their union show the same person.
OVERLAP_MAX = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A person as the detector sees one, in pixels of the picture.

    Attributes:
        score: 0..1.
        hips: middle between the hips.
        crown: point above the head on the circle around hips that holds the whole body.
    """

    score: float
    hips: Point
    crown: Point

    def moved(self, right: float, down: float) -> "Detection":
        """Return the same in coordinates whose origin lies further up and left."""
        (x, y), (crown_x, crown_y) = self.hips, self.crown
        return Detection(
            score=self.score, hips=(x + right, y + down), crown=(crown_x + right, crown_y + down)
        )


class PoseDetector:
    """Finds people that fill a good part of a picture."""

    def __init__(self, engine: Engine, lens: Lens) -> None:
        """Take over the network `pose_detector`."""
        self._engine = engine
        self._lens = lens
        self._anchors = anchors()
        (self._input,) = (spec.name for spec in engine.inputs)
        by_shape = {spec.shape: spec.name for spec in engine.outputs}
        self._boxes = by_shape[1, len(self._anchors), 2 * POINTS_PER_BOX]
        self._scores = by_shape[1, len(self._anchors), 1]

    def detect(self, pixels: NDArray[np.uint8], arena: Arena, score_min: float) -> list[Detection]:
        """List the people in HxWx3 uint8 RGB, surest first."""
        with arena.scope():
            square, (top, left), step = self._letterbox(pixels, arena)
            boxes = arena.array((1, len(self._anchors), 2 * POINTS_PER_BOX), np.float32)
            scores = arena.array((1, len(self._anchors), 1), np.float32)
            self._engine.run({self._input: square}, {self._boxes: boxes, self._scores: scores})
            points, score = decode(boxes[0], scores[0, :, 0], self._anchors, score_min)
        points = (points - (left, top)) / step
        return [
            Detection(score=share, hips=as_point(found[2]), crown=as_point(found[3]))
            for share, found in merge(points, score)
        ]

    def _letterbox(
        self, pixels: NDArray[np.uint8], arena: Arena
    ) -> tuple[NDArray[np.float32], tuple[int, int], NDArray[np.float64]]:
        """Fit a picture into the network's square; what it does not fill is zero, mid grey.

        Returns:
            1x224x224x3 float32 in -1..1; rows and columns left free at the start; scale of x and y.
        """
        height, width = pixels.shape[:2]
        rows, columns = (max(1, round(n * SIDE / max(height, width))) for n in (height, width))
        small = arena.array((rows, columns, 3), np.uint8)
        self._lens.resize(pixels, small)
        square = arena.array((1, SIDE, SIDE, 3), np.float32)
        top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
        inside = square[0, top : top + rows, left : left + columns]
        np.multiply(small, np.float32(2 / 255), out=inside)
        inside -= 1
        return square, (top, left), np.array([columns / width, rows / height])


def anchors() -> NDArray[np.float32]:
    """Return the Nx2 middles (x, y) of the network's anchors, in pixels of its square."""
    layers = []
    for stride, shared in ANCHOR_LAYERS:
        middles = np.arange(stride / 2, SIDE, stride, dtype=np.float32)
        down, right = np.meshgrid(middles, middles, indexing="ij")
        layers.append(np.repeat(np.stack([right, down], axis=-1).reshape(-1, 2), shared, axis=0))
    return np.concatenate(layers)


def decode(
    boxes: NDArray[np.float32],
    logits: NDArray[np.float32],
    middles: NDArray[np.float32],
    score_min: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the sure answers of the network and turn them into points.

    Args:
        boxes: Nx12, offsets from the anchors in pixels.
        logits: N.
        middles: Nx2, the anchors.
        score_min: answers below it are dropped.

    Returns:
        Mx6x2 points (box start, box end, hips, crown, shoulders, upper crown) in pixels of the
        square, and M scores in 0..1.
    """
    score = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60)))
    (kept,) = np.nonzero(score >= score_min)
    raw = boxes[kept].astype(np.float64).reshape(-1, POINTS_PER_BOX, 2)
    points = raw + middles[kept][:, None]
    half = raw[:, 1] / 2
    points[:, 1] = points[:, 0] + half
    points[:, 0] -= half
    return points, score[kept]


def merge(
    points: NDArray[np.float64], score: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    """Join answers for the same person into their mean, weighted by score; surest first.

    Args:
        points: Mx6x2, the first two span the box.
        score: M.

    Returns:
        For each person the best score and 6x2 points.
    """
    rest = np.argsort(-score)
    people = []
    while rest.size:
        best = rest[0]
        same = overlap(points[best], points[rest]) > OVERLAP_MAX
        same[0] = True
        group = rest[same]
        people.append((float(score[best]), np.average(points[group], axis=0, weights=score[group])))
        rest = rest[~same]
    return people


def overlap(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of their union that a box (6x2) and others (Mx6x2) have in common."""
    start = np.maximum(box[0], boxes[:, 0])
    end = np.minimum(box[1], boxes[:, 1])
    common = np.prod(np.clip(end - start, 0, None), axis=1)
    union = np.prod(box[1] - box[0]) + np.prod(boxes[:, 1] - boxes[:, 0], axis=1) - common
    return np.asarray(common / np.maximum(union, 1e-9))


def as_point(pair: NDArray[np.float64]) -> Point:
    """Turn a pair of an array into plain numbers."""
    return float(pair[0]), float(pair[1])
