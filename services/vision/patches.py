"""Filling a hole with pieces of the picture around it.

After Wexler, Shechtman and Irani, "Space-Time Completion of Video" (2007), for one picture: every
patch that touches the hole looks for the most similar patch that is whole, and may rather follow a
neighbour, so that larger pieces stay together; then every pixel takes the mean of what its patches
would put there; and again. On a small picture the most similar patch is found exactly, by one
product of matrices. What comes out is not only colours but places: where the content of each pixel
was found, so that a larger version can be filled with its own detail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Holes: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]

REACH: Final = 3
"""A patch reaches so many pixels to each side of its middle."""

PATCH: Final = 2 * REACH + 1

STEP: Final = 2
"""Pixels between the middles of patches that are laid: they overlap enough still."""

SOURCES_MAX: Final = 4000
"""Patches that are compared with; of more, an even selection."""

TARGETS_AT_A_TIME: Final = 512

WAVES: Final = 4
"""Patches are compared by so many of their slowest waves each way, and by colour in the mean."""

GUIDE_WAVES: Final = 2
"""The same of what a guide says: it is coarse."""

GUIDANCE: Final = 1.0
"""How much a difference from the guide counts, over one from the picture."""

DISTANCE_ACROSS: Final = 0.15
DISTANCE_DOWN: Final = 0.6
"""What it costs to take content from elsewhere, as a difference of patches, for a whole side of the
picture: things at one height are alike in size, light and distance."""

SEAM: Final = 0.004
"""What it costs, as a squared difference of patches, to differ from one neighbour's shift."""

SLANT: Final = 0.002
"""What it costs, likewise, to take content from another row: most lines are level."""

SLANT_ROWS: Final = 3
"""Content from so near a row may come from the target's own row instead."""

SWEEPS: Final = 4
"""How often every patch asks its neighbours."""

NOBODY: Final = int(np.iinfo(np.intp).max)
"""The shift of where no target is."""

