"""What scenes are furnished with: people, trees, hills, water, skies."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.depth.canvas import OTHER, SKY, Canvas, Floats, Random
from training.depth.cutouts import stand
from training.depth.stock import Stock
from training.depth.surfaces import ball, plane
from training.depth.textures import Texture, fold, noise


class Props:
    """Adds things to a scene."""

    def __init__(self, stock: Stock, random: Random) -> None:
        self._stock = stock
        self._random = random

    def spot(
        self, low: NDArray[np.float64], high: NDArray[np.float64], nearest: float
    ) -> tuple[float, float]:
        """Choose where something stands: metres to the right and ahead."""
        deep = float(self._random.uniform(max(low[2], nearest), high[2]))
        return float(self._random.uniform(low[0], high[0])) * min(1.0, 0.3 + deep / 4), deep

    def balls(
        self,
        canvas: Canvas,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        count: int,
        sizes: tuple[float, float] = (0.1, 0.5),
        squeeze: float = 1.0,
    ) -> None:
        """Lay rounded things on the ground."""
        random = self._random
        for _ in range(count):
            radii = random.uniform(*sizes) * random.uniform(0.6, 1.4, size=3) * (1, squeeze, 1)
            place = self.spot(low, high, sizes[1])
            centre = np.array([place[0], canvas.camera.above - radii[1], place[1]])
            sun = np.array([random.normal(), -1.5, random.normal() - 0.5])
            ball(canvas, self._stock.texture(0.6, 0.5), centre, radii, sun)

    def people(self, canvas: Canvas, count: int, deep: tuple[float, float]) -> None:
        """Stand people somewhere in view, within limits of distance in metres."""
        for _ in range(count):
            away = float(np.exp(self._random.uniform(*np.log(np.maximum(deep, 0.5)))))
            wide = 0.45 * canvas.camera.width / canvas.camera.focal
            right = away * (np.tan(canvas.camera.yaw) + self._random.uniform(-wide, wide))
            mirrored = self._random.random() < 0.5
            stand(canvas, self._stock.person(), right, away, mirrored=mirrored)

    def trees(self, canvas: Canvas, count: int, clear: float) -> None:
        """Plant trees at both sides, and bushes."""
        for _ in range(count):
            deep = float(np.exp(self._random.uniform(np.log(5), np.log(80))))
            side = 1 if self._random.random() < 0.5 else -1
            right = side * (clear + self._random.uniform(0, 0.8) * deep) + deep * np.tan(
                canvas.camera.yaw
            )
            stand(canvas, self._stock.tree(), right, deep, mirrored=False)

    def ground(self, canvas: Canvas, texture: Texture) -> None:
        """Lay the ground, with light and dark patches."""
        depth, colour = plane(canvas, texture, 1, canvas.camera.above)
        rough = noise(canvas.depth.shape, self._random, 8, 0.6)[:, :, None]
        share = (depth < 3000).astype(np.float32)
        canvas.put(depth, colour * (1 + 0.1 * rough), share, OTHER)

    def sky(self, canvas: Canvas) -> None:
        """Paint a sky: even, with clouds, at night, at dusk, or overcast."""
        random, shape = self._random, canvas.depth.shape
        up = np.clip(-canvas.rays[:, :, 1] / np.linalg.norm(canvas.rays, axis=2), 0, 1)[:, :, None]
        top = np.array([0.25, 0.45, 0.8]) * np.exp(random.normal(size=3) * 0.25)
        low = np.array([0.75, 0.82, 0.9]) * np.exp(random.normal(size=3) * 0.15)
        mood = random.random()
        if mood < 0.2:
            top, low = (
                np.array([0.3, 0.3, 0.5]),
                np.array([0.95, 0.55, 0.35]) * np.exp(random.normal(size=3) * 0.15),
            )
        elif mood < 0.4:
            top = low = np.full(3, random.uniform(0.55, 1.0))
        elif mood < 0.5:
            top, low = np.array([0.02, 0.03, 0.08]), np.array([0.1, 0.1, 0.2])
        sky = low + (top - low) * np.clip(up * random.uniform(1, 3), 0, 1)
        cover = noise(shape, random, random.uniform(2, 5), 0.55) - random.uniform(-0.3, 0.9)
        cloud = np.clip(cover * random.uniform(0.7, 3), 0, 1)[:, :, None]
        white = np.clip(low * 1.1, 0, 1) * (1 - 0.3 * np.clip(cover - 0.5, 0, 1))[:, :, None]
        canvas.colour[:] = sky + (white - sky) * cloud
        canvas.kind[:] = SKY

    def ridges(self, canvas: Canvas, count: int, nearest: float) -> None:
        """Lay hills behind one another."""
        camera, random = canvas.camera, self._random
        columns = np.arange(camera.width)
        rows = np.arange(camera.height)[:, None]
        horizon = camera.height / 2 - np.tan(camera.pitch) * camera.focal
        rise = camera.height * random.uniform(0.02, 0.2)
        for layer in range(count, 0, -1):
            line = noise((2, camera.width), random, random.uniform(1.5, 5), 0.55)[0]
            crest = horizon - rise * (layer / count * 1.5 + 0.8 * line)
            crest += (columns - camera.width / 2) * np.tan(camera.roll)
            share = np.clip(rows - crest, 0, 1) * (
                rows < horizon + 0.02 * camera.height + camera.height * 0.02
            )
            deep = np.full(canvas.depth.shape, nearest * 2.2**layer, np.float32)
            texture = self._stock.texture(1.0, 0.1).levels[0]
            zoom = 0.6 + 0.5 * layer
            along = fold(
                np.tile(columns / camera.width * zoom, (camera.height, 1)).astype(np.float32)
            )
            across = fold(np.tile(rows / camera.width * zoom, (1, camera.width)).astype(np.float32))
            colour = cv2.remap(texture, along, across, cv2.INTER_LINEAR)
            colour = colour * np.array([0.6, 0.75, 0.6], np.float32)
            pale = 1 - np.exp(-0.35 * layer * random.uniform(0.4, 1.3))
            mist = canvas.colour[max(0, min(camera.height - 1, int(horizon) - 4))].mean(axis=0)
            canvas.put(deep, colour + (mist - colour) * pale, share.astype(np.float32), OTHER)

    def water(self, canvas: Canvas) -> None:
        """Turn the ground beyond a shore into water that mirrors what stands above it."""
        camera, random = canvas.camera, self._random
        depth, _ = plane(canvas, self._stock.texture(1.0, 1.0), 1, camera.above)
        shore = camera.above * float(np.exp(random.uniform(np.log(1.2), np.log(15))))
        wet = (depth >= shore * (1 + 0.15 * noise(depth.shape, random, 4))) & (depth < 2500)
        wet &= np.abs(canvas.depth - depth) < 0.01 * depth
        horizon = camera.height / 2 - np.tan(camera.pitch) * camera.focal
        down, right = np.mgrid[0 : camera.height, 0 : camera.width].astype(np.float32)
        ripple = noise(depth.shape, random, 30, 0.8) * random.uniform(0.5, 6)
        mirrored = cv2.remap(
            canvas.colour,
            right + ripple,
            np.clip(2 * horizon - down + 2 * ripple, 0, camera.height - 1).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        deep = np.array([0.08, 0.2, 0.25], np.float32) * float(np.exp(random.normal() * 0.4))
        colour = mirrored + (deep - mirrored) * random.uniform(0.1, 0.7)
        colour *= (1 + 0.05 * ripple)[:, :, None]
        canvas.colour[wet] = colour[wet]

    def backdrop(self, canvas: Canvas, deep: float) -> None:
        """Hang a whole photo behind everything."""
        photo = self._stock.photo()
        height, width = canvas.depth.shape
        scale = max(height / photo.shape[0], width / photo.shape[1])
        rows, columns = round(height / scale), round(width / scale)
        top = int(self._random.integers(photo.shape[0] - rows + 1))
        left = int(self._random.integers(photo.shape[1] - columns + 1))
        cut = np.ascontiguousarray(photo[top : top + rows, left : left + columns])
        canvas.put(
            np.full((height, width), deep, np.float32),
            cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA),
            *whole(canvas),
        )


def whole(canvas: Canvas) -> tuple[Floats, int]:
    """Return how much of each pixel something covers that covers all, and of what kind it is."""
    return np.ones(canvas.depth.shape, np.float32), OTHER
