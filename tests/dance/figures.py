"""A stick figure to pose without a photo."""

import numpy as np
from numpy.typing import NDArray

from services.dance.skeleton import Skeleton, read_skeleton

SIZE = (480, 320)
HEAD = (160.0, 60.0)
LEFT = {
    11: (190, 110),
    13: (200, 165),
    15: (205, 215),
    17: (206, 228),
    19: (206, 228),
    23: (178, 230),
    25: (180, 325),
    27: (182, 415),
    29: (180, 425),
    31: (186, 432),
}


def landmarks() -> NDArray[np.float32]:
    """Return 33 landmarks of somebody who stands there, seen from the front."""
    found = np.ones((33, 4), np.float32)
    found[:, :3] = (*HEAD, 0.0)
    found[9:11, 1] += 14
    for number, (x, y) in LEFT.items():
        found[number, :2] = x, y
        found[number + 1, :2] = 2 * HEAD[0] - x, y
    return found


def skeleton(found: NDArray[np.float32] | None = None) -> Skeleton:
    """Return the bones of the figure."""
    return read_skeleton(landmarks() if found is None else found, SIZE)
