"""Pixel work of moving pictures: smooth fields on coarse grids, sampling, blending (OpenCV)."""

import math
from typing import Any, Final, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = NDArray[np.float32]
LevelT = TypeVar("LevelT", np.uint8, np.float32)

SQRT2: Final = math.sqrt(2.0)


def sample(field: Field, x: Field, y: Field) -> Field:
    """Read hxw or hxwxC float32 between its cells, bilinear; the border's values go on outside."""
    return np.asarray(
        cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def enlarge(field: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Scale a field up to rows and columns, bilinear."""
    return np.asarray(cv2.resize(field, (size[1], size[0]), interpolation=cv2.INTER_LINEAR))


def enlarge_part(
    field: NDArray[Any], size: tuple[int, int], part: tuple[slice, slice]
) -> NDArray[Any]:
    """Scale a field up to rows and columns, bilinear, and give a part of that alone."""
    rows, columns = part
    down, right = field.shape[0] / size[0], field.shape[1] / size[1]
    place = np.array(
        [
            [right, 0.0, (columns.start + 0.5) * right - 0.5],
            [0.0, down, (rows.start + 0.5) * down - 0.5],
        ]
    )
    return np.asarray(
        cv2.warpAffine(
            field,
            place,
            (columns.stop - columns.start, rows.stop - rows.start),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def enlarge_into(field: Field, target: Field) -> None:
    """Scale a field up to the target's size, bilinear."""
    cv2.resize(field, target.shape[1::-1], dst=target, interpolation=cv2.INTER_LINEAR)


def reduce(field: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Scale a field down to rows and columns by area."""
    return np.asarray(cv2.resize(field, (size[1], size[0]), interpolation=cv2.INTER_AREA))


def blur(field: NDArray[Any], radius: float) -> NDArray[Any]:
    """Blur with a bell of that standard deviation, in cells; the border mirrors."""
    if radius <= 0.0:
        return field
    return np.asarray(cv2.GaussianBlur(field, (0, 0), radius, borderType=cv2.BORDER_REFLECT))


def blur_rows(rows: Field, radius: float) -> Field:
    """Blur each row of NxW along itself."""
    return np.asarray(cv2.GaussianBlur(rows, (0, 1), radius, borderType=cv2.BORDER_REFLECT))


def slopes(pixels: Pixels) -> tuple[Field, Field]:
    """Measure how brightness of HxWx3 rises to the right and down (Sobel): HxW each."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    right, down = (cv2.Sobel(grey, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    return np.asarray(right, np.float32), np.asarray(down, np.float32)


def widen(mask: Pixels, radius: int) -> Pixels:
    """Grow what a mask covers by a disc of `radius` pixels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask, disc))


def highest(field: NDArray[LevelT], reach: int) -> NDArray[LevelT]:
    """Take for each cell the highest value within `reach` rows and columns."""
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(field, square), field.dtype)


def broad(mask: Pixels, radius: int) -> Pixels:
    """Keep of a mask what holds a disc of `radius` pixels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc), np.uint8)


def beyond(pixels: Pixels, lowest: Pixels, highest: Pixels) -> Pixels:
    """Measure how far HxWx3 is out of a range that each pixel has, in its farthest channel: HxW."""
    out = cv2.max(cv2.subtract(pixels, highest), cv2.subtract(lowest, pixels))
    red, green, blue = cv2.split(out)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def lower_hull(field: Field, slope: float) -> Field:
    """Lay the highest field below another one that is nowhere steeper than `slope` a cell.

    The lower envelope of cones (a distance transform of a sampled function: Felzenszwalb and
    Huttenlocher, 2012), with distances along rows, columns and diagonals.
    """
    hull = field.copy()
    reach = 1
    span = float(field.max() - field.min())
    while reach < max(field.shape) and (reach - 1) * slope < span:
        for rows, columns in ((0, 1), (1, 0), (1, 1), (1, -1)):
            rise = slope * reach * (SQRT2 if rows and columns else 1.0)
            lift_over(hull, rows * reach, columns * reach, rise)
        reach *= 2
    return hull


def lift_over(hull: Field, rows: int, columns: int, rise: float) -> None:
    """Hold a field below its own copies, moved both ways and lifted by `rise`, in place."""
    height, width = hull.shape
    if rows >= height or abs(columns) >= width:
        return
    first = hull[: height - rows, max(0, -columns) : width - max(0, columns)]
    other = hull[rows:, max(0, columns) : width - max(0, -columns)]
    lifted = first + rise
    np.minimum(first, other + rise, out=first)
    np.minimum(other, lifted, out=other)


def upper_hull(field: Field, slope: float) -> Field:
    """Lay the lowest field above another one that is nowhere steeper than `slope` a cell."""
    return -lower_hull(-field, slope)


def least_opacity(pixels: Pixels, behind: Pixels) -> Pixels:
    """Tell how opaque something at least is that makes one picture of another: HxW uint8.

    Args:
        pixels: HxWx3, what is seen.
        behind: HxWx4, opaque, what is behind it.
    """
    base = cv2.cvtColor(behind, cv2.COLOR_RGBA2RGB)
    lighter = cv2.divide(cv2.subtract(pixels, base), cv2.bitwise_not(base), scale=255)
    darker = cv2.divide(cv2.subtract(base, pixels), base, scale=255)
    least = cv2.max(lighter, darker)
    # Rounded up, and nothing stays nothing.
    red, green, blue = cv2.split(cv2.add(least, cv2.threshold(least, 0, 1, cv2.THRESH_BINARY)[1]))
    return np.asarray(cv2.max(cv2.max(red, green), blue))


def take_away(pixels: Pixels, behind: Pixels, front: Pixels) -> None:
    """Write the colours of HxWx4 that `lay_over` a picture behind it give HxWx3, by its opacity."""
    opacity = cv2.extractChannel(front, 3)
    clear = cv2.bitwise_not(opacity)
    seen = cv2.multiply(behind, cv2.merge([clear, clear, clear, clear]), scale=1 / 255)
    with_opacity(pixels, front)
    cv2.subtract(front, seen, dst=front)
    cv2.insertChannel(opacity, front, 3)


def lay_over(front: Pixels, base: Pixels) -> None:
    """Lay HxWx4, colours weighed by their opacity, over HxWx4 in place."""
    clear = cv2.bitwise_not(cv2.extractChannel(front, 3))
    weights = cv2.merge([clear, clear, clear, clear])
    cv2.multiply(base, weights, dst=base, scale=1 / 255)
    cv2.add(base, front, dst=base)


def mix(
    first: Pixels, first_share: float, other: Pixels, other_share: float, more: float = 0.0
) -> Pixels:
    """Add two pictures by their shares, which may be negative, and `more` to each value."""
    return np.asarray(cv2.addWeighted(first, first_share, other, other_share, more))


def blend(base: Pixels, over: Pixels, weight: Field) -> Pixels:
    """Go from one picture to another by an HxW weight of 0..1."""
    return np.asarray(cv2.blendLinear(base, over, 1.0 - weight, weight))


def pull(source: Pixels, map_x: Field, map_y: Field, target: Pixels) -> None:
    """See `Raster.remap`; four channels at a time go fastest."""
    cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_REFLECT)


