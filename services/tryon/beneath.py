"""The other garment, which goes on where the old one lay over it."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import HIP, Wearer
from services.tryon.canvas import Chosen, Pixels

Places: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]

# Rows beside the old hem that go on under it, there and back, in spans: less than to the crotch.
DEPTH = 0.05
# The edge from which it goes on is level over so many columns, in spans.
LEVEL = 0.08
# A mark differs from the cloth by so many times its usual texture; that is told by columns within
# so many pixels.
MARK, LEVEL_SIGMA = 4.0, 1.5
# Below the hip joints trousers part, so far and so wide; in spans.
CROTCH_DOWN, CROTCH_WIDTH = 0.22, 0.10


def beneath(wearer: Wearer, source: Chosen, wanted: Chosen, *, from_below: bool) -> Pixels:
    """Carry a garment on along the columns, HxWx3 uint8.

    Args:
        source: HxW, where it is seen.
        wanted: HxW, where it goes on; elsewhere the answer means nothing.
        from_below: whether trousers go on up, or a top goes on down.
    """
    if not from_below:
        return carried_up(wearer.pixels[::-1], source[::-1], wanted[::-1], wearer.span)[::-1]
    return carried_up(wearer.pixels, source & ~parting(wearer), wanted, wearer.span)


def parting(wearer: Wearer) -> Chosen:
    """Choose what lies between the legs and beside it, HxW."""
    hips, span = wearer.middle(HIP), wearer.span
    middle = hips + CROTCH_DOWN * span * wearer.down
    out, far = CROTCH_WIDTH * span * wearer.across, 3.0 * span * wearer.down
    corners = np.array([middle - out, middle + out, middle + out + far, middle - out + far])
    return canvas.polygon(wearer.shape, corners)


def carried_up(pixels: Pixels, source: Chosen, wanted: Chosen, span: float) -> Pixels:
    """Carry what is seen in the source up its columns; see `beneath`."""
    answer = pixels.copy()
    depth = max(2, round(DEPTH * span))
    edges, nearest = upper_edges(source, wanted, depth, round(LEVEL * span))
    rows, columns = np.nonzero(wanted)
    away = np.maximum(edges[columns] - rows, 0)
    # There and back again, so that patterns go on without a step.
    away = depth - np.abs(away % (2 * depth) - depth)
    taken = np.minimum(edges[columns] + away, len(pixels) - 1), nearest[columns]
    band = np.minimum(edges + np.arange(depth + 1)[:, None], len(pixels) - 1), nearest
    answer[rows, columns] = without_marks(pixels, source, band, taken, columns)
    hidden = ~source[taken]
    if hidden.any():
        missed = np.zeros(wanted.shape, np.bool_)
        missed[rows[hidden], columns[hidden]] = True
        window = canvas.bounds(wanted, 2 * depth, source)
        around = canvas.mirrored_out(pixels[window], source[window], missed[window])
        answer[missed] = around[missed[window]]
    return answer


def without_marks(
    pixels: Pixels, source: Chosen, band: Places, taken: Places, columns: NDArray[np.intp]
) -> Pixels:
    """Return the pixels taken, Nx3, without what is there once and would come again and again.

    Args:
        pixels: HxWx3.
        source: HxW, where the garment is seen.
        band: rows DxW and columns W that the garment is told by.
        taken: N rows and N columns.
        columns: N, whose places they are for.
    """
    colours, known = pixels[band].astype(np.float32), source[band]
    counts = known.sum(axis=0)
    held = np.flatnonzero(counts)
    if not held.size:
        return pixels[taken]
    means = (colours * known[:, :, None]).sum(axis=0)[held] / counts[held, None]
    places = np.arange(len(counts))
    usual = np.stack([np.interp(places, held, channel) for channel in means.T], axis=1)
    usual = canvas.blurred(usual.astype(np.float32)[None], LEVEL_SIGMA)[0]
    most = MARK * float(np.median(np.abs(colours - usual)[known])) + 1.0
    own = np.clip(pixels[taken] - usual[columns], -most, most)
    return np.asarray(np.rint(np.clip(usual[columns] + own, 0, 255)), np.uint8)


def upper_edges(
    source: Chosen, wanted: Chosen, depth: int, reach: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each column the row from which a garment goes on up, and the column it is seen in.

    Args:
        source: HxW, where it is seen.
        wanted: HxW, where it goes on.
        depth: rows that are taken.
        reach: columns to each side that the edge is level over.
    """
    height, width = source.shape
    lowest = height - 1 - np.argmax(wanted[::-1], axis=0)
    below = source & (np.arange(height)[:, None] > np.where(wanted.any(axis=0), lowest, height))
    first = np.argmax(below, axis=0)
    deep = below.any(axis=0)
    deep &= below[np.minimum(first + depth, height - 1), np.arange(width)]
    held, own = np.flatnonzero(deep), np.arange(width)
    if not held.size:
        return np.full(width, height - 1), own
    edges = np.interp(own, held, first[held])
    padded = np.pad(edges, reach, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    level = np.rint(np.quantile(around, 0.7, axis=1)).astype(np.intp)
    place = np.clip(np.searchsorted(held, own), 1, held.size - 1) if held.size > 1 else own * 0
    before, after = held[np.maximum(place - 1, 0)], held[place]
    nearest = np.where(own - before < after - own, before, after)
    return np.maximum(level, lowest + 1).clip(0, height - 1), nearest
