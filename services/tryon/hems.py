"""The hem of the top that is worn: where it ends over what is below, told by the outline too."""

import numpy as np
from numpy.typing import NDArray

from services.tryon.body import LEGS, LOWER, TORSO, UPPER, Wearer, below_hips, labelled
from services.tryon.canvas import Chosen

# A hem and its shadow may lie so far below where they were found, in spans.
UNDER_HEM = 0.08
# A jacket's shadow reaches so far below it, and its hem is level over so many columns, in spans.
HEM_SHADOW, HEM_LEVEL = 0.05, 0.1
# The outline steps in so much at the end of a jacket, over so many rows, no further below the hem
# that was found than so; all in spans.
FLARE_MIN, FLARE_STEP, FLARE_REACH = 0.045, 0.03, 0.25


def under_hem(wearer: Wearer, old: Chosen) -> Chosen:
    """Choose the rim of what is worn below a top: its hem, where the labels err, or its shadow."""
    lap = labelled(wearer.body, (TORSO, *LEGS))
    over = old & lap
    columns = np.flatnonzero(over.any(axis=0))
    if not columns.size:
        return over
    ends = old.shape[0] - 1 - np.argmax(over[::-1, columns], axis=0)
    hem = int(np.median(ends))
    found = flare_end(lap, hem, wearer.span) - hem
    rows = max(UNDER_HEM * wearer.span, found + HEM_SHADOW * wearer.span if found else 0.0)
    last = np.full(old.shape[1], -1.0)
    last[columns] = level_ends(ends, round(HEM_LEVEL * wearer.span)) + rows
    places = np.arange(old.shape[0])[:, None]
    first = np.full(old.shape[1], old.shape[0])
    first[columns] = ends
    below = (places > first) & (places <= last)
    return np.asarray(below & lap & (wearer.wear == LOWER))


def level_ends(ends: NDArray[np.intp], reach: int) -> NDArray[np.float64]:
    """Take steps out of a hem, so many columns to each side."""
    padded = np.pad(ends, reach, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.maximum(np.median(around, axis=1), ends), np.float64)


def above_lower(wearer: Wearer, old: Chosen) -> Chosen:
    """Choose the columns, as far as the old hem reaches, of what is worn below it.

    Beside them a jacket stood out, and what is behind the person shows.
    """
    lap = labelled(wearer.body, (TORSO, *LEGS))
    rows = np.flatnonzero((old & lap).any(axis=1))
    chosen = np.ones(old.shape, np.bool_)
    if not rows.size:
        return chosen
    below = rows[-1] + 1 + round(FLARE_STEP * wearer.span)
    columns = np.flatnonzero(lap[below : below + 3].any(axis=0))
    if columns.size:
        chosen[:below] = False
        chosen[:below, columns[0] : columns[-1] + 1] = True
    return chosen


def flare_end(lap: Chosen, hem: int, span: float) -> int:
    """Find the row below a hem where the body's outline steps in, as under a jacket; else the hem.

    A jacket of the trousers' colour ends there, whatever its colour says.
    """
    reach, step = round(FLARE_REACH * span), max(2, round(FLARE_STEP * span))
    rows = np.arange(max(0, hem - step), min(lap.shape[0], hem + reach + step))
    part = lap[rows]
    wide = lap.shape[1] - np.argmax(part[:, ::-1], axis=1) - np.argmax(part, axis=1)
    totals = np.concatenate([[0.0], np.cumsum(wide * part.any(axis=1))])
    means = (totals[step:] - totals[:-step]) / step
    drops = means[:-step] - means[step:]
    if not drops.size or drops.max() < FLARE_MIN * span:
        return hem
    return int(rows[0] + drops.argmax() + step)


def hem_of_top(wearer: Wearer) -> float:
    """Return how far below the hip joints a top ends that is worn over, in pixels."""
    over = (wearer.wear == UPPER) & labelled(wearer.body, (TORSO, *LEGS))
    columns = over.any(axis=0)
    if not columns.any():
        return -np.inf
    ends = np.where(over, below_hips(wearer), -np.inf).max(axis=0)
    return float(np.median(ends[columns]))
