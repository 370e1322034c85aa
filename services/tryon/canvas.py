"""Pixel work of try-on on one crop: growing, blurring, spreading and filling of planes."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

ScalarT = TypeVar("ScalarT", bound=np.generic)
Plane: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]
Chosen: TypeAlias = NDArray[np.bool_]

# A blur wider than this is made on a smaller plane.
SIGMA_MAX = 4.0
# Of a larger disc each pixel's distance is measured; smaller ones are stamped.
DISC_MAX = 5.0
# Lines run on as so many pixels around tell.
RUN_ON_REACH = 4.0
# Weight below which a spread value says nothing.
WEIGHT_MIN = 1e-4


def blurred(plane: Plane, sigma: float) -> Plane:
    """Blur HxW or HxWxC float32 by a Gaussian; what lies outside mirrors the border."""
    if sigma <= 0:
        return plane
    height, width = plane.shape[:2]
    step = max(1, min(int(sigma / SIGMA_MAX), height // 8, width // 8))
    if step == 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))
    small = cv2.resize(plane, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR))


def spread(plane: Plane, weight: Plane, sigma: float) -> Plane:
    """Average HxW or HxWxC values where they have weight, and carry them to where they have none.

    Normalised convolution: Knutsson and Westin (1993). Wider and wider windows answer for places
    that narrower ones do not reach.

    Args:
        plane: values.
        weight: HxW, 0..1.
        sigma: of the narrowest window, in pixels.
    """
    step = int(sigma / 2.0)
    if step > 1:
        # So smooth an answer is made on a smaller plane.
        size = max(8, plane.shape[1] // step), max(8, plane.shape[0] // step)
        share = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
        held = plane * (weight[..., None] if plane.ndim == 3 else weight)
        small = np.asarray(cv2.resize(held, size, interpolation=cv2.INTER_AREA), np.float32)
        small /= np.maximum(share, 1e-6)[(..., None) if plane.ndim == 3 else ...]
        coarse = spread(small, share, sigma / step)
        return np.asarray(cv2.resize(coarse, plane.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    many = plane.ndim == 3
    whole = float(weight.sum())
    if whole <= 0:
        return plane.copy()
    mean = (plane * (weight[..., None] if many else weight)).sum(axis=(0, 1)) / whole
    answer = np.broadcast_to(np.asarray(mean, np.float32), plane.shape).copy()
    for factor in (16.0, 4.0, 1.0):
        share = blurred(weight, sigma * factor)
        soft = blurred(plane * (weight[..., None] if many else weight), sigma * factor)
        trust = share / (share + WEIGHT_MIN)
        local = soft / np.maximum(share, WEIGHT_MIN * 0.1)[(..., None) if many else ...]
        trust = trust[..., None] if many else trust
        answer += (local - answer) * trust
    return answer


def bounds(
    plane: NDArray[Any], margin: int = 0, within: Chosen | None = None
) -> tuple[slice, slice]:
    """Return the rows and columns that hold anything, and a margin.

    Args:
        plane: HxW.
        margin: pixels around it.
        within: what else must be inside; the window grows until it holds some of it.
    """
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    bottom = min(int(rows[-1]) + 1 + margin, plane.shape[0])
    right = min(int(columns[-1]) + 1 + margin, plane.shape[1])
    window = (
        slice(max(0, int(rows[0]) - margin), bottom),
        slice(max(0, int(columns[0]) - margin), right),
    )
    if within is not None and not within[window].any():
        return bounds(plane | within, margin)
    return window


def grown(chosen: Chosen, radius: float) -> Chosen:
    """Grow a choice by a disc."""
    if radius > DISC_MAX:
        return depth_inside(~chosen) <= radius
    return np.asarray(cv2.dilate(chosen.view(np.uint8), disc(radius))).view(np.bool_)


def shrunk(chosen: Chosen, radius: float) -> Chosen:
    """Shrink a choice by a disc; beyond the border all is chosen."""
    if radius > DISC_MAX:
        return depth_inside(chosen) > radius
    return np.asarray(cv2.erode(chosen.view(np.uint8), disc(radius))).view(np.bool_)


def connected(chosen: Chosen, seeds: Chosen) -> Chosen:
    """Keep the pieces of a choice that hold a seed."""
    count, numbers = cv2.connectedComponents(chosen.view(np.uint8), connectivity=4)
    kept = np.zeros(count, np.bool_)
    kept[numbers[seeds & chosen]] = True
    kept[0] = False
    return np.asarray(kept[numbers])


def pieces(chosen: Chosen) -> Iterator[tuple[tuple[slice, slice], Chosen]]:
    """Take a choice apart: for each connected piece its window, and the piece in it."""
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(chosen.view(np.uint8))
    for number in range(1, count):
        left, top, width, height, _ = (int(value) for value in boxes[number])
        window = slice(top, top + height), slice(left, left + width)
        yield window, np.asarray(numbers[window] == number)


def disc(radius: float) -> Pixels:
    """Make a round structuring element."""
    extent = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (extent, extent)), np.uint8)


def depth_inside(chosen: Chosen) -> Plane:
    """Return for each chosen pixel how far the nearest one is that is not."""
    return np.asarray(cv2.distanceTransform(chosen.view(np.uint8), cv2.DIST_L2, 3))


def mirrored_out(pixels: Pixels, source: Chosen, wanted: Chosen | None = None) -> Pixels:
    """Carry what lies inside a choice out over its edge, as a mirror on that edge would.

    Args:
        pixels: HxWx3, or HxW.
        source: HxW, what is carried out.
        wanted: HxW, where to; all that is not source if None.
    """
    height, width = source.shape
    _, labels = cv2.distanceTransformWithLabels(
        (~source).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inner_rows, inner_columns = np.nonzero(source)
    order = np.zeros(int(labels.max()) + 1, np.int64)
    order[labels[inner_rows, inner_columns]] = np.arange(inner_rows.size)
    answer = pixels.copy()
    rows, columns = np.nonzero(~source if wanted is None else wanted & ~source)
    nearest = order[labels[rows, columns]]
    near_rows, near_columns = inner_rows[nearest], inner_columns[nearest]
    far_rows = np.clip(2 * near_rows - rows, 0, height - 1)
    far_columns = np.clip(2 * near_columns - columns, 0, width - 1)
    inside = source[far_rows, far_columns]
    far_rows = np.where(inside, far_rows, near_rows)
    far_columns = np.where(inside, far_columns, near_columns)
    answer[rows, columns] = pixels[far_rows, far_columns]
    return answer


def run_on(pixels: Pixels, source: Chosen, wanted: Chosen) -> Pixels:
    """Let the lines of what is known run on over a small gap.

    Telea, "An Image Inpainting Technique Based on the Fast Marching Method" (2004).

    Args:
        pixels: HxWx3.
        source: HxW, what is known.
        wanted: HxW, where it runs on; elsewhere what is not known is taken from the nearest.
    """
    known = mirrored_out(pixels, source, grown(wanted, RUN_ON_REACH + 1.0))
    return np.asarray(cv2.inpaint(known, wanted.view(np.uint8), RUN_ON_REACH, cv2.INPAINT_TELEA))


def softened(chosen: Chosen, sigma: float) -> Plane:
    """Turn a choice into 0..1 with soft edges."""
    soft = np.zeros(chosen.shape, np.float32)
    # Beyond the reach of the blur all stays 0.
    window = bounds(chosen, math.ceil(4 * sigma) + 1)
    if window[0].stop:
        soft[window] = blurred(chosen[window].astype(np.float32), sigma)
    return soft


def grey(pixels: Pixels) -> Plane:
    """Return the brightness of HxWx3 RGB, HxW float32 0..255."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def largest(values: NDArray[ScalarT]) -> NDArray[ScalarT]:
    """Return the largest of the three channels of HxWx3, HxW."""
    first, second, third = (values[:, :, channel] for channel in range(3))
    return np.asarray(np.maximum(np.maximum(first, second), third))


