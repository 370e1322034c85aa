"""Joints that were driven against joints that were found again, and two estimators' ideas of them.

Estimators are taught by people who marked joints by hand, and differ: what one calls a hip lies
above what another does. An estimator's idea of each joint is measured where nothing dances, on the
untouched photos: how far from the skeleton's joint it sees it, along and across the bone, over the
torso's length, the middle value of all photos and of both sides of each. It is the same for every
person, and nothing of a dance goes into it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.dance.skeleton import Points

NEAR_SHARE = 0.1
NAMES = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
# Across a bone is outwards on both sides of a body: right limbs are turned over.
OUTWARDS = np.array([1.0, -1.0, 1.0, -1.0])[:, None, None] * [0.0, 1.0] + [1.0, 0.0]

Hits = NDArray[np.float64]


def ways(seen: Points, joints: Points) -> Points:
    """Tell how far from the skeleton's joints an estimator sees them, 4x3x2.

    Along the bone that ends at a joint, down the trunk for shoulders and hips, then across it,
    outwards; over the torso's length.

    Args:
        seen: 4x3x2, left arm, right arm, left leg and right leg from the trunk outwards, in pixels.
        joints: the same, of the skeleton.
    """
    along, across = bone_axes(joints)
    away = (seen - joints) / torso_of(joints)
    turned = np.stack([(away * along).sum(axis=-1), (away * across).sum(axis=-1)], axis=-1)
    return np.asarray(turned * OUTWARDS)


def idea_of(photos: Sequence[Points]) -> Points:
    """Return an estimator's idea of each joint, 4x3x2, alike on both sides; see `ways`."""
    each = np.stack(photos)
    arms, legs = (np.median(np.concatenate([each[:, k], each[:, k + 1]]), axis=0) for k in (0, 2))
    return np.stack([arms, arms, legs, legs])


def as_seen(joints: Points, idea: Points) -> Points:
    """Return where an estimator with such an idea of joints would mark a skeleton's, in pixels."""
    along, across = bone_axes(joints)
    away = idea * OUTWARDS * torso_of(joints)
    return np.asarray(joints + away[..., :1] * along + away[..., 1:] * across)


def bone_axes(joints: Points) -> tuple[Points, Points]:
    """Return the directions along the bone that ends at each joint, and across it, 4x3x2."""
    trunk = joints[2:, 0].mean(axis=0) - joints[:2, 0].mean(axis=0)
    bones = np.concatenate([np.tile(trunk, (4, 1, 1)), np.diff(joints, axis=1)], axis=1)
    along = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-6)
    return along, np.stack([-along[..., 1], along[..., 0]], axis=-1)


def torso_of(joints: Points) -> float:
    """Return the distance from the middle of the hips to the middle of the shoulders."""
    return float(np.hypot(*(joints[:2, 0].mean(axis=0) - joints[2:, 0].mean(axis=0))))


def hits(seen: Points | None, joints: Points, near: float, size: tuple[int, ...]) -> Hits:
    """Return for each of 4x3 joints 1 for found near, 0 for not, not a number for out of sight.

    Args:
        seen: 4x3x2, None where nobody was found.
        joints: the same, as they were driven.
        near: in pixels.
        size: rows and columns of the picture; what lies beyond is out of sight.
    """
    inside = ((joints >= 0) & (joints < [size[1], size[0]])).all(axis=-1)
    if seen is None:
        return np.where(inside, 0.0, np.nan)
    return np.where(inside, np.linalg.norm(seen - joints, axis=-1) < near, np.nan)
