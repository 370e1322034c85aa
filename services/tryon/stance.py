"""Whether a person stands so that clothes can be put on: towards the camera, the body in sight."""

from collections.abc import Sequence

import numpy as np

from services.chassis.errors import InvalidRequestError, Reason
from services.tryon.body import HIP, KNEE, SHOULDER
from services.tryon.outfit import Layer, Worn
from services.vision.person import Person

VISIBLE_MIN = 0.4
# Shoulders that lie this much apart, as a share of the trunk's height, tell left from right.
FACING_MIN = 0.12
# Landmarks may lie so far outside of the photo, as a share of its longer side.
OUTSIDE_MAX = 0.01


def check_stance(person: Person, size: tuple[int, int], outfit: Sequence[Worn]) -> None:
    """Refuse a person who can't be dressed.

    Args:
        size: rows and columns of the photo.
        outfit: what is to be put on.

    Raises:
        InvalidRequestError: PERSON_NOT_FOUND: seen from the back, or the part of the body that the
            outfit needs is not in sight.
    """
    needed: tuple[int, ...] = (SHOULDER,)
    if any(worn.layer in (Layer.BOTTOM, Layer.DRESS) for worn in outfit):
        needed = (SHOULDER, HIP, KNEE)
    if not all(in_sight(person, number, size) for number in needed):
        raise InvalidRequestError(
            Reason.PERSON_NOT_FOUND, "the part of the body that is to be dressed must be in sight"
        )
    if seen_from_back(person):
        raise InvalidRequestError(Reason.PERSON_NOT_FOUND, "the person must face the camera")


def in_sight(person: Person, number: int, size: tuple[int, int]) -> bool:
    """Tell whether a joint of either side is seen, within the photo."""
    joints = person.landmarks[number : number + 2]
    slack = OUTSIDE_MAX * max(size)
    inside = (joints[:, 0] > -slack) & (joints[:, 0] < size[1] + slack)
    inside &= (joints[:, 1] > -slack) & (joints[:, 1] < size[0] + slack)
    return bool((inside & (joints[:, 3] >= VISIBLE_MIN)).any())


def seen_from_back(person: Person) -> bool:
    """Tell whether the left shoulder lies on the left of the picture."""
    points = person.landmarks[:, :2]
    left, right = points[SHOULDER], points[SHOULDER + 1]
    trunk = points[[HIP, HIP + 1]].mean(axis=0) - (left + right) / 2
    height = float(np.linalg.norm(trunk))
    across = np.array([trunk[1], -trunk[0]]) / max(height, 1e-6)
    return float((left - right) @ across) < -FACING_MIN * height
