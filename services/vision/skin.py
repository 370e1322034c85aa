"""How much the colours of a crop are like the skin of the person's own face."""

import numpy as np
from numpy.typing import NDArray

# Numbers of MediaPipe's landmarks: where a face shows skin, as ways from the first to the second.
FACE_POINTS = ((0, 7, 0.0), (0, 7, 0.35), (0, 8, 0.35), (0, 9, 0.5), (0, 10, 0.5))
# Skin keeps its hue from part to part better than its brightness.
BRIGHTNESS_SPREAD = 0.45
COLOUR_SPREAD = 0.12
FACES_MIN = 3


def skin_likeness(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], target: NDArray[np.float32]
) -> None:
    """Compare all colours with the median of the face's; without a face in the crop nothing is.

    Args:
        pixels: HxWx3 RGB.
        landmarks: 33x4: x and y in pixels, z, visibility 0..1.
        target: HxW, written in place; 0..1.
    """
    height, width = target.shape
    places = [
        landmarks[first] + share * (landmarks[second] - landmarks[first])
        for first, second, share in FACE_POINTS
    ]
    inside = [
        (round(float(y)), round(float(x)))
        for x, y, _, _ in places
        if -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5
    ]
    if len(inside) < FACES_MIN:
        target[:] = 0
        return
    colours = np.log(pixels.astype(np.float32) + 8)
    face = np.median([colours[row, column] for row, column in inside], axis=0)
    apart = colours - face
    brightness = apart.mean(axis=2)
    tint = apart - brightness[:, :, None]
    away = (brightness / BRIGHTNESS_SPREAD) ** 2 + (tint**2).sum(axis=2) / COLOUR_SPREAD**2
    np.multiply(np.exp(-0.5 * away), float(landmarks[0, 3]), out=target)
