"""An edit is laid over the photo exactly where it is, at any size, and nowhere else."""

import numpy as np

from services.tryon.composite import lay_over, opaque
from services.tryon.edit import Edit
from services.vision.frame import Window


def edit_of(shape: tuple[int, int], rows: slice, columns: slice) -> Edit:
    """Cover a part of a crop with red."""
    edit = Edit(shape)
    cover = np.zeros(shape, np.float32)
    cover[rows, columns] = 1.0
    edit.lay(np.full((*shape, 3), (200, 20, 30), np.uint8), cover)
    return edit


def grey(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo without colours, and its empty mask."""
    return np.full((height, width, 3), 90, np.uint8), np.zeros((height, width), np.uint8)


def test_an_edit_lies_where_its_window_is() -> None:
    """Fresh pixels replace the photo's in the window, and the mask says so."""
    pixels, mask = grey(60, 80)
    window = Window(top=10, left=20, bottom=50, right=70)
    lay_over(edit_of((40, 50), slice(5, 15), slice(0, 10)), window, pixels, mask)

    assert (pixels[15:25, 20:30] == (200, 20, 30)).all()
    assert np.array_equal(mask > 0, (pixels != 90).any(axis=2))
    assert np.count_nonzero(mask) == 100


def test_an_enlarged_edit_has_no_dark_rim() -> None:
    """Four times as large, its soft edge lies between its own colour and the photo's."""
    pixels, mask = grey(600, 400)
    window = Window(top=0, left=0, bottom=600, right=400)
    lay_over(edit_of((150, 100), slice(30, 120), slice(20, 80)), window, pixels, mask)
    red = pixels[:, :, 0].astype(int)

    assert red.min() == 90
    assert (pixels[300, 200] == (200, 20, 30)).all()
    assert abs(np.count_nonzero(red > 145) - 360 * 240) < 0.01 * 360 * 240
    assert (pixels[mask == 0] == 90).all()


def test_shade_alone_darkens_the_photo() -> None:
    """Where an edit only shades, the photo's own pixels are darker, and noted."""
    pixels, mask = grey(40, 40)
    edit = Edit((40, 40))
    light = np.ones((40, 40), np.float32)
    light[10:20, 10:20] = 0.5
    edit.darken(light)
    lay_over(edit, Window(top=0, left=0, bottom=40, right=40), pixels, mask)

    assert (pixels[10:20, 10:20] == 45).all()
    assert np.count_nonzero(mask) == 100


def test_an_empty_edit_changes_nothing() -> None:
    """Without a change the photo stays as it is."""
    pixels, mask = grey(30, 30)
    lay_over(Edit((15, 15)), Window(top=0, left=0, bottom=30, right=30), pixels, mask)

    assert (pixels == 90).all()
    assert not mask.any()


def test_what_is_changed_is_opaque() -> None:
    """A transparent photo is visible where it was dressed."""
    alpha, mask = np.zeros((2, 2), np.uint8), np.array([[255, 0], [0, 255]], np.uint8)
    opaque(alpha, mask)

    assert np.array_equal(alpha, mask)
