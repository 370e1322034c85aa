"""What a frame shows of its view: as much as can be without looking past the photo's border."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.video.camera import Flight
from services.video.fields import Field
from services.video.projection import Projection, Window

# How often the border is looked at, and over how many seconds a change of the window is spread.
LOOKS_A_SECOND: Final = 8
LOOKS_MIN: Final = 33
SPREAD_SECONDS: Final = 0.4
SPREAD_SHARE_MAX: Final = 0.1
# Share of the clip in which the window leaves the whole photo, and in a loop comes back to it.
START_SHARE: Final = 0.3
# Places that are looked at along each side.
PLACES: Final = 24
# No window is smaller than this; what it still sees past the border is the mirrored photo.
SCALE_MIN: Final = 0.6


class Framing:
    """Plans a window that opens and closes slowly, and is the whole photo at the start."""

    def __init__(
        self,
        projection: Projection,
        flight: Flight,
        depths: Sequence[Field],
        *,
        seconds: float,
        loop: bool,
        slack: float,
    ) -> None:
        """Look along the border over the whole flight.

        Args:
            projection: of photo and frames.
            flight: where the camera is.
            depths: inverse depths of the layers.
            seconds: length of the clip.
            loop: whether the clip's end is its start.
            slack: share of the sides that may be seen past the border, where the photo is mirrored.
        """
        self._loop = loop
        looks = max(math.ceil(seconds * LOOKS_A_SECOND), LOOKS_MIN)
        self._times = np.linspace(0.0, 1.0, looks, endpoint=not loop)
        self._spread = min(SPREAD_SECONDS / seconds, SPREAD_SHARE_MAX)
        self._size = (projection.height, projection.width)
        border = places_along(*self._size)
        whole = Window()
        excess = np.array(
            [
                np.max(
                    [
                        overshoot(projection.trace(border, flight(time), whole, depth), *self._size)
                        for depth in depths
                    ],
                    axis=0,
                )
                for time in self._times
            ]
        )
        sides = np.array([projection.width, projection.width, projection.height, projection.height])
        self._excess = widest(np.maximum(excess - slack * sides, 0.0), self._near())

    def window(self, time: float) -> Window:
        """Choose what the frame at a time of 0 to 1 shows."""
        if not self._excess.any():
            return Window()
        weights = np.exp(-0.5 * (self._away(time) / self._spread) ** 2)
        sides = weights @ self._excess / weights.sum() * self._opening(time)
        left, right, top, bottom = sides.tolist()
        height, width = self._size
        scale = max(1.0 - max((left + right) / width, (top + bottom) / height), SCALE_MIN)
        room_x, room_y = width * (1.0 - scale) / 2, height * (1.0 - scale) / 2
        return Window(
            scale=scale,
            right=min(max((left - right) / 2, -room_x), room_x),
            down=min(max((top - bottom) / 2, -room_y), room_y),
        )

    def _away(self, time: float) -> NDArray[np.float64]:
        """Tell how far each look is from a time; a loop goes round."""
        away = np.abs(self._times - time)
        return np.minimum(away, 1.0 - away) if self._loop else away

    def _near(self) -> NDArray[np.bool_]:
        """Tell of each pair of looks whether they are within the spread of each other."""
        return np.array([self._away(time) <= self._spread for time in self._times])

    def _opening(self, time: float) -> float:
        """Grow from 0 at the start to 1, and back to 0 at the end of a loop."""
        way = min(time, 1.0 - time) if self._loop else time
        share = min(way / START_SHARE, 1.0)
        return share * share * (3.0 - 2.0 * share)


def places_along(height: int, width: int) -> tuple[Field, Field]:
    """List places along the border of a frame: columns and rows, 1xN."""
    across = np.linspace(0.0, width - 1.0, PLACES)
    down = np.linspace(0.0, height - 1.0, PLACES)
    x = np.concatenate([across, across, np.zeros(PLACES), np.full(PLACES, width - 1.0)])
    y = np.concatenate([np.zeros(PLACES), np.full(PLACES, height - 1.0), down, down])
    return x[None].astype(np.float32), y[None].astype(np.float32)


def overshoot(places: tuple[Field, Field], height: int, width: int) -> NDArray[np.float64]:
    """Measure how far places lie past the left, right, top and bottom border, pixels."""
    x, y = places
    beyond = (-x.min(), x.max() - (width - 1), -y.min(), y.max() - (height - 1))
    return np.maximum(np.array(beyond, np.float64), 0.0)


def widest(excess: NDArray[np.float64], near: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take the largest excess of all looks that are near each one."""
    return np.array([excess[neighbours].max(axis=0) for neighbours in near])
