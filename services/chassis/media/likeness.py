"""The opening picture of a film, as like the photo as one colour for 2x2 pixels lets it be.

Brightness as the standard weighs it leaves each pixel the whole error of the colour that it shares
with its neighbours. A pixel's brightness is its own, so it can make up for some of that: here it is
chosen so that red, green and blue err least together once a player has joined both again. The same
idea in WebP's encoder is called "sharp YUV".
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# ITU-R BT.709-6, table 3: what a step of blue and of red difference (limited range) adds to the
# mean of red, green and blue, in steps of brightness.
TINT: Final = np.array([[1.8556 - 0.187324], [1.5748 - 0.468124]], np.float32) * np.float32(
    219 / 224 / 3
)
GREY: Final = 128.0
BLACK, WHITE = 16.0, 235.0
# Steps of brightness in one of the sum of red, green and blue.
SHARE: Final = np.float32(219 / 255 / 3)
# Fast players cut off where they should round, and so show a picture about a step too dark. Half a
# step more is nearest to what exact and fast ones show together; a little less keeps black black.
LIFT: Final = 0.49


def liken(picture: NDArray[np.uint8], planes: NDArray[np.uint8]) -> None:
    """Choose anew the brightness of a film's picture for the colours that it has.

    Args:
        picture: HxWx3 uint8 RGB; H and W are even.
        planes: 3H/2 x W uint8, the same as NV12 (see `Raster.to_nv12`); brightness is overwritten.
    """
    height, width = picture.shape[:2]
    light = picture.sum(axis=2, dtype=np.uint16) * SHARE
    colours = planes[height:].reshape(height // 2, width // 2, 2).astype(np.float32)
    colours -= GREY
    tint = (colours @ TINT).reshape(height // 2, 1, width // 2, 1)
    light.reshape(height // 2, 2, width // 2, 2)[:] -= tint
    light += BLACK + LIFT + 0.5
    np.clip(light, BLACK, WHITE, out=light)
    np.copyto(planes[:height], light, casting="unsafe")