def nearest(chosen: Pixels) -> tuple[Field, Field]:
    """Find the nearest cell that is not 0, for every cell of hxw uint8: columns and rows."""
    _, labels = cv2.distanceTransformWithLabels(
        np.equal(chosen, 0).astype(np.uint8),
        cv2.DIST_L2,
        cv2.DIST_MASK_5,
        labelType=cv2.DIST_LABEL_PIXEL,
    )
    rows, columns = np.nonzero(chosen)
    places = np.zeros((int(labels.max()) + 1, 2), np.float32)
    places[labels[rows, columns]] = np.stack([columns, rows], axis=1)
    x, y = np.moveaxis(places[labels], 2, 0)
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def window(chosen: NDArray[np.bool_], size: tuple[int, int], margin: int) -> tuple[slice, slice]:
    """Find the rows and columns of a picture that hold all cells chosen, and some around them."""
    slices = []
    for axis, extent in enumerate(size):
        places = np.flatnonzero(chosen.any(axis=1 - axis))
        cell = extent / chosen.shape[axis]
        start = int((places[0] - margin) * cell) if places.size else 0
        stop = math.ceil((places[-1] + 1 + margin) * cell) if places.size else 0
        slices.append(slice(max(start, 0), min(stop, extent)))
    return slices[0], slices[1]


def channel_sum(values: Field) -> Field:
    """Add up the channels of HxWxC."""
    return np.asarray(cv2.transform(values, np.ones((1, values.shape[2]), np.float32)))


def islands(chosen: Pixels) -> NDArray[np.int32]:
    """Number what hangs together of hxw uint8 that is not 0, from 1; the rest is 0."""
    return np.asarray(cv2.connectedComponents(chosen)[1], np.int32)


def copy_where(source: Pixels, chosen: Pixels, target: Pixels) -> None:
    """Copy the pixels of HxWxC where HxW uint8 is not 0."""
    cv2.copyTo(source, chosen, target)


def with_opacity(pixels: Pixels, target: Pixels) -> None:
    """Write HxWx3 as opaque HxWx4."""
    cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA, dst=target)


def without_opacity(pixels: Pixels, target: Pixels) -> None:
    """Write the colours of HxWx4 as HxWx3."""
    cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB, dst=target)
