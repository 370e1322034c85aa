"""Flat things that stand upright in a scene, and the shade at their feet."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.depth.canvas import Canvas, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """Something flat-ish that stands upright.

    Attributes:
        colour: hxwx4 float32 0..1, straight alpha.
        relief: hxw float32, metres behind its foot's depth.
        metres: height of the whole cut-out.
        kind: PERSON or OTHER.
    """

    colour: Floats
    relief: Floats
    metres: float
    kind: int


def stand(canvas: Canvas, cutout: Cutout, right: float, deep: float, *, mirrored: bool) -> None:
    """Stand a cut-out on the ground, facing the camera, and darken the ground below it."""
    camera = canvas.camera
    foot_x, foot_y, depth = camera.project(np.array([right, camera.above, deep]))
    height, width = cutout.relief.shape
    scale = camera.focal / depth * cutout.metres / height
    if scale * height < 2 or scale * height > 12 * camera.height:
        return
    cos, sin = scale * np.cos(-camera.roll), scale * np.sin(-camera.roll)
    side = -1.0 if mirrored else 1.0
    matrix = np.array(
        [
            [side * cos, -sin, foot_x - side * cos * width / 2 + sin * height],
            [side * sin, cos, foot_y - side * sin * width / 2 - cos * height],
        ]
    )
    size = (camera.width, camera.height)
    alpha = cutout.colour[:, :, 3:]
    flat = np.dstack([cutout.colour[:, :, :3] * alpha, alpha])
    drawn = cv2.warpAffine(shrunk(flat, scale), rescaled(matrix, scale), size)
    relief = cv2.warpAffine(
        cutout.relief, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    share = drawn[:, :, 3]
    if deep > 0.3 and cutout.metres < 4:
        shade(canvas, foot_x, foot_y, scale * width)
    colour = drawn[:, :, :3] / np.maximum(share, 1e-3)[:, :, None]
    canvas.put(depth + relief, colour, share, cutout.kind)


def shrunk(picture: Floats, scale: float) -> Floats:
    """Shrink a picture by area where it will be drawn much smaller."""
    if scale > 0.6:
        return picture
    size = tuple(max(2, round(extent * scale)) for extent in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def rescaled(matrix: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Return the matrix for the picture that `shrunk` returns."""
    if scale > 0.6:
        return matrix
    found = matrix.copy()
    found[:, :2] /= scale
    return found


def shade(canvas: Canvas, x: float, y: float, reach: float) -> None:
    """Darken what is around a foot point, as a contact shadow does."""
    down, right = np.mgrid[0 : canvas.camera.height, 0 : canvas.camera.width].astype(np.float32)
    away = ((right - x) / (0.3 * reach + 1)) ** 2 + ((down - y) / (0.08 * reach + 1)) ** 2
    canvas.colour *= (1 - 0.5 * np.exp(-away))[:, :, None]
