"""How a picture too large for one run of the network is cut into overlapping tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One tile along one axis, in pixels of the canvas.

    Attributes:
        start: first pixel that the network sees.
        stop: one past the last pixel that the network sees.
        core_start: first pixel that is kept.
        core_stop: one past the last pixel that is kept.
    """

    start: int
    stop: int
    core_start: int
    core_stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile: its rows and its columns."""

    rows: Span
    columns: Span


def cut(height: int, width: int, side: int, margin: int, stride: int) -> Iterator[Tile]:
    """Cut a canvas into tiles that all have the same size.

    What is kept of a tile lies `margin` pixels or more inside of it, except at the canvas's own
    border. A purely local network whose reach is at most `margin` therefore paints the same
    pixels in tiles as in one piece.

    Args:
        height: rows of the canvas, a multiple of `stride`.
        width: columns of the canvas, a multiple of `stride`.
        side: longest side of a tile, a multiple of `stride`, more than twice the margin.
        margin: pixels that neighbouring tiles see of each other, a multiple of `stride`.
        stride: step of the network's own grid; all tiles start on it.
    """
    rows = spans(height, side, margin, stride)
    columns = spans(width, side, margin, stride)
    for row, column in product(rows, columns):
        yield Tile(rows=row, columns=column)


def spans(length: int, side: int, margin: int, stride: int) -> list[Span]:
    """Cut one axis; the last tile is moved back so that it ends with the canvas."""
    assert length % stride == side % stride == margin % stride == 0, "tiles must lie on the grid"
    assert side > 2 * margin, "a tile without a core would never end"
    if length <= side:
        return [Span(start=0, stop=length, core_start=0, core_stop=length)]
    found: list[Span] = []
    core_start = 0
    while core_start < length:
        start = min(max(core_start - margin, 0), length - side)
        stop = start + side
        core_stop = length if stop == length else stop - margin
        found.append(Span(start=start, stop=stop, core_start=core_start, core_stop=core_stop))
        core_start = core_stop
    return found
