"""A picture that is being made: its camera, its nearest surfaces, what they are."""

import itertools
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Random: TypeAlias = np.random.Generator
Slices: TypeAlias = tuple[slice, slice]

OTHER, PERSON, SKY, UNKNOWN = 0, 1, 2, 255
FAR_METRES = 1e6
NEAR_METRES = 0.05
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
