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

    def remap(
        self,
        source: NDArray[np.uint8],
        map_x: NDArray[np.float32],
        map_y: NDArray[np.float32],
        target: NDArray[np.uint8],
    ) -> None:
        """Fill the target from places in the source, bilinear; outside lies the mirrored picture.

        Args:
            source: HxW or HxWxC, at most 32767 pixels a side.
            map_x: hxw, for each pixel of the target its column in the source; whole numbers are
                the middles of pixels.
            map_y: hxw, its row.
            target: hxw or hxwxC, with the channels of the source.
        """
        ...

    def to_nv12(self, picture: NDArray[np.uint8], frame: NDArray[np.uint8]) -> None:
        """Write RGB as a frame of a film: BT.709, limited range, colour at half the size.

        Args:
            picture: HxWx3 uint8 RGB; H and W are even.
            frame: 3H/2 x W uint8: rows of brightness, then rows of interleaved colour differences
                (NV12), each the mean of 2x2 pixels.
        """
        ...


class Lens(Protocol):
    """Pixel work of looking closely; targets are written in place and must not overlap."""

    def resize(self, source: NDArray[Any], target: NDArray[Any]) -> None:
        """See `Raster`."""
        ...

    def warp(
        self, source: NDArray[np.uint8], matrix: NDArray[np.float64], target: NDArray[np.uint8]
    ) -> None:
        """Fill the target by an affine map, bilinear; what lies outside the source is 0.

        Args:
            source: HxW or HxWxC, at most 32767 pixels a side.
            matrix: 2x3, from coordinates (x, y) of the target to those of the source; whole
                numbers are the middles of pixels.
            target: of any size, with the channels of the source.
        """
        ...

    def fit_to_edges(
        self,
        guide: NDArray[np.uint8],
        mask: NDArray[Any],
        radius: int,
        contrast: float,
        target: NDArray[Any],
    ) -> None:
        """Let a coarse mask follow the edges of a picture.

        Fast guided filter with a colour guide: He, Sun and Tang, "Guided Image Filtering" (2013);
        He and Sun, "Fast Guided Filter" (2015). Where the mask is even within twice the radius it
        stays as it is.

        Args:
            guide: HxWx3 RGB.
            mask: hxw uint8 or float32, 0..255, of the guide's proportions and at most its size. The
                filter is fitted at this size and applied at the guide's.
            radius: half the width of the filter's window, in pixels of the mask.
            contrast: slope of the answer around one half, 1 for the plain filter.
            target: HxW uint8, rounded, or float32; 0..255.
        """
        ...

    def fit_shares_to_edges(
        self,
        guide: NDArray[np.uint8],
        shares: NDArray[Any],
        radius: int,
        contrast: float,
        target: NDArray[Any],
    ) -> None:
        """Let several coarse masks Cxhxw follow the edges of one picture; target CxHxW.

        Each as by `fit_to_edges`, at less cost: the picture is looked at once.
        """
        ...

    def largest_piece(self, mask: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
        """Copy HxW of a mask around its largest connected piece of at least 128, else write 0.

        What lies within a pixel of the piece is kept too, so that its edge stays soft.
        """
        ...
