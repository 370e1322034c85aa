"""From a place in a frame back to a place in the photo, for a camera that has moved."""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.video import fields
from services.video.camera import Pose
from services.video.fields import Field

Matrix: TypeAlias = NDArray[np.float32]
Places: TypeAlias = tuple[Field, Field]

# Focal length in long sides of the picture: the angle of view of a normal lens.
FOCAL_LONG_SIDES: Final = 1.0
# Each step leaves about a quarter of the error: the fields are no steeper than `layers` lets them.
STEPS: Final = 4
# A camera that comes closer to a surface than this share of its distance would pass through it.
APPROACH_MAX: Final = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a view that a frame shows: a little less than all, to keep borders out.

    Attributes:
        scale: side of the part, in sides of the view.
        right: how far its middle lies to the right of the view's, pixels.
        down: the same, downwards.
    """

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """The camera that took the photo: a pinhole that looked at the picture's middle.

    Depth is inverse: 1 at the focus point, 0 infinitely far away.

    Attributes:
        height: rows of photo and frames.
        width: columns.
        focus: x and y of the focus point, pixels.
    """

    height: int
    width: int
    focus: tuple[float, float]

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return FOCAL_LONG_SIDES * max(self.height, self.width)

    @property
    def centre(self) -> tuple[float, float]:
        """Column and row of the picture's middle."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    def trace(self, places: Places, pose: Pose, window: Window, inverse_depth: Field) -> Places:
        """Find where in the photo lies what a frame shows at some places.

        Solves u = v + d(u) (t - v t_z) by iteration: u is the place in the photo, v that in the
        frame with the turn undone, both on the plane at distance 1, d the inverse depth there, and
        t the way that the camera went.

        Args:
            places: columns and rows in the frame, pixels.
            pose: where the camera is.
            window: what the frame shows of its view.
            inverse_depth: hxw over the whole photo.

        Returns:
            Columns and rows in the photo, pixels; of the shape of the places.
        """
        (centre_x, centre_y), focal = self.centre, self.focal
        x, y = self._unzoomed(places, pose.zoom, window)
        x, y = (x - centre_x) / focal, (y - centre_y) / focal
        way, turn = self.motion(pose)
        if not np.array_equal(turn, np.eye(3)):
            x, y = turned(x, y, turn)
        if any(way):
            x, y = self._parallax(x, y, way, inverse_depth)
        return x * focal + centre_x, y * focal + centre_y

    def motion(self, pose: Pose) -> tuple[tuple[float, float, float], Matrix]:
        """Turn a pose into a way, in distances of the focus point, and a turning matrix.

        Axes are x to the right, y down, z into the picture; the matrix goes from the moved camera
        to the photo's.
        """
        focus_x = (self.focus[0] - self.centre[0]) / self.focal
        focus_y = (self.focus[1] - self.centre[1]) / self.focal
        goal = np.array([focus_x, focus_y, 1.0])
        swing = about_vertical(pose.swing_degrees)
        shift = np.array([pose.x * self.width / self.focal, pose.y * self.height / self.focal, 0.0])
        way = goal - swing @ goal + shift + pose.z * goal
        turn = (
            swing
            @ about_vertical(pose.yaw_degrees)
            @ about_horizontal(pose.pitch_degrees)
            @ about_axis(pose.roll_degrees)
        )
        return (float(way[0]), float(way[1]), float(way[2])), turn.astype(np.float32)

    def _unzoomed(self, places: Places, zoom: float, window: Window) -> Places:
        """Undo window and zoom; what is magnified is so around the focus point."""
        (centre_x, centre_y), scale = self.centre, window.scale
        x = (places[0] - centre_x) * scale + (centre_x + window.right)
        y = (places[1] - centre_y) * scale + (centre_y + window.down)
        fixed_x, fixed_y = self.focus if zoom > 1.0 else self.centre
        return (x - fixed_x) / zoom + fixed_x, (y - fixed_y) / zoom + fixed_y

    def _parallax(
        self, x: Field, y: Field, way: tuple[float, float, float], inverse_depth: Field
    ) -> Places:
        rows, columns = inverse_depth.shape
        per_x, per_y = columns / self.width, rows / self.height
        scale_x, scale_y = self.focal * per_x, self.focal * per_y
        offset_x = (self.centre[0] + 0.5) * per_x - 0.5
        offset_y = (self.centre[1] + 0.5) * per_y - 0.5
        move_x, move_y = way[0] - x * way[2], way[1] - y * way[2]
        nearest = APPROACH_MAX / way[2] if way[2] > 0.0 else math.inf
        at_x, at_y = x, y
        for _ in range(STEPS):
            depth = fields.sample(
                inverse_depth, at_x * scale_x + offset_x, at_y * scale_y + offset_y
            )
            if nearest < math.inf:
                np.minimum(depth, nearest, out=depth)
            at_x, at_y = x + depth * move_x, y + depth * move_y
        return at_x, at_y


def turned(x: Field, y: Field, turn: Matrix) -> Places:
    """Turn rays, given on the plane at distance 1."""
    depth = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2]
    return (
        (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2]) / depth,
        (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2]) / depth,
    )


def about_vertical(degrees: float) -> NDArray[np.float64]:
    """Turn to the right."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])


def about_horizontal(degrees: float) -> NDArray[np.float64]:
    """Turn upwards."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])


def about_axis(degrees: float) -> NDArray[np.float64]:
    """Turn clockwise."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
