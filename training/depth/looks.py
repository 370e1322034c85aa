"""How a camera would show a scene: mist, focus, light, tone, noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.depth.canvas import SKY, UNKNOWN, Canvas, Floats, Random
from training.depth.textures import noise


def finish(canvas: Canvas, size: tuple[int, int], random: Random) -> NDArray[np.uint8]:
    """Return the canvas as a photo of HxWx3 uint8 RGB."""
    colour = canvas.colour
    if not (canvas.kind == UNKNOWN).any():
        colour = mist(colour, canvas, random)
        if random.random() < 0.4:
            colour = defocused(colour, canvas, random)
    small = cv2.resize(np.clip(colour, 0, 1), size[::-1], interpolation=cv2.INTER_AREA)
    return exposed(np.asarray(small, np.float32), random)


def mist(colour: Floats, canvas: Canvas, random: Random) -> Floats:
    """Fade colours with distance, in every second picture that shows sky."""
    sky = canvas.kind == SKY
    if not sky.any() or random.random() < 0.5:
        return colour
    pale = colour[sky].mean(axis=0)
    reach = float(np.exp(random.uniform(np.log(25), np.log(2500))))
    share = 1 - np.exp(-canvas.depth / reach)
    share[sky] = 0
    return np.asarray(colour + (pale - colour) * share[:, :, None])


def defocused(colour: Floats, canvas: Canvas, random: Random) -> Floats:
    """Blur what lies before or behind the plane of focus; mostly something near is sharp."""
    near = 1 / np.maximum(canvas.depth, 1e-2)
    focus = float(np.quantile(near, random.choice([0.98, 0.9, 0.5], p=[0.6, 0.3, 0.1])))
    blur = np.abs(near / focus - 1) * random.uniform(0.5, 6)
    result = colour
    for sigma in (1.0, 2.2, 4.5):
        soft = cv2.GaussianBlur(colour, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        share = np.clip(blur / sigma - 0.6, 0, 1).astype(np.float32)
        result = result + (soft - result) * share[:, :, None]
    return np.asarray(result)


def exposed(colour: Floats, random: Random) -> NDArray[np.uint8]:
    """Apply light, tone, tint, noise and the marks of a JPEG file."""
    light = 1 + 0.25 * random.random() * noise(colour.shape[:2], random, 1.5)
    colour = colour * light[:, :, None]
    colour = np.clip(colour, 0, 1) ** float(np.exp(random.normal() * 0.25))
    colour = colour * np.exp(random.normal(size=3) * 0.06).astype(np.float32)
    middle = float(colour.mean())
    colour = middle + (colour - middle) * random.uniform(0.75, 1.35)
    colour = colour * float(np.exp(random.normal() * 0.2))
    if random.random() < 0.08:
        colour = np.repeat(colour.mean(axis=2, keepdims=True), 3, axis=2)
    colour = colour + random.normal(size=colour.shape) * random.uniform(0, 0.03)
    pixels = np.clip(np.rint(colour * 255), 0, 255).astype(np.uint8)
    if random.random() < 0.5:
        quality = int(random.integers(40, 96))
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return pixels
