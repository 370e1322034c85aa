"""Making light and colour run on where pieces of a picture meet each other and their surroundings.

Pérez, Gangnet and Blake, "Poisson Image Editing" (2003), on the small picture that a filling is
planned on: colours shall change from pixel to pixel as they do where the pieces come from. Where a
piece and what it meets differ too much to be the same thing, nothing is asked, so that the colour
of one thing does not run into another.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from services.vision.patches import Floats, Places, Problem

ROUNDS: Final = 40
"""Of conjugate gradients: more changed no colour by a step of 255."""

LIKE: Final = 0.08
"""Colours of 0..1 that differ by more are taken for different things."""

ANCHOR: Final = 0.001
"""How strongly a pixel keeps to the plan's colour, over what one neighbour asks."""

Pair: TypeAlias = tuple[tuple[slice, slice], tuple[slice, slice]]
PAIRS: Final[tuple[Pair, ...]] = (
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
)
"""Each pixel with the one below it, and with the one to its right."""


def level(picture: Floats, problem: Problem, rows: Places, columns: Places) -> Floats:
    """Return what has to be added to the pieces of a filling, hxwx3; 0 away from the hole.

    Args:
        picture: hxwx3 0..1, whose hole is planned.
        problem: of the picture.
        rows: hxw, where each pixel's piece comes from.
        columns: hxw, likewise.
    """
    hole = problem.hole[:, :, None]
    taken = picture[rows, columns]
    wanted, weights = zip(
        *(ask(picture, taken, rows, columns, axis) for axis in (0, 1)), strict=True
    )
    weights = tuple(
        weight * (problem.hole[first] | problem.hole[second])[:, :, None]
        for weight, (first, second) in zip(weights, PAIRS, strict=True)
    )

    def pull(colours: Floats, steps: tuple[Floats, ...] | None) -> Floats:
        """Sum what neighbours ask of each pixel of the hole, and what the plan asks."""
        total = ANCHOR * colours
        for axis, (first, second) in enumerate(PAIRS):
            change = colours[second] - colours[first]
            if steps is not None:
                change = change - steps[axis]
            change = change * weights[axis]
            total[first] -= change
            total[second] += change
        return total * hole

    rest = -pull(picture, wanted) + ANCHOR * picture * hole
    tone = picture + descend(lambda colours: pull(colours, None), rest)
    return np.where(problem.touched[:, :, None], tone - taken, 0).astype(np.float32)


def ask(
    picture: Floats, taken: Floats, rows: Places, columns: Places, axis: int
) -> tuple[Floats, Floats]:
    """Return how colours shall change from each pixel to the next along an axis, and how surely.

    Both pieces are asked, each in its own surroundings.
    """
    first, second = PAIRS[axis]
    down, right = (1, 0) if axis == 0 else (0, 1)
    height, width = rows.shape
    after = picture[
        np.minimum(rows[first] + down, height - 1), np.minimum(columns[first] + right, width - 1)
    ]
    before = picture[np.maximum(rows[second] - down, 0), np.maximum(columns[second] - right, 0)]
    step = (after - taken[first] + taken[second] - before) / 2
    apart = np.abs(after - taken[second]).max(axis=2) + np.abs(before - taken[first]).max(axis=2)
    sure = 1 / (1 + (apart / (2 * LIKE)) ** 2) ** 2
    return step, sure[:, :, None].astype(np.float32)


def descend(operate: Callable[[Floats], Floats], rest: Floats) -> Floats:
    """Solve operate(x) = rest by conjugate gradients, from zero."""
    found = np.zeros_like(rest)
    direction = rest.copy()
    length = float(np.vdot(rest, rest))
    for _ in range(ROUNDS):
        moved = operate(direction)
        stride = length / max(float(np.vdot(direction, moved)), 1e-12)
        found += np.float32(stride) * direction
        rest = rest - np.float32(stride) * moved
        shorter = float(np.vdot(rest, rest))
        direction *= np.float32(shorter / max(length, 1e-12))
        direction += rest
        length = shorter
    return found
