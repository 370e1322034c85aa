"""Tiles: every pixel is kept once, seen with enough of its surroundings, on the grid."""

import numpy as np
import pytest

from services.stylize.tiles import cut, spans, tile_shape


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
    for tile in cut(416, 288, (128, 96), 32, 16):
        kept[
            tile.rows.core_start : tile.rows.core_stop,
            tile.columns.core_start : tile.columns.core_stop,
        ] += 1

    assert np.all(kept == 1)


@pytest.mark.parametrize(
    "size", [(1600, 2112), (2112, 1600), (2112, 2112), (64, 8192), (5504, 7360)]
)
def test_tiles_fit_and_see_little_twice(size: tuple[int, int]) -> None:
    """A tile is no larger than it may be, and all together see at most a third more pixels."""
    shape = tile_shape(*size, margin=128, stride=16, side_max=8192, pixels_max=2_400_000)

    seen = sum(
        (tile.rows.stop - tile.rows.start) * (tile.columns.stop - tile.columns.start)
        for tile in cut(*size, shape, 128, 16)
    )
    assert shape[0] * shape[1] <= 2_400_000
    assert seen <= 1.34 * size[0] * size[1]


def test_what_fits_is_not_cut() -> None:
    """A canvas within both limits is one tile; one that is too long or too large is not."""
    shape_of = {
        limits: tile_shape(512, 640, margin=32, stride=16, side_max=limits[0], pixels_max=limits[1])
        for limits in ((640, 512 * 640), (624, 512 * 640), (640, 512 * 640 - 1))
    }

    assert shape_of[640, 512 * 640] == (512, 640)
    assert all(
        shape != (512, 640) for limits, shape in shape_of.items() if limits != (640, 512 * 640)
    )