def differing(pixels: Pixels, colour: NDArray[Any]) -> Pixels:
    """Return how many levels each channel of HxWx3 differs from one colour, rounded."""
    return np.asarray(cv2.absdiff(pixels, np.full_like(pixels, np.rint(colour))))


def rounded(labels: Pixels, kinds: Sequence[int], sigma: float) -> Pixels:
    """Round off the steps of the borders between some kinds of labels, HxW; others stay."""
    shares = np.stack([softened(labels == kind, sigma) for kind in kinds])
    likeliest = np.array(kinds, np.uint8)[shares.argmax(axis=0)]
    return np.where(np.isin(labels, kinds), likeliest, labels)


def polygon(shape: tuple[int, int], corners: NDArray[np.float64]) -> Chosen:
    """Choose what lies inside a polygon of Nx2 points (x, y), with its border."""
    plane = np.zeros(shape, np.uint8)
    points = np.rint(np.clip(corners, -1e4, 1e4) * 16).astype(np.int32)
    cv2.fillPoly(plane, [points[:, None]], 1, shift=4)
    return plane.view(np.bool_)


def painted_triangles(shape: tuple[int, int], corners: NDArray[np.float64]) -> NDArray[np.int32]:
    """Number the pixels by the last of Mx3x2 triangles (x, y) that covers them, -1 for none."""
    plane = np.full(shape, -1, np.int32)
    points = np.rint(np.clip(corners, -1e4, 1e4) * 16).astype(np.int32)
    for number, triangle in enumerate(points):
        cv2.fillConvexPoly(plane, triangle, number, lineType=cv2.LINE_8, shift=4)
    return plane


def lab(pixels: Pixels) -> Plane:
    """Turn HxWx3 uint8 RGB into CIE Lab, float32."""
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB))


def clusters(values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Find the middles of the groups that NxC values fall into, count x C."""
    cv2.setRNGSeed(0)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.5)
    groups = np.zeros((len(values), 1), np.int32)
    _, _, middles = cv2.kmeans(values, count, groups, ends, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(middles, np.float32)


def sampled(source: NDArray[np.uint8], map_x: Plane, map_y: Plane) -> Pixels:
    """Look a picture up at float coordinates, bilinear; outside it is 0."""
    return np.asarray(
        cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    )


def looked_up(plane: Plane, map_x: Plane, map_y: Plane) -> Plane:
    """Look float32 values up at float coordinates, bilinear; outside them the border goes on."""
    return np.asarray(
        cv2.remap(plane, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def enlarged(plane: Plane, size: tuple[int, int]) -> Plane:
    """Scale HxW float32 up to (rows, columns), smoothly."""
    return np.asarray(cv2.resize(plane, (size[1], size[0]), interpolation=cv2.INTER_LINEAR))


def scaled(plane: NDArray[np.uint8], size: tuple[int, int]) -> Pixels:
    """Scale HxW or HxWxC to (rows, columns): by area where it shrinks, linear where it grows."""
    shrinks = size[0] * size[1] < plane.shape[0] * plane.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (size[1], size[0]), interpolation=method))
