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


def tile_shape(
    height: int, width: int, *, margin: int, stride: int, side_max: int, pixels_max: int
) -> tuple[int, int]:
    """Choose the tiles that paint a canvas with the fewest pixels seen twice.

    Strips as wide as the canvas have margins on two sides only, and tiles at its border have none
    there: on a canvas of 2112x1600 two strips see 15 % more pixels than it has, squares of the
    same area 70 %.

    Args:
        height: rows of the canvas, a multiple of `stride`.
        width: columns of the canvas, a multiple of `stride`.
        margin: pixels that neighbouring tiles see of each other, a multiple of `stride`.
        stride: step of the network's own grid.
        side_max: pixels of a tile's longest side.
        pixels_max: of a tile, more than (2 * margin + stride) squared.

    Returns:
        Rows and columns of each tile, multiples of `stride`; those of the canvas if it fits.
    """
    row_sides = sides(height, margin, stride, side_max)
    column_sides = sides(width, margin, stride, side_max)
    fitting = [
        (rows_count * rows * columns_count * columns, rows, columns)
        for rows_count, rows in row_sides
        for columns_count, columns in column_sides
        if rows * columns <= pixels_max
    ]
    return min(fitting)[1:]


def sides(length: int, margin: int, stride: int, side_max: int) -> list[tuple[int, int]]:
    """List the ways to cut an axis into equal tiles: how many, and their length in pixels."""
    found = []
    count, side = 1, length
    while side > 2 * margin or count == 1:
        if side <= side_max:
            found.append((count, side))
        count += 1
        side = round_up(-(-(length + 2 * margin * (count - 1)) // count), stride)
        if found and side == found[-1][1]:
            break
    return found


def cut(
    height: int, width: int, shape: tuple[int, int], margin: int, stride: int
) -> Iterator[Tile]:
    """Cut a canvas into tiles that all have the same size.

    What is kept of a tile lies `margin` pixels or more inside of it, except at the canvas's own
    border. A purely local network whose reach is at most `margin` therefore paints the same
    pixels in tiles as in one piece.

    Args:
        height: rows of the canvas, a multiple of `stride`.
        width: columns of the canvas, a multiple of `stride`.
        shape: most rows and columns of a tile, multiples of `stride`, more than twice the margin.
        margin: pixels that neighbouring tiles see of each other, a multiple of `stride`.
        stride: step of the network's own grid; all tiles start on it.
    """
    rows = spans(height, shape[0], margin, stride)
    columns = spans(width, shape[1], margin, stride)
    for row, column in product(rows, columns):
        yield Tile(rows=row, columns=column)


def spans(length: int, side: int, margin: int, stride: int) -> list[Span]:
    """Cut one axis; the last tile is moved back so that it ends with the canvas."""
    assert length % stride == side % stride == margin % stride == 0, "tiles must lie on the grid"
    if length <= side:
        return [Span(start=0, stop=length, core_start=0, core_stop=length)]
    assert side > 2 * margin, "a tile without a core would never end"
    found: list[Span] = []
    core_start = 0
    while core_start < length:
        start = min(max(core_start - margin, 0), length - side)
        stop = start + side
        core_stop = length if stop == length else stop - margin
        found.append(Span(start=start, stop=stop, core_start=core_start, core_stop=core_stop))
        core_start = core_stop
    return found


def round_up(value: int, step: int) -> int:
    """Round up to a multiple of `step`."""
    return -(-value // step) * step
