"""Pixel work on the CPU by OpenCV."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Rows that are worked on at a time where a step needs wide intermediate values.
BAND_ROWS = 256


class CpuRaster:
    """The `Raster` of machines without an accelerator."""

    def __init__(self, threads: int) -> None:
        """Limit OpenCV's own threads."""
        cv2.setNumThreads(threads)

    def resize(self, source: NDArray[Any], target: NDArray[Any]) -> None:
        """See `Raster`."""
        height, width = target.shape[:2]
        shrinks = height * width < source.shape[0] * source.shape[1]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        cv2.resize(source, (width, height), dst=target, interpolation=method)

    def mirror(
        self, source: NDArray[np.uint8], target: NDArray[np.uint8], top: int, left: int
    ) -> None:
        """See `Raster`."""
        height, width = source.shape[:2]
        bottom, right = target.shape[0] - top - height, target.shape[1] - left - width
        # A picture smaller than its surroundings mirrors more than once; REFLECT can, 101 can't.
        cv2.copyMakeBorder(source, top, bottom, left, right, cv2.BORDER_REFLECT, dst=target)

    def blend(
        self,
        base: NDArray[np.uint8],
        over: NDArray[np.uint8],
        mask: NDArray[np.uint8] | None,
        opacity: float,
        target: NDArray[np.uint8],
    ) -> None:
        """See `Raster`."""
        if mask is None:
            cv2.addWeighted(base, 1.0 - opacity, over, opacity, 0.0, dst=target)
            return
        for rows in bands(base.shape[0]):
            share = cv2.merge([mask[rows].astype(np.float32) * (opacity / 255.0)] * 3)
            start = base[rows].astype(np.float32)
            mixed = start + (over[rows].astype(np.float32) - start) * share
            np.rint(mixed, out=mixed)
            target[rows] = mixed

    def keep_colour(
        self, photo: NDArray[np.uint8], painted: NDArray[np.uint8], target: NDArray[np.uint8]
    ) -> None:
        """See `Raster`."""
        for rows in bands(photo.shape[0]):
            colour = cv2.cvtColor(photo[rows].astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab)
            brightness = cv2.cvtColor(painted[rows].astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab)
            colour[:, :, 0] = brightness[:, :, 0]
            mixed = cv2.cvtColor(colour, cv2.COLOR_Lab2RGB) * 255.0
            target[rows] = np.clip(np.rint(mixed), 0.0, 255.0)

    def add_detail(
        self,
        photo: NDArray[np.uint8],
        small: NDArray[np.uint8],
        gain: float,
        target: NDArray[np.uint8],
    ) -> None:
        """See `Raster`."""
        height, width = photo.shape[:2]
        coarse = cv2.resize(
            cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_CUBIC
        )
        for rows in bands(height):
            fine = cv2.cvtColor(photo[rows], cv2.COLOR_RGB2GRAY).astype(np.float32) - coarse[rows]
            lifted = target[rows].astype(np.float32) + (gain * fine)[:, :, None]
            target[rows] = np.clip(np.rint(lifted), 0.0, 255.0)


def bands(height: int) -> Iterator[slice]:
    """Cut rows into bands, so that wide intermediate values stay small."""
    for start in range(0, height, BAND_ROWS):
        yield slice(start, min(start + BAND_ROWS, height))
