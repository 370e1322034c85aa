"""Moving pixels: what a raster promises, whatever it runs on."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Raster(Protocol):
    """Pixel work on arrays of the caller's; targets are written in place and must not overlap."""

    def resize(self, source: NDArray[Any], target: NDArray[Any]) -> None:
        """Scale HxW or HxWxC (uint8 or float32) to the target's size.

        By area where it shrinks, bicubic where it grows; what lies outside mirrors the border.
        """
        ...

    def mirror(
        self, source: NDArray[np.uint8], target: NDArray[np.uint8], top: int, left: int
    ) -> None:
        """Lay HxWx3 into a larger target at (top, left); its surroundings mirror it."""
        ...

    def blend(
        self,
        base: NDArray[np.uint8],
        over: NDArray[np.uint8],
        mask: NDArray[np.uint8] | None,
        opacity: float,
        target: NDArray[np.uint8],
    ) -> None:
        """Write base + (over - base) * opacity * mask / 255, all HxWx3 uint8 but the HxW mask.

        Where the mask is 0 the target equals the base bit for bit; where mask and opacity are
        full it equals `over`.
        """
        ...

    def keep_colour(
        self, photo: NDArray[np.uint8], painted: NDArray[np.uint8], target: NDArray[np.uint8]
    ) -> None:
        """Write the painted brightness with the photo's colour, HxWx3 uint8 RGB (CIE Lab)."""
        ...

    def add_detail(
        self,
        photo: NDArray[np.uint8],
        small: NDArray[np.uint8],
        gain: float,
        target: NDArray[np.uint8],
    ) -> None:
        """Add to the target what the photo shows finer than its small version, times `gain`.

        Args:
            photo: HxWx3 uint8 RGB.
            small: the photo at a smaller size.
            target: HxWx3 uint8 RGB, changed in place; its brightness alone.
        """
        ...
