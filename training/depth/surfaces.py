"""What scenes are made of: a camera, textured surfaces that rays meet, and cut-outs that stand."""

import itertools
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Random: TypeAlias = np.random.Generator

TEXTURE_SIDE = 256
OTHER, PERSON, SKY, UNKNOWN = 0, 1, 2, 255
FAR_METRES = 1e6
NEAR_METRES = 0.05

Slices: TypeAlias = tuple[slice, slice]
WHOLE: Slices = (slice(None), slice(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A pinhole camera at the origin; x points right, y down and z forward; y is upright.

    Attributes:
        height: of the picture, in pixels.
        width: likewise.
        focal: in pixels.
        above: metres between the camera and the ground.
        yaw: radians to the right.
        pitch: radians downwards.
        roll: radians clockwise.
    """

    height: int
    width: int
    focal: float
    above: float
    yaw: float
    pitch: float
    roll: float

    def turn(self) -> NDArray[np.float64]:
        """Return the 3x3 matrix from directions of the camera to those of the world."""
        yaw, pitch, roll = self.yaw, self.pitch, self.roll
        ry = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        rx = np.array(
            [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
        )
        rz = np.array(
            [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        )
        turned: NDArray[np.float64] = ry @ rx @ rz
        return turned

    def rays(self) -> Floats:
        """Return HxWx3 directions in the world, one metre deep along the optical axis."""
        down, right = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        flat = np.dstack(
            [
                (right + 0.5 - self.width / 2) / self.focal,
                (down + 0.5 - self.height / 2) / self.focal,
                np.ones_like(down),
            ]
        )
        return np.asarray(flat @ self.turn().T.astype(np.float32), np.float32)

    def project(self, point: NDArray[np.float64]) -> tuple[float, float, float]:
        """Return x and y in pixels and the depth in metres of a point of the world."""
        x, y, z = self.turn().T @ point
        z = max(z, NEAR_METRES)
        return (
            float(x / z * self.focal + self.width / 2),
            float(y / z * self.focal + self.height / 2),
            float(z),
        )


@dataclass(slots=True)
class Canvas:
    """A picture that is being made: the nearest surface wins.

    Attributes:
        camera: that sees it.
        colour: HxWx3 float32 0..1 RGB.
        depth: HxW float32 metres along the optical axis.
        kind: HxW uint8, one of OTHER, PERSON, SKY, UNKNOWN.
    """

    camera: Camera
    colour: Floats = field(init=False)
    depth: Floats = field(init=False)
    kind: NDArray[np.uint8] = field(init=False)
    rays: Floats = field(init=False)

    def __post_init__(self) -> None:
        size = (self.camera.height, self.camera.width)
        self.colour = np.zeros((*size, 3), np.float32)
        self.depth = np.full(size, FAR_METRES, np.float32)
        self.kind = np.full(size, SKY, np.uint8)
        self.rays = self.camera.rays()

    def put(
        self, depth: Floats, colour: Floats, share: Floats, kind: int, window: Slices = WHOLE
    ) -> None:
        """Lay a surface into the picture, or a window of it, where it is nearest.

        Args:
            depth: HxW metres.
            colour: HxWx3.
            share: HxW 0..1, how much of a pixel the surface covers.
            kind: of the surface.
            window: rows and columns that the arrays are of.
        """
        drawn, known = self.colour[window], self.depth[window]
        share = share * ((depth < known) & (depth > NEAR_METRES))
        solid = share > 0.5
        drawn += (colour - drawn) * share[:, :, None]
        known[solid] = depth[solid]
        self.kind[window][solid] = kind

    def hull(self, centre: NDArray[np.float64], reach: NDArray[np.float64]) -> Slices | None:
        """Return the window that shows all around a place within `reach`; None for nothing."""
        corners = [
            self.camera.project(centre + reach * signs)
            for signs in itertools.product((-1, 1), repeat=3)
        ]
        if max(corner[2] for corner in corners) <= NEAR_METRES:
            return None
        if min(corner[2] for corner in corners) <= NEAR_METRES:
            return WHOLE
        across, down, _ = zip(*corners, strict=True)
        left, right = (
            int(np.clip(n, 0, self.camera.width)) for n in (min(across), max(across) + 1)
        )
        top, bottom = (int(np.clip(n, 0, self.camera.height)) for n in (min(down), max(down) + 1))
        return (slice(top, bottom), slice(left, right)) if bottom > top and right > left else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Texture:
    """A picture to cover surfaces with, at three sharpnesses.

    Attributes:
        levels: TEXTURE_SIDE squares x3 float32 0..1; each is four times softer than the one before.
        metres: its extent on a surface.
    """

    levels: tuple[Floats, Floats, Floats]
    metres: float

    def at(self, along: Floats, across: Floats, texels: Floats) -> Floats:
        """Look up HxWx3 colours at places in metres; `texels` is how many one pixel spans."""
        places = [fold(axis / self.metres) for axis in (along, across)]
        level = np.clip(np.log2(np.maximum(texels / self.metres, 1.0)) / 2, 0, 2)[:, :, None]
        looked = [
            cv2.remap(picture, places[0], places[1], cv2.INTER_LINEAR) for picture in self.levels
        ]
        low = looked[0] + (looked[1] - looked[0]) * np.minimum(level, 1)
        return np.asarray(low + (looked[2] - low) * np.maximum(level - 1, 0))


def fold(place: Floats) -> Floats:
    """Repeat a texture by mirroring: any number to 0..TEXTURE_SIDE - 1."""
    wave = np.abs(np.mod(place, 2) - 1)
    return np.ascontiguousarray(wave * (TEXTURE_SIDE - 1), np.float32)


def soften(picture: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the three sharpnesses of a texture."""
    four = cv2.GaussianBlur(picture, (0, 0), 2.5, borderType=cv2.BORDER_REFLECT)
    sixteen = cv2.GaussianBlur(picture, (0, 0), 12, borderType=cv2.BORDER_REFLECT)
    return picture, np.asarray(four), np.asarray(sixteen)


def noise(size: tuple[int, int], random: Random, cells: float, falloff: float = 0.5) -> Floats:
    """Return HxW fractal noise around 0, about -1..1, with `cells` bumps along the longer side."""
    total = np.zeros(size, np.float32)
    share = 1.0
    while cells < max(size) / 2:
        scale = cells / max(size)
        rows, columns = (max(2, round(extent * scale) + 1) for extent in size)
        coarse = random.normal(size=(rows, columns)).astype(np.float32)
        total += share * cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
        cells *= 2.3
        share *= falloff
    return total * np.float32(0.6)


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
