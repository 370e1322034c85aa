"""Lines sent out over the crop, to measure how far something reaches along them."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.tryon.body import HAIR, SKIN, Point, Points, Wearer, labelled

ScalarT = TypeVar("ScalarT", bound=np.generic)

# Pixels between the places that are looked at.
STEP = 0.5


def on_line(
    plane: NDArray[ScalarT], start: Point, direction: Point, far: float
) -> NDArray[ScalarT]:
    """Read a plane every half pixel from a point on; 0 outside of it."""
    steps = np.arange(0.0, max(far, 1.0), STEP)
    columns = np.rint(start[0] + direction[0] * steps).astype(np.intp)
    rows = np.rint(start[1] + direction[1] * steps).astype(np.intp)
    inside = (rows >= 0) & (rows < plane.shape[0]) & (columns >= 0) & (columns < plane.shape[1])
    found = np.zeros(steps.shape, plane.dtype)
    found[inside] = plane[rows[inside], columns[inside]]
    return found


def last_of(on: NDArray[np.bool_]) -> float | None:
    """Return how far the last chosen place of a line is, in pixels; None without any."""
    places = np.flatnonzero(on)
    return STEP * float(places[-1]) if places.size else None


def outermost(
    chosen: NDArray[np.bool_], start: Point, direction: Point, far: float
) -> float | None:
    """Measure how far out a choice lies along a line; what covers it in between does not matter.

    Returns:
        Pixels from the start to the last chosen one within `far`, None if nothing is chosen there.
    """
    return last_of(on_line(chosen, start, direction, far))


def outermost_label(
    wearer: Wearer, wanted: Sequence[int], start: Point, direction: Point, far: float
) -> float | None:
    """Measure how far out some parts of the body lie along a line; see `outermost`."""
    return last_of(labelled(on_line(wearer.body, start, direction, far), wanted))


def outermost_labels(
    wearer: Wearer,
    wanted: Sequence[int],
    starts: Points,
    directions: Points,
    far: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Measure the same along N lines, -1 where there is nothing.

    Args:
        starts: Nx2.
        directions: Nx2.
        far: N.
    """
    steps = np.arange(0.0, max(float(far.max(initial=1.0)), 1.0), STEP)
    columns, rows = (
        np.rint(starts[:, axis, None] + directions[:, axis, None] * steps).astype(np.intp)
        for axis in (0, 1)
    )
    height, width = wearer.body.shape
    on = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    on &= steps < np.maximum(far, 1.0)[:, None]
    on[on] = labelled(wearer.body[rows[on], columns[on]], wanted)
    last = steps.size - 1 - np.argmax(on[:, ::-1], axis=1)
    return np.where(on.any(axis=1), STEP * last, -1.0)


def outermost_bald(
    wearer: Wearer, wanted: Sequence[int], start: Point, direction: Point, far: float
) -> float | None:
    """Measure the same of what hair does not cover."""
    parts = labelled(on_line(wearer.body, start, direction, far), wanted)
    return last_of(parts & (on_line(wearer.wear, start, direction, far) != HAIR))


def outermost_skin(wearer: Wearer, start: Point, direction: Point, far: float) -> float | None:
    """Measure how far out skin lies along a line; see `outermost`."""
    return last_of(on_line(wearer.wear, start, direction, far) == SKIN)


def unbroken(chosen: NDArray[np.bool_], start: Point, direction: Point, far: float) -> float | None:
    """Measure how far a choice goes on along a line without a gap; specks count for nothing.

    Returns:
        Pixels from the start to where the choice ends, None if it does not hold the start or goes
        on for more than `far`.
    """
    off = ~on_line(chosen, start, direction, far)
    # A gap is two pixels wide at least.
    places = np.flatnonzero(off[:-3] & off[1:-2] & off[2:-1] & off[3:])
    return STEP * float(places[0]) if places.size and places[0] > 0 else None


def smooth(values: Sequence[float] | NDArray[np.float64], passes: int = 2) -> NDArray[np.float64]:
    """Take single bad measures out of a row of them."""
    row = np.asarray(values, np.float64)
    for _ in range(passes):
        padded = np.pad(row, 1, mode="edge")
        before, after = padded[:-2], padded[2:]
        # The middle one of three.
        row = np.clip(row, np.minimum(before, after), np.maximum(before, after))
    padded = np.pad(row, 1, mode="edge")
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
