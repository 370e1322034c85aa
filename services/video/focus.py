"""Where the camera looks, and how blurred is what is nearer or farther than that."""

from typing import Final

import numpy as np

from services.video import fields
from services.video.fields import Field, Pixels
from services.video.layers import Layers

# A subject may stand anywhere, but rather near the middle: a bell of this width, in sides.
MIDDLE: Final = 0.3
# Without anything in front the camera looks at the middle, a little below it.
DEFAULT: Final = (0.5, 0.55)
# Standard deviation of the strongest blur, in shorter sides.
BLUR_MAX: Final = 0.016
# Inverse depth, from the focus point's, at which the blur is the strongest.
FAR_OFF: Final = 0.6
LEVELS: Final = 4
# Of a front less opaque than this in the mean nothing is a subject.
SUBJECT_SHARE_MIN: Final = 0.005


def find_focus(layers: Layers) -> tuple[float, float]:
    """Find what the picture shows in front, near its middle: x and y of 0..1."""
    if layers.front is None:
        return DEFAULT
    depth = layers.front.depth
    opacity = fields.reduce(layers.front.pixels[:, :, 3].copy(), depth.shape).astype(np.float32)
    if opacity.mean() < SUBJECT_SHARE_MIN * 255.0:
        return DEFAULT
    rows, columns = depth.shape
    y, x = np.indices(depth.shape, np.float32)
    x, y = (x + 0.5) / columns, (y + 0.5) / rows
    away = ((x - DEFAULT[0]) ** 2 + (y - DEFAULT[1]) ** 2) / (2 * MIDDLE**2)
    weight = opacity * np.exp(-away) * depth
    middle_x, middle_y = ((weight * place).sum() / weight.sum() for place in (x, y))
    # The middle of a ring or of two people is neither: the nearest place that counts is.
    counts = weight >= 0.3 * weight.max()
    near = np.where(counts, (x - middle_x) ** 2 + (y - middle_y) ** 2, np.inf)
    row, column = np.unravel_index(int(near.argmin()), near.shape)
    return float(x[row, column]), float(y[row, column])


def depth_at(depth: Field, focus: tuple[float, float]) -> float:
    """Read the depth around a point of 0..1: the median, which an outline does not disturb."""
    height, width = depth.shape
    reach = max(round(0.01 * min(height, width)), 1)
    row, column = int(focus[1] * (height - 1)), int(focus[0] * (width - 1))
    around = depth[
        max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
    ]
    return float(np.median(around))


def defocus(pixels: Pixels, inverse_depth: Field, amount: float) -> None:
    """Blur a layer by its distance from the focus point, in place.

    Args:
        pixels: HxWx4 uint8, colours weighed by their opacity.
        inverse_depth: hxw, 1 at the focus point's depth.
        amount: 0 (nothing) to 1.
    """
    size = pixels.shape[:2]
    strength = np.minimum(np.abs(inverse_depth - 1.0) / FAR_OFF, 1.0) * (amount * LEVELS)
    strength = np.asarray(fields.enlarge(strength, size), np.float32)
    sharp = pixels.copy()
    for level in range(1, LEVELS + 1):
        radius = BLUR_MAX * min(size) * 2.0 ** (level - LEVELS)
        weight = np.clip(strength - (level - 1), 0.0, 1.0)
        if not weight.any():
            return
        pixels[:] = fields.blend(pixels, blurred(sharp, radius), weight)


def blurred(pixels: Pixels, radius: float) -> Pixels:
    """Blur at a size at which the bell is small."""
    height, width = pixels.shape[:2]
    factor = max(int(radius / 2), 1)
    small = fields.reduce(pixels, (max(height // factor, 1), max(width // factor, 1)))
    return np.asarray(fields.enlarge(fields.blur(small, radius / factor), (height, width)))
