"""Tiles: every pixel is kept once, seen with enough of its surroundings, on the grid."""

import numpy as np
import pytest

from services.stylize.tiles import cut, spans


@pytest.mark.parametrize("length", [16, 1024, 1040, 1808, 2048, 4000 // 16 * 16, 7296])
def test_cores_cover_an_axis_once_and_keep_their_margins(length: int) -> None:
    """Cores follow each other without gap; what is kept has its margin, except at the border."""
    side, margin, stride = 1024, 112, 16
    found = spans(length, side, margin, stride)

    assert [span.core_start for span in found] == [0, *[span.core_stop for span in found[:-1]]]
    assert found[-1].core_stop == length
    for span in found:
        assert span.stop - span.start == min(side, length)
        assert span.start % stride == 0
        assert span.start == 0 or span.core_start - span.start >= margin
        assert span.stop == length or span.stop - span.core_stop >= margin


def test_tiles_cover_a_canvas_once() -> None:
    """On both axes together no pixel is left out or painted twice."""
    kept = np.zeros((416, 288), np.int64)
    for tile in cut(416, 288, 128, 32, 16):
        kept[
            tile.rows.core_start : tile.rows.core_stop,
            tile.columns.core_start : tile.columns.core_stop,
        ] += 1

    assert np.all(kept == 1)
