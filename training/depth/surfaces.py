"""Textured surfaces that rays meet: planes, rooms, boxes, rounded things."""

import numpy as np
from numpy.typing import NDArray

from training.depth.canvas import FAR_METRES, NEAR_METRES, OTHER, Canvas, Floats
from training.depth.textures import TEXTURE_SIDE, Texture


def plane(
    canvas: Canvas, texture: Texture, axis: int, offset: float, light: float = 1.0
) -> tuple[Floats, Floats]:
    """Meet the plane on which coordinate `axis` is `offset`; return depth and colour."""
    ray = canvas.rays
    toward = ray[:, :, axis]
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.where(toward * np.sign(offset) > 1e-5, offset / toward, FAR_METRES)
    depth = np.minimum(depth, FAR_METRES).astype(np.float32)
    first, second = (other for other in range(3) if other != axis)
    slant = np.maximum(np.abs(toward), 0.02)
    texels = TEXTURE_SIDE * depth / canvas.camera.focal / np.sqrt(slant)
    colour = texture.at(ray[:, :, first] * depth, ray[:, :, second] * depth, texels)
    return depth, colour * np.float32(light)


def inside_box(
    canvas: Canvas, textures: list[Texture], low: NDArray[np.float64], high: NDArray[np.float64]
) -> None:
    """Draw the walls of a room from inside; textures of sides, floor and ceiling, and ends."""
    for axis in range(3):
        for offset, light in ((low[axis], 0.85), (high[axis], 1.0)):
            depth, colour = plane(canvas, textures[axis], axis, float(offset), light)
            point = canvas.rays * depth[:, :, None]
            inside = np.ones(depth.shape, bool)
            for other in range(3):
                if other != axis:
                    inside &= (point[:, :, other] >= low[other]) & (
                        point[:, :, other] <= high[other]
                    )
            canvas.put(depth, colour, inside.astype(np.float32), OTHER)


def outside_box(
    canvas: Canvas,
    texture: Texture,
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    turn: float,
    sun: float,
) -> None:
    """Draw a box from outside, turned about the upright."""
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    wide = float(np.hypot(half[0], half[2]) if turn else 0.0)
    window = canvas.hull(centre, np.maximum(half, (wide, 0, wide)))
    if window is None:
        return
    ray = canvas.rays[window]
    local = np.dstack(
        [
            cos * ray[:, :, 0] + sin * ray[:, :, 2],
            ray[:, :, 1],
            -sin * ray[:, :, 0] + cos * ray[:, :, 2],
        ]
    )
    place = np.array(
        [cos * centre[0] + sin * centre[2], centre[1], -sin * centre[0] + cos * centre[2]]
    )
    local = np.where(np.abs(local) < 1e-6, np.float32(1e-6), local)
    first = (place - half).astype(np.float32) / local
    second = (place + half).astype(np.float32) / local
    enter, leave = np.minimum(first, second), np.maximum(first, second)
    axis = enter.argmax(axis=2)
    depth = enter.max(axis=2)
    hit = (depth < leave.min(axis=2)) & (depth > NEAR_METRES)
    if not hit.any():
        return
    point = local * depth[:, :, None] - place.astype(np.float32)
    along = np.where(axis == 0, point[:, :, 2], point[:, :, 0])
    across = np.where(axis == 1, point[:, :, 2], point[:, :, 1])
    light = np.array([0.75 + 0.25 * sun, 1.1, 0.75 - 0.25 * sun], np.float32)[axis]
    texels = TEXTURE_SIDE * depth / canvas.camera.focal
    colour = texture.at(along.astype(np.float32), across.astype(np.float32), texels)
    canvas.put(
        depth.astype(np.float32), colour * light[:, :, None], hit.astype(np.float32), OTHER, window
    )


def ball(
    canvas: Canvas,
    texture: Texture,
    centre: NDArray[np.float64],
    radii: NDArray[np.float64],
    sun: NDArray[np.float64],
) -> None:
    """Draw an ellipsoid with upright axes, lit from the direction `sun`."""
    window = canvas.hull(centre, radii)
    if window is None:
        return
    ray = canvas.rays[window] / radii.astype(np.float32)
    place = (centre / radii).astype(np.float32)
    a = (ray**2).sum(axis=2)
    b = ray @ place
    root = b**2 - a * (float((place**2).sum()) - 1)
    hit = root > 0
    if not hit.any():
        return
    depth = (b - np.sqrt(np.maximum(root, 0))) / a
    normal = ray * depth[:, :, None] - place
    lit = 0.55 + 0.5 * (normal @ (sun / np.linalg.norm(sun)).astype(np.float32))
    reach = float(radii.max())
    along = np.arctan2(normal[:, :, 0], -normal[:, :, 2]) * reach
    across = normal[:, :, 1] * reach
    texels = TEXTURE_SIDE * depth / canvas.camera.focal
    colour = texture.at(along, across, texels) * np.clip(lit, 0.1, 1.3)[:, :, None]
    canvas.put(depth.astype(np.float32), colour, hit.astype(np.float32), OTHER, window)
