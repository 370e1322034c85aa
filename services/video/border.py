"""What a camera sees past a photo's border: the photo again, mirrored aslant.

A mirror breaks every line that does not meet it squarely. Here what is mirrored is also moved along
the border, the further the farther away it is, by as much as lets the lines that end there run on.
Their direction is that of the structure tensor (Bigun and Granlund, 1987) along each side.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.video import fields
from services.video.fields import Field, Pixels

Shares: TypeAlias = NDArray[np.float32]

# Lines are looked for within so many margins of a side, and one direction holds for so many.
DEPTH_MARGINS: Final = 2
EVEN_MARGINS: Final = 0.35
# Lines that are less steep than this against the border are not followed.
LEAN_MAX: Final = 1.2
# How much of all contrast has to be that of a line, and how much of it is noise, in levels squared.
DOUBT: Final = 0.12
NOISE: Final = 50.0
# Rows above, rows below; then, with these, columns to the left and to the right.
TURNS: Final = ((False, False), (False, True), (True, False), (True, True))


class Border:
    """Draws the border around a photo's layers, whatever they show by now."""

    def __init__(self, pixels: Pixels, margin: int) -> None:
        """Look along the sides.

        Args:
            pixels: HxWx3 uint8 RGB, the photo.
            margin: pixels to draw on each side, at most those of the shorter side.
        """
        self._margin = margin
        self._maps = [self._map(turned(pixels, *turn), margin if turn[0] else 0) for turn in TURNS]

    def draw(self, canvas: Pixels) -> None:
        """Draw it in place around what (H + 2 margin)x(W + 2 margin)x4 shows within."""
        margin = self._margin
        if margin == 0:
            return
        for (across, last), (x, y) in zip(TURNS, self._maps, strict=True):
            view = turned(canvas, across, last)
            if not across:
                view = view[:, margin:-margin]
            strip = np.ascontiguousarray(view[margin : 2 * margin])
            drawn = np.empty_like(strip)
            fields.pull(strip, x, y, drawn)
            view[:margin] = drawn

    def _map(self, pixels: Pixels, beside: int) -> tuple[Field, Field]:
        """Tell where each pixel of the strip above the first row comes from in that below it.

        Args:
            pixels: the photo, turned so that the side is its first row.
            beside: pixels of the strip to the left and right of the photo.
        """
        margin = self._margin
        lean = lean_of(np.ascontiguousarray(pixels[: DEPTH_MARGINS * margin]), margin)
        lean = np.pad(lean, beside, mode="edge")
        away = np.arange(margin, 0, -1, dtype=np.float32)[:, None]
        # A line that leans one way is mirrored to lean the other way: twice that undoes it.
        x = np.arange(lean.size, dtype=np.float32) + 2 * lean * away
        return x.astype(np.float32), np.repeat(away - 1, lean.size, axis=1)


def turned(pixels: Pixels, across: bool, last: bool) -> Pixels:
    """View a picture with one of its sides as the first row."""
    sides = pixels.swapaxes(0, 1) if across else pixels
    return sides[::-1] if last else sides


def lean_of(strip: Pixels, margin: int) -> Shares:
    """Find how many columns the lines in hxWx3 go to the right a row: W values."""
    if min(strip.shape[:2]) < 2:
        return np.zeros(strip.shape[1], np.float32)
    right, down = fields.slopes(strip)
    moments = np.stack([right * right, right * down, down * down]).sum(axis=1)
    across, mixed, along = fields.blur_rows(moments, EVEN_MARGINS * margin)
    lean = -mixed / (across + DOUBT * (across + along) + NOISE)
    even: Shares = fields.blur_rows(
        np.clip(lean, -LEAN_MAX, LEAN_MAX)[None], EVEN_MARGINS * margin / 2
    )[0]
    return even
