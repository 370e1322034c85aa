"""Pixel work of a dancer's own: meshes, layers, fills. OpenCV's only place in this feature."""

import math
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

# Where a map leads that no triangle covers, in widths of the texture: so far off that a mean with a
# neighbour is outside of it as well.
NOWHERE = -64.0
# Triangles lie at this distance from an eye that sees a quarter of a circle, and up to so many
# times farther.
PLANE = -1.0
FOLD_DEPTH = 1.25
FIELD = math.pi / 2
FAR = 4.0


def draw_map(
    places: Floats,
    nearness: Floats,
    triangles: NDArray[np.int32],
    texture: Floats,
    size: tuple[int, int],
    step: int,
) -> Floats:
    """Draw a mesh as a map that tells for each pixel where in the texture it comes from.

    Args:
        places: Vx2, where the corners are in the target; whole numbers are the middles of pixels.
        nearness: V, 0..1: where a mesh folds over itself, the nearer part is seen.
        triangles: Tx3 numbers of corners.
        texture: Vx2, where the corners are in the texture.
        size: rows and columns of the target.
        step: the mesh is drawn so many times smaller and its map enlarged, which is smooth.

    Returns:
        HxWx2, x and y of the texture; far outside of it where no triangle is.
    """
    height, width = size
    rows, columns = -(-height // step), -(-width // step)
    corners = np.empty((len(places), 3), np.float32)
    # A coarse pixel covers a square of fine ones; middles of pixels are whole numbers outside.
    corners[:, 0] = ((places[:, 0] + 0.5) / step - columns / 2) / (rows / 2)
    corners[:, 1] = (rows / 2 - (places[:, 1] + 0.5) / step) / (rows / 2)
    corners[:, 2] = PLANE
    # Farther ones lie farther out too, so that the eye sees them in the same place.
    corners *= (FOLD_DEPTH - (FOLD_DEPTH - 1) * nearness)[:, None]
    span = float(texture.max()) + 1.0
    values = np.zeros((len(places), 3), np.float32)
    values[:, :2] = texture / span
    drawn = np.full((rows, columns, 3), NOWHERE, np.float32)
    depth = np.full((rows, columns), FAR, np.float32)
    settings = cv2.TriangleRasterizeSettings()
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    eye = np.eye(4, dtype=np.float32)
    cv2.triangleRasterize(corners, triangles, values, drawn, depth, eye, FIELD, 0.1, FAR, settings)
    coarse = np.ascontiguousarray(drawn[:, :, :2])
    coarse *= np.float32(span)
    whole = (columns * step, rows * step)
    fine = cv2.resize(coarse, whole, interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[:height, :width])


def sample(texture: Pixels, places: Floats) -> Pixels:
    """Take HxWx4 out of a texture by HxWx2 of x and y, bilinear; 0 outside of it."""
    sampled = cv2.remap(
        texture,
        places,
        None,  # type: ignore[call-overload]  # no second map where the first holds x and y
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(sampled)


def lay_over(canvas: Pixels, layer: Pixels) -> None:
    """Lay a premultiplied HxWx4 layer over a canvas of the same shape, in place."""
    rest = cv2.bitwise_not(cv2.extractChannel(layer, 3))
    cv2.multiply(canvas, cv2.merge([rest] * 4), dst=canvas, scale=1 / 255)
    cv2.add(canvas, layer, dst=canvas)


def premultiply(colour: Pixels, alpha: Mask) -> Pixels:
    """Join HxWx3 and HxW to premultiplied HxWx4."""
    dimmed = cv2.multiply(colour, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.asarray(cv2.merge([*cv2.split(dimmed), alpha]))


def darken(canvas: Pixels, shade: Mask) -> None:
    """Multiply the colours of HxWx4 by what HxW of shade leaves over, in place."""
    light = cv2.bitwise_not(shade)
    full = np.full_like(light, 255)
    cv2.multiply(canvas, cv2.merge([light, light, light, full]), dst=canvas, scale=1 / 255)


def spread(colour: Pixels, known: Mask) -> Pixels:
    """Fill HxWx3 where `known` is 0 with the colours around, smoothly; the rest stays.

    By a pyramid: unknown pixels take the mean of the known ones on the finest level that has any.
    """
    share = (known > 0).astype(np.float32)
    levels: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (colour.astype(np.float32) * share[:, :, None], share)
    ]
    while min(levels[-1][1].shape) > 2:
        weighted, weight = levels[-1]
        size = (-(-weight.shape[1] // 2), -(-weight.shape[0] // 2))
        levels.append(
            (
                cv2.resize(weighted, size, interpolation=cv2.INTER_AREA),
                cv2.resize(weight, size, interpolation=cv2.INTER_AREA),
            )
        )
    weighted, weight = levels[-1]
    total = max(float(weight.sum()), 1e-6)
    filled = np.broadcast_to(weighted.sum(axis=(0, 1)) / total, weighted.shape).copy()
    for weighted, weight in reversed(levels):
        wide = (weight.shape[1], weight.shape[0])
        coarse = cv2.resize(filled, wide, interpolation=cv2.INTER_LINEAR)
        strength = np.minimum(1.0, 4.0 * weight)[:, :, None]
        mean = weighted / np.maximum(weight, 1e-6)[:, :, None]
        filled = coarse + (mean - coarse) * strength
    result = colour.copy()
    bare = known == 0
    result[bare] = np.clip(np.rint(filled[bare]), 0, 255)
    return result


def blur(values: NDArray[Any], sigma: float) -> NDArray[Any]:
    """Blur HxW or HxWxC by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma, 0.1)))


def grow(mask: Mask, radius: float) -> Mask:
    """Grow what HxW covers by a radius in pixels, or shrink it below 0."""
    extent = 2 * max(1, round(abs(radius))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (extent, extent))
    change = cv2.dilate if radius >= 0 else cv2.erode
    return np.asarray(change(mask, disc))


def polygon(size: tuple[int, int], corners: NDArray[np.float64]) -> Mask:
    """Return HxW uint8 with 255 inside of a polygon, soft at its edge."""
    mask = np.zeros(size, np.uint8)
    fixed = np.rint(corners * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, lineType=cv2.LINE_AA, shift=4)
    return mask


def resized(values: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Scale HxW or HxWxC to rows and columns: bilinear, or by area where it shrinks."""
    method = cv2.INTER_AREA if size[0] < values.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (size[1], size[0]), interpolation=method))


def without_crumbs(mask: Mask, share_min: float) -> Mask:
    """Drop connected parts of what HxW covers that are small beside the largest one."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats((mask >= 128).astype(np.uint8))
    if count <= 2:
        return mask
    areas = facts[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = np.flatnonzero(areas >= share_min * areas.max())
    near = grow(np.isin(labels, kept[kept > 0]).astype(np.uint8) * 255, 3.0)
    return np.asarray(np.minimum(mask, near), np.uint8)


def touching(mask: Mask, seeds: Mask) -> Mask:
    """Keep the connected parts of HxW that one of the seeds, HxW, lies on."""
    _, labels = cv2.connectedComponents((mask >= 128).astype(np.uint8))
    kept = np.unique(labels[(seeds >= 128) & (labels > 0)])
    return np.isin(labels, kept).astype(np.uint8) * np.uint8(255)


def push_in(source: Pixels, scale: float, centre: tuple[float, float], target: Pixels) -> None:
    """Enlarge HxWxC about a point, x and y; the target has the source's shape."""
    x, y = centre
    matrix = np.array([[1 / scale, 0.0, x - x / scale], [0.0, 1 / scale, y - y / scale]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (target.shape[1], target.shape[0])
    cv2.warpAffine(source, matrix, size, dst=target, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def opaque(canvas: Pixels, target: Pixels) -> None:
    """Drop the fourth channel: HxWx4 to HxWx3."""
    cv2.cvtColor(canvas, cv2.COLOR_RGBA2RGB, dst=target)


def unmultiplied(canvas: Pixels, target: Pixels) -> None:
    """Turn premultiplied HxWx4 into plain HxWx4, as files hold it."""
    alpha = cv2.extractChannel(canvas, 3)
    safe = np.maximum(alpha, 1)
    cv2.divide(canvas, cv2.merge([safe] * 4), dst=target, scale=255)
    target[:, :, 3] = alpha


def window_of(points: NDArray[np.float64], reach: float) -> tuple[slice, slice]:
    """Return rows and columns that hold all within reach of points, Nx2 in pixels, none below 0."""
    low = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int)
    high = np.maximum(np.ceil(points.max(axis=0) + reach), 0).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])
