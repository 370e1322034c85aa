"""A square laid over a person, turned with the body: where crops come from and answers go back."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Point: TypeAlias = tuple[float, float]
Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """An upright rectangle of whole pixels: [top, bottom) rows and [left, right) columns."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows inside."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns inside."""
        return self.right - self.left

    def grown(self, margin: int, height: int, width: int) -> "Window":
        """Return the window with a margin around it, within a picture of height x width."""
        return Window(
            top=max(0, self.top - margin),
            left=max(0, self.left - margin),
            bottom=min(height, self.bottom + margin),
            right=min(width, self.right + margin),
        )

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in an array of rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A turned square in picture pixels.

    Attributes:
        centre: x and y of its middle.
        side: length of an edge, in pixels.
        turn: how far its upright leans clockwise, in radians.
    """

    centre: Point
    side: float
    turn: float

    def to_picture(self, cells: int) -> Matrix:
        """Return the 2x3 matrix from crop to picture coordinates, for a crop of cells x cells."""
        step = self.side / cells
        along, across = step * math.cos(self.turn), step * math.sin(self.turn)
        x, y = self.centre
        half = cells / 2
        return np.array(
            [
                [along, -across, x - half * (along - across)],
                [across, along, y - half * (across + along)],
            ]
        )

    def window(self, height: int, width: int) -> Window | None:
        """Return the part of a picture that the square's upright hull covers, None for nothing."""
        reach = self.side / 2 * (abs(math.cos(self.turn)) + abs(math.sin(self.turn)))
        x, y = self.centre
        window = Window(
            top=max(0, math.floor(y - reach)),
            left=max(0, math.floor(x - reach)),
            bottom=min(height, math.ceil(y + reach)),
            right=min(width, math.ceil(x + reach)),
        )
        return window if window.height > 0 and window.width > 0 else None


def body_frame(hips: Point, crown: Point, margin: float) -> Frame:
    """Lay the frame around a whole body.

    Args:
        hips: middle between the hips, the centre of the body's circle.
        crown: the point of that circle above the head; it holds the circle's size and the lean.
        margin: side of the frame over the circle's diameter.
    """
    right, down = crown[0] - hips[0], crown[1] - hips[1]
    return Frame(
        centre=hips,
        side=2 * math.hypot(right, down) * margin,
        turn=math.pi / 2 - math.atan2(-down, right),
    )


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the 2x3 matrix that does `inner` first and `outer` then."""
    joined: Matrix = outer @ np.vstack([inner, [0.0, 0.0, 1.0]])
    return joined


def inverse(matrix: Matrix) -> Matrix:
    """Return the 2x3 matrix that undoes one."""
    whole = np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))
    return np.asarray(whole[:2], np.float64)


def shrink(window: Window, height: int, width: int) -> Matrix:
    """Return the 2x3 matrix from picture coordinates to a window scaled to height x width.

    Coordinates count from the middle of the first pixel, so that scaling keeps edges in place.
    """
    right, down = width / window.width, height / window.height
    return np.array(
        [
            [right, 0.0, (0.5 - window.left) * right - 0.5],
            [0.0, down, (0.5 - window.top) * down - 0.5],
        ]
    )


def whole_window(height: int, width: int) -> Window:
    """Return the window of all of a picture."""
    return Window(top=0, left=0, bottom=height, right=width)


def scaled_to(height: int, width: int, side: int) -> tuple[int, int]:
    """Return rows and columns with the longer of them `side`."""
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))
