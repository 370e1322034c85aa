"""Where the limbs of a body lie: maps that tell the parts network what is known of the pose."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

MAP_CELLS = 64
"""Rows and columns of the maps."""

# Numbers of MediaPipe's landmarks; "left" is the person's own.
NOSE, EAR_LEFT, EAR_RIGHT, MOUTH_LEFT, MOUTH_RIGHT = 0, 7, 8, 9, 10
SHOULDERS, HIPS = (11, 12), (23, 24)
# From and to which landmarks a limb reaches: arms from the shoulder out, then legs; left first.
LIMBS: tuple[tuple[Sequence[int], Sequence[int]], ...] = (
    ((11,), (13,)),
    ((12,), (14,)),
    ((13,), (15,)),
    ((14,), (16,)),
    ((15,), (17, 19)),
    ((16,), (18, 20)),
    ((23,), (25,)),
    ((24,), (26,)),
    ((25,), (27,)),
    ((26,), (28,)),
    ((29,), (31,)),
    ((30,), (32,)),
)
# Half widths as shares of the torso's length, as people are built.
LIMB_WIDTHS = (0.13, 0.13, 0.1, 0.1, 0.12, 0.12, 0.18, 0.18, 0.13, 0.13, 0.12, 0.12)
HEAD_WIDTH = 0.28
TORSO_WIDTH = 0.35
# Limbs whose depth against the hips is told too: what crosses in front of what.
DEEP_LIMBS = (0, 1, 2, 3, 6, 7, 8, 9)
WIDTH_CELLS_MIN = 0.8
# A landmark that the pose network calls hidden is still a guess worth this much.
HIDDEN_WORTH = 0.25

MAPS = 2 + len(LIMBS) + len(DEEP_LIMBS)
"""How many maps there are: head, torso, limbs, depths of limbs."""

OPPOSITE_MAPS = [
    0,
    1,
    *(2 + (limb ^ 1) for limb in range(len(LIMBS))),
    *(2 + len(LIMBS) + (limb ^ 1) for limb in range(len(DEEP_LIMBS))),
]
"""For each map the one of the other side: limbs come in pairs."""


def limb_maps(landmarks: Floats, target: Floats) -> None:
    """Draw head, torso and limbs as soft strokes, and the depths of arms and legs.

    Args:
        landmarks: 33x4: x, y and z in cells of the maps (whole numbers are middles), visibility
            0..1.
        target: MAPSx64x64, written in place; 0..1, depths -1 (towards the viewer) .. 1.
    """
    upper, lower = landmarks[list(SHOULDERS)].mean(axis=0), landmarks[list(HIPS)].mean(axis=0)
    across = float(np.hypot(*(landmarks[11, :2] - landmarks[12, :2])))
    torso = max(float(np.hypot(*(upper - lower)[:2])), across, 1.0)
    head = landmarks[[NOSE, EAR_LEFT, EAR_RIGHT]].mean(axis=0)
    target[0] = stroke(head, head, HEAD_WIDTH * torso)
    target[1] = stroke(upper, lower, TORSO_WIDTH * torso)
    for number, (first, last) in enumerate(LIMBS):
        start = landmarks[list(first)].mean(axis=0)
        end = landmarks[list(last)].mean(axis=0)
        target[2 + number] = stroke(start, end, LIMB_WIDTHS[number] * torso)
        if number in DEEP_LIMBS:
            depth = np.clip((start[2] + end[2]) / 2 / torso, -1, 1)
            place = 2 + len(LIMBS) + DEEP_LIMBS.index(number)
            np.multiply(target[2 + number], depth, out=target[place])


def stroke(start: Floats, end: Floats, width: float) -> Floats:
    """Return the 64x64 map of a line from one landmark to another that fades with distance.

    Args:
        start: x, y, z, visibility.
        end: likewise.
        width: in cells, where it has faded to three fifths.
    """
    rows, columns = np.mgrid[:MAP_CELLS, :MAP_CELLS].astype(np.float32)
    right, down = (end - start)[:2]
    length_squared = float(right * right + down * down)
    x, y = columns - start[0], rows - start[1]
    along = np.clip((x * right + y * down) / max(length_squared, 1e-6), 0, 1)
    away_squared = (x - along * right) ** 2 + (y - along * down) ** 2
    worth = HIDDEN_WORTH + (1 - HIDDEN_WORTH) * float(start[3] + end[3]) / 2
    faded = worth * np.exp(away_squared / (-2 * max(width, WIDTH_CELLS_MIN) ** 2))
    return np.asarray(faded, np.float32)
