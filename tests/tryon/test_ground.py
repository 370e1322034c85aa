"""What is seen behind a person where clothes are taken away."""

from dataclasses import replace

import numpy as np
import pytest

from services.tryon import canvas
from services.tryon.body import Wearer
from services.tryon.canvas import Chosen, Pixels
from services.tryon.ground import ground

HOLE = (slice(300, 420), slice(440, 480))


@pytest.fixture
def hole(wearer: Wearer) -> Chosen:
    """Choose the figure and a strip beside it."""
    chosen = canvas.grown(wearer.body > 0, 4.0)
    chosen[HOLE] = True
    return chosen


def wanted(wearer: Wearer) -> Chosen:
    """Choose the strip alone."""
    chosen = np.zeros(wearer.shape, np.bool_)
    chosen[HOLE] = True
    return chosen & (wearer.body == 0)


def refuse(pixels: Pixels, hole: Chosen) -> Pixels:
    """Lay no pieces."""
    raise AssertionError("pieces were laid")


def with_ground(wearer: Wearer, behind: Pixels) -> Wearer:
    """Stand the figure before something else; the strip is dark."""
    pixels = np.where((wearer.body == 0)[:, :, None], behind, wearer.pixels)
    pixels[wanted(wearer)] = 20
    return replace(wearer, pixels=pixels)


def shaded() -> Pixels:
    """Paint a wall that darkens downwards."""
    rows = np.linspace(210, 150, 960)[:, None, None]
    return np.broadcast_to(rows, (960, 640, 3)).astype(np.uint8)


def test_an_even_ground_runs_on(wearer: Wearer, hole: Chosen) -> None:
    """A wall is filled with its own shade at each height, and no pieces of it are looked for."""
    before = with_ground(wearer, shaded())
    strip = wanted(wearer)
    filled, _ = ground(before, strip, hole, refuse, 0)

    off = np.abs(filled[strip].astype(int) - shaded()[strip])
    assert off.mean() < 3
    assert off.max() < 12


def test_a_patterned_ground_is_laid_in_pieces(wearer: Wearer, hole: Chosen) -> None:
    """Of a chequered wall pieces are asked for, where it is wanted alone."""
    squares = np.indices((960, 640)).sum(axis=0) // 8 % 2 * 120 + 60
    before = with_ground(wearer, np.repeat(squares[:, :, None], 3, axis=2).astype(np.uint8))
    asked: list[int] = []

    def fill(pixels: Pixels, missing: Chosen) -> Pixels:
        asked.append(int(missing.sum()))
        return np.where(missing[:, :, None], np.uint8(77), pixels)

    strip = wanted(wearer)
    filled, _ = ground(before, strip, hole, fill, 0)

    assert (filled[strip] == 77).all()
    assert asked[0] < 3 * strip.sum()


def test_traces_of_old_clothes_beside_the_known_are_told(wearer: Wearer, hole: Chosen) -> None:
    """A dark fleck next to what is cleared away goes too; one further off is the room's."""
    before = with_ground(wearer, shaded())
    near, far = (slice(340, 346), slice(481, 485)), (slice(340, 350), slice(560, 570))
    before.pixels[near] = before.pixels[far] = 30
    _, traces = ground(before, wanted(wearer), hole, refuse, 0)

    assert traces[near].all()
    assert not traces[far].any()


def test_nothing_of_the_person_counts_as_a_trace(wearer: Wearer, hole: Chosen) -> None:
    """Arms and hands beside what is cleared away stay, with their edges."""
    _, traces = ground(with_ground(wearer, shaded()), wanted(wearer), hole, refuse, 0)

    assert not (traces & canvas.grown((wearer.body > 0) & ~wanted(wearer), 2.0)).any()
