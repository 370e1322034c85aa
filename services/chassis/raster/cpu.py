"""Pixel work on the CPU by OpenCV."""

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Rows that are worked on at a time where a step needs wide intermediate values.
BAND_ROWS = 256
# Colours that vary less than this around a pixel (squared steps of 255) hold no edge for a mask.
EDGE_VARIANCE_MIN = 65.0
# Shares that are nowhere more than this share of what contrast turns to 0 fit to 0.
FAINT_SHARE = 0.33
# ITU-R BT.709-6, table 3: share of red, green and blue in brightness, and limited range.
BRIGHTNESS = np.array([0.2126, 0.7152, 0.0722])
TO_LUMA = np.array([[*(BRIGHTNESS * 219 / 255), 16.0]])
TO_CHROMA = np.array(
    [
        [*((np.array([0, 0, 1]) - BRIGHTNESS) / 1.8556 * 224 / 255), 128.0],
        [*((np.array([1, 0, 0]) - BRIGHTNESS) / 1.5748 * 224 / 255), 128.0],
    ]
)


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

    def to_nv12(self, picture: NDArray[np.uint8], frame: NDArray[np.uint8]) -> None:
        """See `Raster`."""
        height, width = picture.shape[:2]
        cv2.transform(picture, TO_LUMA, dst=frame[:height])
        coarse = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        cv2.transform(coarse, TO_CHROMA, dst=frame[height:].reshape(height // 2, width // 2, 2))

    def remap(
        self,
        source: NDArray[np.uint8],
        map_x: NDArray[np.float32],
        map_y: NDArray[np.float32],
        target: NDArray[np.uint8],
    ) -> None:
        """See `Raster`."""
        # REFLECT mirrors as often as it takes, REFLECT_101 would not show the border pixel twice.
        cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_REFLECT)

    def warp(
        self, source: NDArray[np.uint8], matrix: NDArray[np.float64], target: NDArray[np.uint8]
    ) -> None:
        """See `Lens`."""
        height, width = target.shape[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(source, matrix, (width, height), dst=target, flags=flags)

    def fit_to_edges(
        self,
        guide: NDArray[np.uint8],
        mask: NDArray[Any],
        radius: int,
        contrast: float,
        target: NDArray[Any],
    ) -> None:
        """See `Lens`."""
        self.fit_shares_to_edges(guide, mask[None], radius, contrast, target[None])

    def fit_shares_to_edges(
        self,
        guide: NDArray[np.uint8],
        shares: NDArray[Any],
        radius: int,
        contrast: float,
        target: NDArray[Any],
    ) -> None:
        """See `Lens`."""
        height, width = shares.shape[1:]
        small = np.empty((height, width, 3), np.uint8)
        cv2.resize(guide, (width, height), dst=small, interpolation=cv2.INTER_AREA)
        edges = Edges(small, radius)
        for share, fitted in zip(shares, target, strict=True):
            model = edges.model(share)
            # Half is added and taken away so that the contrast turns around one half of 255.
            model *= contrast
            model[:, :, 3] += 127.5 * (1 - contrast)
            window = slice(0, fitted.shape[0]), slice(0, fitted.shape[1])
            if contrast >= 1:
                # Elsewhere nothing comes near what contrast makes more than 0 of.
                fitted[:] = 0
                faint = FAINT_SHARE * 127.5 * (1 - 1 / contrast)
                window = edges.touched(share > faint, fitted.shape)
            apply_model(model, guide, fitted, window)

    def largest_piece(self, mask: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
        """See `Lens`."""
        count, pieces, sizes, _ = cv2.connectedComponentsWithStats((mask >= 128).astype(np.uint8))
        target[:] = 0
        if count < 2:
            return
        largest = 1 + int(sizes[1:, cv2.CC_STAT_AREA].argmax())
        near = cv2.dilate((pieces == largest).astype(np.uint8), np.ones((3, 3), np.uint8))
        np.copyto(target, mask, where=near > 0)


class Edges:
    """What a guided filter knows of its guide, whatever it is to guide.

    Attributes:
        radius: half the width of the window of each fit.
    """

    def __init__(self, guide: NDArray[np.uint8], radius: int) -> None:
        """Measure how the colours of hxwx3 RGB vary around each pixel."""
        self.radius = radius
        self._colour = guide.astype(np.float32)
        red, green, blue = cv2.split(self._colour)
        products = np.dstack(
            [red * red, red * green, red * blue, green * green, green * blue, blue * blue]
        )
        self._colour_mean = mean(self._colour, radius)
        self._spread = mean(products, radius)
        for channel, (first, second) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))):
            self._spread[:, :, channel] -= (
                self._colour_mean[:, :, first] * self._colour_mean[:, :, second]
            )
        for diagonal in (0, 3, 5):
            self._spread[:, :, diagonal] += EDGE_VARIANCE_MIN

    def model(self, mask: NDArray[Any]) -> NDArray[np.float32]:
        """Fit a mask as a linear function of the colours around each pixel.

        Args:
            mask: hxw, 0..255.

        Returns:
            hxwx4 float32: the weights of red, green and blue and a constant, averaged over all
            windows that hold the pixel.
        """
        share = mask.astype(np.float32)
        share_mean = mean(share, self.radius)
        covariance = mean(self._colour * share[:, :, None], self.radius)
        covariance -= self._colour_mean * share_mean[:, :, None]
        weights = solve_symmetric(self._spread, covariance)
        constant = share_mean - channel_sum(weights * self._colour_mean)
        return mean(np.dstack([weights, constant]), self.radius)

    def touched(self, mask: NDArray[Any], size: tuple[int, ...]) -> tuple[slice, slice]:
        """Return the rows and columns, of so many, that the fit of what a mask holds reaches."""
        # Two means, of the fit and of its models, and the pixel that is looked up between.
        margin = 2 * self.radius + 2
        rows, columns = (
            scaled_extent(np.flatnonzero(mask.any(axis=1 - axis)), margin, size[axis], extent)
            for axis, extent in enumerate(mask.shape)
        )
        return rows, columns


