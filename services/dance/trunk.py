"""How a trunk bends: about the hips, at the waist, about its upright and to the viewer."""

import math

import numpy as np
from numpy.typing import NDArray

from services.dance.skeleton import Points, Skeleton

# The chest of a turned trunk shows its depth: share of half its width.
TRUNK_DEPTH = 0.45
# The waist, where the trunk bends, from the hips to the shoulders.
WAIST = 0.3


class Trunk:
    """How a trunk bends: about the hips, at the waist, about its upright and to the viewer."""

    def __init__(
        self,
        skeleton: Skeleton,
        pelvis_turn: float,
        chest_turn: float,
        yaws: tuple[float, float],
        pitch: float,
    ) -> None:
        up = skeleton.neck - skeleton.pelvis
        self._length = max(float(np.hypot(*up)), 1.0)
        self._up = up / self._length
        self._right = np.array([-self._up[1], self._up[0]])
        self._origin = skeleton.pelvis
        shoulders = np.hypot(*(skeleton.limbs[0, 0] - skeleton.limbs[1, 0]))
        self._half_width = 0.62 * max(float(shoulders), 0.3 * self._length)
        self._turns, self._yaws, self._pitch = (pelvis_turn, chest_turn), yaws, pitch

    def place(self, points: Points, *, surface: bool = False) -> Points:
        """Return where points of the trunk go, relative to the posed pelvis; ...x2.

        Args:
            surface: the points lie on the body's front, not in its middle, as joints do.
        """
        away = points - self._origin
        across, along = away @ self._right, away @ self._up
        high = along / self._length
        share = smooth(high / (2.2 * WAIST))
        yaw = self._yaws[0] + (self._yaws[1] - self._yaws[0]) * share
        depth = TRUNK_DEPTH * np.sqrt(np.maximum(self._half_width**2 - across**2, 0.0))
        across = across * np.cos(yaw) - (depth * np.sin(yaw) if surface else 0.0)
        along = np.where(along > 0.0, along * math.cos(self._pitch), along)
        # The lower part turns with the hips; above the waist the chest's turn is added.
        waist = WAIST * self._length * math.cos(self._pitch)
        bend = (self._turns[1] - self._turns[0]) * smooth(high / 0.75)
        x, y = rotate(across, along - waist, bend)
        x, y = rotate(x, y + waist, np.full(np.shape(x), self._turns[0]))
        placed: Points = x[..., None] * self._right + y[..., None] * self._up
        return placed


def rotate(
    across: NDArray[np.float64], along: NDArray[np.float64], turn: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn points, given to the right and upwards, clockwise."""
    cosine, sine = np.cos(turn), np.sin(turn)
    return across * cosine + along * sine, along * cosine - across * sine


def smooth(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ease from 0 to 1."""
    held = np.clip(share, 0.0, 1.0)
    return np.asarray(held * held * (3 - 2 * held))