NEIGHBOURS: Final = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A picture with a hole.

    Attributes:
        hole: hxw.
        whole: hxw, middles of patches that neither touch the hole nor leave the picture.
        touched: hxw, middles of patches that touch the hole.
        target: (h/STEP)x(w/STEP) bool, which of the patches that are laid touch the hole.
    """

    hole: Holes
    whole: Holes
    touched: Holes
    target: Holes


def pose(hole: Holes) -> Problem | None:
    """Look at a hole; None if no patch of the picture is whole."""
    touched = touches(hole)
    whole = ~touched
    whole[:REACH] = whole[-REACH:] = False
    whole[:, :REACH] = whole[:, -REACH:] = False
    if not whole.any():
        return None
    return Problem(hole=hole, whole=whole, touched=touched, target=touched[::STEP, ::STEP])


def improve(picture: Floats, problem: Problem, rounds: int, guide: Floats) -> tuple[Places, Places]:
    """Fill the hole of a picture that has a first guess there, in place.

    Args:
        picture: hxwx3 float32 0..1, changed where the hole is.
        problem: of the picture.
        rounds: how often patches are looked for and laid, at least once.
        guide: hxwx3, what the picture is to look like, coarsely.

    Returns:
        Rows and columns, for each target of the problem: where its content was found.
    """
    sources = thinned(problem.whole)
    fixed = [GUIDANCE * describe(guide, GUIDE_WAVES), costs_of_place(*problem.hole.shape)]
    for _ in range(rounds):
        traits = np.concatenate([describe(picture, WAVES), *fixed], axis=2)
        rows, columns = nearest(traits, problem.target, sources)
        straighten(traits, problem, rows, columns)
        settle(traits, problem, rows, columns)
        lay(picture, problem, rows, columns)
    return rows, columns


def touches(hole: Holes) -> Holes:
    """Return where patches touch a hole."""
    wide = np.pad(hole, REACH)
    along = sliding_window_view(wide, PATCH, axis=1).any(axis=2)
    return np.asarray(sliding_window_view(along, PATCH, axis=0).any(axis=2))


def thinned(where: Holes) -> tuple[Places, Places]:
    """Return rows and columns of places, an even selection of many."""
    rows, columns = np.nonzero(where)
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), SOURCES_MAX)).astype(np.intp)
    return rows[chosen], columns[chosen]


def describe(picture: Floats, count: int) -> Floats:
    """Return the traits of the patch around each pixel, hxwx(count^2 + 3).

    The squared distance of two patches' traits is, nearly, the mean squared difference of their
    colours. Beyond the border colours are mirrored.

    Args:
        picture: hxwx3 0..1.
        count: patches are told apart by so many of their slowest waves each way.
    """
    height, width = picture.shape[:2]
    wide = np.pad(picture, ((REACH, REACH), (REACH, REACH), (0, 0)), "symmetric")
    grey = wide @ np.full(3, 1 / 3, np.float32)
    windows = sliding_window_view(grey, (PATCH, PATCH)).reshape(height * width, PATCH * PATCH)
    shape = (windows @ waves(count)).reshape(height, width, count * count) / np.float32(PATCH)
    lines = np.zeros((len(wide), width, 3), np.float32)
    tone = np.zeros_like(picture)
    for right in range(PATCH):
        lines += wide[:, right : right + width]
    for down in range(PATCH):
        tone += lines[down : down + height]
    tone /= PATCH * PATCH
    return np.concatenate([shape, tone - shape[:, :, :1]], axis=2).astype(np.float32)


def costs_of_place(height: int, width: int) -> Floats:
    """Return traits, hxwx2, whose distance is what it costs to take content from elsewhere."""
    costs = np.array((DISTANCE_DOWN, DISTANCE_ACROSS), np.float32) / max(height, width)
    return np.asarray(np.moveaxis(np.indices((height, width)), 0, 2) * costs, np.float32)


def waves(count: int) -> Floats:
    """Return the slowest cosines of a patch as an orthonormal (PATCH * PATCH) x count^2 matrix."""
    place = (np.arange(PATCH) + 0.5) / PATCH
    line = np.cos(np.pi * place[:, None] * np.arange(count)) * np.sqrt(2 / PATCH)
    line[:, 0] /= np.sqrt(2)
    return np.kron(line, line).astype(np.float32)


def nearest(traits: Floats, target: Holes, sources: tuple[Places, Places]) -> tuple[Places, Places]:
    """Return for each target row and column of the source that is most like it."""
    theirs = traits[sources]
    # The target's own length is the same for all sources: by one product their order is known.
    across = np.concatenate([-2 * theirs, (theirs**2).sum(axis=1, keepdims=True)], axis=1).T
    mine = traits[::STEP, ::STEP][target]
    mine = np.concatenate([mine, np.ones((len(mine), 1), np.float32)], axis=1)
    across = np.ascontiguousarray(across)
    found = np.concatenate([(mine[part] @ across).argmin(axis=1) for part in parts(len(mine))])
    rows, columns = (np.zeros(target.shape, np.intp) for _ in range(2))
    rows[target], columns[target] = sources[0][found], sources[1][found]
    return rows, columns


def parts(count: int) -> Iterator[slice]:
    """Cut many targets into portions whose products stay near the processor."""
    for start in range(0, count, TARGETS_AT_A_TIME):
        yield slice(start, start + TARGETS_AT_A_TIME)


def straighten(traits: Floats, problem: Problem, rows: Places, columns: Places) -> None:
    """Let targets take their content from their own row if it is found near it, in place.

    Few pixels say where a line runs, so a line that is level in the picture is soon a pixel off.

    Args:
        traits: hxwxK.
        problem: of the picture.
        rows: of the sources, for each target.
        columns: likewise.
    """
    own = np.nonzero(problem.target)
    row, column = own[0] * STEP, columns[own]
    mine = traits[row, own[1] * STEP]
    slanted = ((mine - traits[rows[own], column]) ** 2).sum(axis=1)
    level = ((mine - traits[row, column]) ** 2).sum(axis=1)
    near = (np.abs(rows[own] - row) <= SLANT_ROWS) & problem.whole[row, column]
    rows[own] = np.where(near & (level <= slanted + SLANT), row, rows[own])


def settle(traits: Floats, problem: Problem, rows: Places, columns: Places) -> None:
    """Let targets follow their neighbours' shifts where that is cheaper, in place.

    The cost of a target is how unlike its source is, and SEAM for each neighbour with another
    shift; targets in turn, as the fields of a chessboard, take the cheapest of what is around.

    Args:
        traits: hxwxK.
        problem: of the picture.
        rows: of the sources, for each target.
        columns: likewise.
    """
    target = problem.target
    own = np.nonzero(target)
    # One number for each shift; targets' own places are taken away.
    width = traits.shape[1]
    flat, whole = traits.reshape(-1, traits.shape[2]), problem.whole.reshape(-1)
    base = (own[0] * STEP) * width + own[1] * STEP
    shift = np.full((target.shape[0] + 2, target.shape[1] + 2), NOBODY, np.intp)
    place = (own[0] + 1, own[1] + 1)
    shift[place] = rows[own] * width + columns[own] - base
    dark = (own[0] + own[1]) % 2 == 0
    for sweep in range(2 * SWEEPS):
        turn = np.flatnonzero(dark if sweep % 2 else ~dark)
        around = [
            shift[place[0][turn] + down, place[1][turn] + right] for down, right in NEIGHBOURS
        ]
        mine = flat[base[turn]]
        best = np.full(len(turn), np.inf, np.float32)
        chosen = shift[place][turn]
        for wish in [chosen.copy(), *around]:
            source = base[turn] + np.where(wish == NOBODY, 0, wish)
            inside = (wish != NOBODY) & (source >= 0) & (source < len(flat))
            source = np.where(inside, source, 0)
            cost = ((mine - flat[source]) ** 2).sum(axis=1)
            cost += SEAM * sum((other != wish) & (other != NOBODY) for other in around)
            cost += SLANT * (source // width != base[turn] // width)
            better = inside & whole[source] & (cost < best)
            best = np.where(better, cost, best)
            chosen = np.where(better, wish, chosen)
        shift[place[0][turn], place[1][turn]] = chosen
    found = shift[place] + base
    rows[own], columns[own] = found // width, found % width


def lay(picture: Floats, problem: Problem, rows: Places, columns: Places) -> None:
    """Give every pixel of the hole the mean of what the patches over it put there, in place."""
    height, width = problem.hole.shape
    wide = width + 2 * REACH
    total = np.zeros(((height + 2 * REACH) * wide, 4), np.float32)
    colours = np.concatenate([picture, np.ones((height, width, 1), np.float32)], axis=2)
    flat = colours.reshape(-1, 4)
    own = np.nonzero(problem.target)
    middle = (STEP * own[0] + REACH) * wide + STEP * own[1] + REACH
    source = rows[own] * width + columns[own]
    for down in range(-REACH, REACH + 1):
        for right in range(-REACH, REACH + 1):
            # A patch's middle knows best what belongs there.
            weight = np.float32(np.exp(-(down**2 + right**2) / (2.0 * REACH)))
            total[middle + (down * wide + right)] += weight * flat[source + (down * width + right)]
    inside = total.reshape(height + 2 * REACH, wide, 4)[REACH:-REACH, REACH:-REACH]
    laid = inside[problem.hole]
    picture[problem.hole] = laid[:, :3] / laid[:, 3:]


def spread_places(problem: Problem, rows: Places, columns: Places) -> tuple[Places, Places]:
    """Let every pixel near the hole take its content beside where its target takes it.

    Returns:
        hxw rows and columns; away from the hole a pixel's own place.
    """
    height, width = problem.hole.shape
    down, right = np.mgrid[0:height, 0:width]
    own = np.where(problem.target, rows - down[::STEP, ::STEP], 0)
    shift_down = own.repeat(STEP, axis=0).repeat(STEP, axis=1)[:height, :width]
    own = np.where(problem.target, columns - right[::STEP, ::STEP], 0)
    shift_right = own.repeat(STEP, axis=0).repeat(STEP, axis=1)[:height, :width]
    near = problem.touched
    return (
        np.clip(np.where(near, down + shift_down, down), 0, height - 1),
        np.clip(np.where(near, right + shift_right, right), 0, width - 1),
    )