def scaled_extent(held: NDArray[np.intp], margin: int, extent: int, small: int) -> slice:
    """Return where held rows or columns of a small plane, and a margin, lie in a larger one."""
    if not held.size:
        return slice(0, 0)
    scale = extent / small
    first, last = int(held[0]) - margin, int(held[-1]) + 1 + margin
    return slice(max(0, math.floor(first * scale)), min(extent, math.ceil(last * scale)))


def apply_model(
    model: NDArray[np.float32],
    guide: NDArray[np.uint8],
    target: NDArray[Any],
    window: tuple[slice, slice],
) -> None:
    """Write what a fitted model says of each colour of a guide.

    Args:
        model: hxwx4, see `Edges.model`.
        guide: HxWx3, of the model's proportions.
        target: HxW uint8, rounded, or float32; 0..255.
        window: rows and columns that are written.
    """
    down, right = model.shape[0] / guide.shape[0], model.shape[1] / guide.shape[1]
    height, columns = window[0].stop - window[0].start, window[1]
    for band_rows in bands(height):
        rows = slice(window[0].start + band_rows.start, window[0].start + band_rows.stop)
        place = np.array(
            [
                [right, 0.0, (columns.start + 0.5) * right - 0.5],
                [0.0, down, (rows.start + 0.5) * down - 0.5],
            ]
        )
        band = guide[rows, columns]
        near = cv2.warpAffine(
            model,
            place,
            (band.shape[1], band.shape[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        fitted = channel_sum(near[:, :, :3] * band) + near[:, :, 3]
        if target.dtype == np.uint8:
            np.rint(fitted, out=fitted)
        target[rows, columns] = np.clip(fitted, 0.0, 255.0)


def solve_symmetric(
    spread: NDArray[np.float32], target: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Solve one symmetric 3x3 system for each pixel by Cramer's rule.

    Args:
        spread: hxwx6, the upper triangle row by row.
        target: hxwx3, the right-hand side.

    Returns:
        hxwx3 float32.
    """
    rr, rg, rb, gg, gb, bb = cv2.split(spread)
    cofactors = (
        (gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg),
        (rb * gb - rg * bb, rr * bb - rb * rb, rb * rg - rr * gb),
        (rg * gb - rb * gg, rb * rg - rr * gb, rr * gg - rg * rg),
    )
    first = cofactors[0]
    determinant = rr * first[0] + rg * first[1] + rb * first[2]
    red, green, blue = cv2.split(target)
    rows = [(row[0] * red + row[1] * green + row[2] * blue) / determinant for row in cofactors]
    return np.dstack(rows)


def channel_sum(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add up the channels of HxWx3."""
    return np.asarray(cv2.transform(values, np.ones((1, values.shape[2]), np.float32)))


def mean(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Average over square windows; what lies outside mirrors the border."""
    extent = 2 * radius + 1
    return np.asarray(cv2.blur(values, (extent, extent), borderType=cv2.BORDER_REFLECT))


def bands(height: int) -> Iterator[slice]:
    """Cut rows into bands, so that wide intermediate values stay small."""
    for start in range(0, height, BAND_ROWS):
        yield slice(start, min(start + BAND_ROWS, height))
