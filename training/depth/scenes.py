"""Scenes with exact depth: `python -m training.depth.scenes --data DATA --room ROOM`.

Renders rooms, streets, fields, coasts, mountains, still lifes, tables from above and portraits,
about thirty a second on one core, and writes them into the room, one file for each shape of
picture. Depth is kept as what the network learns: inverse metres, of which the nearest is one.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.depth.looks import finish
from training.depth.stock import Stock
from training.depth.surfaces import (
    OTHER,
    SKY,
    UNKNOWN,
    Camera,
    Canvas,
    Floats,
    Random,
    ball,
    fold,
    inside_box,
    noise,
    outside_box,
    plane,
    stand,
)

SHAPES = ((192, 256), (256, 192), (224, 224), (160, 288))
"""Heights and widths of the pictures, in pixels."""

SHARES = (0.38, 0.32, 0.15, 0.15)
"""How many pictures have each shape."""

SHRINK = 1.25
"""Scenes are drawn so much larger, and scaled by area: edges become soft as in photos."""

DEPTH_STEP = 2
"""Pixels of the picture for one of the depth."""


class Stage:
    """Sets up one scene after another."""

    def __init__(self, stock: Stock, random: Random) -> None:
        self._stock = stock
        self._random = random
        self._kinds = {
            self.room: 0.2,
            self.street: 0.12,
            self.field: 0.2,
            self.mountains: 0.12,
            self.table: 0.11,
            self.above: 0.05,
            self.studio: 0.1,
            self.pasted: 0.1,
        }

    def scene(self, size: tuple[int, int]) -> Canvas:
        """Draw a random scene of height x width pixels."""
        shares = np.array(list(self._kinds.values()))
        choice = int(self._random.choice(len(shares), p=shares / shares.sum()))
        return list(self._kinds)[choice](size)

    def camera(
        self, size: tuple[int, int], above: tuple[float, float], pitch: tuple[float, float]
    ) -> Camera:
        """Return a camera between limits of height in metres and of pitch in radians."""
        random = self._random
        return Camera(
            height=size[0],
            width=size[1],
            focal=max(size) * float(np.exp(random.uniform(np.log(0.65), np.log(1.9)))),
            above=float(np.exp(random.uniform(*np.log(above)))),
            yaw=random.uniform(-0.6, 0.6),
            pitch=random.uniform(*pitch),
            roll=random.normal() * 0.03,
        )

    def room(self, size: tuple[int, int]) -> Canvas:
        """Draw a room with furniture and people, seen from within."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.8, 2.0), (-0.12, 0.3)))
        above = canvas.camera.above
        low = np.array([-random.uniform(1, 5), above - random.uniform(2.3, 4), -2])
        high = np.array([random.uniform(1, 5), above, random.uniform(2.5, 9)])
        # One paint for all walls is the rule; the floor differs.
        walls = stock.texture(2.5, 0.6)
        ends = walls if random.random() < 0.7 else stock.texture(2.5, 0.3)
        inside_box(canvas, [walls, stock.texture(1.0, 0.5), ends], low, high)
        for _ in range(random.integers(1, 7)):
            half = np.array(
                [random.uniform(0.15, 1.0), random.uniform(0.1, 0.9), random.uniform(0.15, 0.8)]
            )
            if random.random() < 0.25:
                half[1] = random.uniform(0.9, 1.3)
            place = self._spot(low, high, 1.2)
            lifted = random.uniform(0.4, 1.4) if random.random() < 0.2 else 0.0
            centre = np.array([place[0], above - half[1] - lifted, place[1]])
            turn = random.normal() * 0.1 if random.random() < 0.7 else random.uniform(-1, 1)
            outside_box(canvas, stock.texture(0.8, 0.5), centre, half, turn, random.uniform(-1, 1))
        self._balls(canvas, low, high, int(random.integers(3)))
        self._people(canvas, int(random.integers(3)), (1.0, high[2] - 0.3))
        return canvas

    def street(self, size: tuple[int, int]) -> Canvas:
        """Draw a street between two rows of houses."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (1.2, 3.5), (-0.25, 0.12)))
        self._sky(canvas)
        self._ground(canvas, stock.texture(2.0, 0.6))
        above, reach = canvas.camera.above, random.uniform(3, 9)
        sun = random.uniform(-1, 1)
        style = stock.texture(4.0, 0.4)
        for side in (-1, 1):
            deep = random.uniform(-2, 8)
            while deep < 90:
                length, tall = random.uniform(3, 14), random.uniform(2, 12)
                half = np.array([random.uniform(2, 5), tall, length / 2])
                centre = np.array(
                    [
                        side * (reach + half[0] + random.uniform(0, 1)),
                        above - tall,
                        deep + length / 2,
                    ]
                )
                wall = style if random.random() < 0.3 else stock.texture(4.0, 0.45)
                outside_box(canvas, wall, centre, half, 0.0, sun * side)
                deep += length + (random.uniform(2, 12) if random.random() < 0.3 else 0.05)
        for _ in range(random.integers(5)):
            half = np.array(
                [random.uniform(0.2, 1), random.uniform(0.2, 0.9), random.uniform(0.2, 2)]
            )
            centre = np.array(
                [random.uniform(-1, 1) * reach, above - half[1], random.uniform(4, 40)]
            )
            outside_box(canvas, stock.texture(1.5), centre, half, random.normal() * 0.1, sun)
        self._trees(canvas, int(random.integers(4)), reach)
        self._people(canvas, int(random.integers(4)), (1.5, 15))
        return canvas

    def field(self, size: tuple[int, int]) -> Canvas:
        """Draw open country, perhaps at water, with trees, stones and people."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.5, 4), (-0.2, 0.3)))
        self._sky(canvas)
        self._ground(canvas, stock.texture(1.5, 0.2))
        if random.random() < 0.6:
            self._ridges(canvas, int(random.integers(1, 4)), 60.0)
        if random.random() < 0.35:
            self._water(canvas)
        if random.random() < 0.3:
            half = np.array([random.uniform(2, 8), random.uniform(1.5, 4), random.uniform(2, 8)])
            centre = np.array(
                [random.uniform(-15, 15), canvas.camera.above - half[1], random.uniform(15, 60)]
            )
            outside_box(canvas, stock.texture(3.0, 0.4), centre, half, random.uniform(-1, 1), 0.5)
        self._trees(canvas, int(random.integers(12)), 2.0)
        for _ in range(random.integers(6)):
            tall = float(np.exp(random.uniform(np.log(0.1), np.log(2.0))))
            deep = float(np.exp(random.uniform(np.log(1.5), np.log(30))))
            right = random.uniform(-0.7, 0.7) * deep
            stand(canvas, stock.shape(tall), right, deep, mirrored=False)
        self._people(canvas, int(random.integers(4)), (1.2, 20))
        return canvas

    def mountains(self, size: tuple[int, int]) -> Canvas:
        """Draw mountains in layers, the far ones pale, with a foreground."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (1.5, 60), (-0.2, 0.2)))
        self._sky(canvas)
        self._ground(canvas, stock.texture(max(2.0, canvas.camera.above), 0.1))
        self._ridges(canvas, int(random.integers(2, 6)), canvas.camera.above * 15)
        if random.random() < 0.5:
            self._water(canvas)
        if canvas.camera.above < 4:
            self._trees(canvas, int(random.integers(10)), 2.0)
            self._people(canvas, int(random.integers(2)), (2, 15))
        return canvas

    def table(self, size: tuple[int, int]) -> Canvas:
        """Draw things on a table, close by."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.12, 0.7), (0.0, 0.7)))
        above, back = canvas.camera.above, random.uniform(0.8, 4)
        if random.random() < 0.5:
            self._backdrop(canvas, back)
        else:
            canvas.put(*plane(canvas, stock.texture(1.5, 0.5), 2, back), *self._whole(canvas))
        self._ground(canvas, stock.texture(0.6, 0.4))
        low, high = np.array([-0.5, 0, 0.3]), np.array([0.5, above, min(back, 1.6)])
        self._balls(canvas, low, high, int(random.integers(1, 6)), (0.03, 0.16))
        for _ in range(random.integers(4)):
            half = random.uniform(0.03, 0.16, size=3)
            place = self._spot(low, high, 0.3)
            centre = np.array([place[0], above - half[1], place[1]])
            outside_box(canvas, stock.texture(0.3, 0.5), centre, half, random.uniform(-1, 1), 0.6)
        for _ in range(random.integers(4)):
            place = self._spot(low, high, 0.3)
            stand(canvas, stock.shape(random.uniform(0.08, 0.4)), *place, mirrored=False)
        return canvas

    def above(self, size: tuple[int, int]) -> Canvas:
        """Look straight down on things that lie about."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.5, 1.2), (1.15, 1.57)))
        self._ground(canvas, stock.texture(0.8, 0.3))
        above, pitch = canvas.camera.above, canvas.camera.pitch
        ahead = above / np.tan(pitch)
        low, high = np.array([-0.4, 0, ahead - 0.3]), np.array([0.4, above, ahead + 0.3])
        self._balls(canvas, low, high, int(random.integers(2, 9)), (0.03, 0.15), squeeze=0.5)
        for _ in range(random.integers(5)):
            half = random.uniform(0.02, 0.15, size=3) * (1, 0.4, 1)
            centre = np.array(
                [random.uniform(-0.4, 0.4), above - half[1], ahead + random.uniform(-0.3, 0.3)]
            )
            outside_box(canvas, stock.texture(0.3, 0.4), centre, half, random.uniform(-1, 1), 0.6)
        return canvas

    def studio(self, size: tuple[int, int]) -> Canvas:
        """Draw somebody before a wall or before a view; often close, often out of its focus."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (1.0, 1.7), (-0.1, 0.2)))
        deep = float(np.exp(random.uniform(np.log(0.45), np.log(4.0))))
        if random.random() < 0.5:
            self._backdrop(canvas, deep * random.uniform(1.5, 8))
        else:
            wall = stock.texture(2.0, 0.7)
            canvas.put(
                *plane(canvas, wall, 2, deep + random.uniform(0.4, 2.5)), *self._whole(canvas)
            )
        if random.random() < 0.7:
            self._ground(canvas, stock.texture(1.5, 0.7))
        for _ in range(1 + int(random.random() < 0.25)):
            stand(
                canvas,
                stock.person(),
                random.uniform(-0.25, 0.25) * deep,
                deep,
                mirrored=random.random() < 0.5,
            )
        return canvas

    def pasted(self, size: tuple[int, int]) -> Canvas:
        """Stand people into a photo: only that they are nearer than their surroundings is known."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (1.2, 1.7), (0.0, 0.05)))
        self._backdrop(canvas, 50.0)
        canvas.kind[:] = UNKNOWN
        canvas.colour = np.ascontiguousarray(canvas.colour)
        for _ in range(random.integers(1, 3)):
            deep = float(np.exp(random.uniform(np.log(0.7), np.log(5.0))))
            stand(
                canvas,
                stock.person(),
                random.uniform(-0.4, 0.4) * deep,
                deep,
                mirrored=random.random() < 0.5,
            )
        return canvas

    def _spot(
        self, low: NDArray[np.float64], high: NDArray[np.float64], nearest: float
    ) -> tuple[float, float]:
        """Choose where something stands: metres to the right and ahead."""
        deep = float(self._random.uniform(max(low[2], nearest), high[2]))
        return float(self._random.uniform(low[0], high[0])) * min(1.0, 0.3 + deep / 4), deep

    def _whole(self, canvas: Canvas) -> tuple[Floats, int]:
        return np.ones(canvas.depth.shape, np.float32), OTHER

    def _balls(
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
            place = self._spot(low, high, sizes[1])
            centre = np.array([place[0], canvas.camera.above - radii[1], place[1]])
            sun = np.array([random.normal(), -1.5, random.normal() - 0.5])
            ball(canvas, self._stock.texture(0.6, 0.5), centre, radii, sun)

    def _people(self, canvas: Canvas, count: int, deep: tuple[float, float]) -> None:
        for _ in range(count):
            away = float(np.exp(self._random.uniform(*np.log(np.maximum(deep, 0.5)))))
            wide = 0.45 * canvas.camera.width / canvas.camera.focal
            right = away * (np.tan(canvas.camera.yaw) + self._random.uniform(-wide, wide))
            mirrored = self._random.random() < 0.5
            stand(canvas, self._stock.person(), right, away, mirrored=mirrored)

    def _trees(self, canvas: Canvas, count: int, clear: float) -> None:
        """Plant trees at both sides, and bushes."""
        for _ in range(count):
            deep = float(np.exp(self._random.uniform(np.log(5), np.log(80))))
            side = 1 if self._random.random() < 0.5 else -1
            right = side * (clear + self._random.uniform(0, 0.8) * deep) + deep * np.tan(
                canvas.camera.yaw
            )
            stand(canvas, self._stock.tree(), right, deep, mirrored=False)

    def _ground(self, canvas: Canvas, texture: object) -> None:
        depth, colour = plane(canvas, texture, 1, canvas.camera.above)  # type: ignore[arg-type]
        rough = noise(canvas.depth.shape, self._random, 8, 0.6)[:, :, None]
        share = (depth < 3000).astype(np.float32)
        canvas.put(depth, colour * (1 + 0.1 * rough), share, OTHER)

    def _sky(self, canvas: Canvas) -> None:
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

    def _ridges(self, canvas: Canvas, count: int, nearest: float) -> None:
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

    def _water(self, canvas: Canvas) -> None:
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

    def _backdrop(self, canvas: Canvas, deep: float) -> None:
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
            *self._whole(canvas),
        )


def sample(
    stage: Stage, shape: tuple[int, int], random: Random
) -> tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.uint8]]:
    """Draw one scene: HxWx3 picture, h x w inverse depth (65535 is the nearest), h x w kinds."""
    canvas = stage.scene((round(shape[0] * SHRINK), round(shape[1] * SHRINK)))
    pixels = finish(canvas, shape, random)
    small = (shape[1] // DEPTH_STEP, shape[0] // DEPTH_STEP)
    near = 1 / np.maximum(canvas.depth, 1e-2)
    near[canvas.kind == SKY] = 0
    near = cv2.resize(near.astype(np.float32), small, interpolation=cv2.INTER_NEAREST)
    kind = cv2.resize(canvas.kind, small, interpolation=cv2.INTER_NEAREST)
    near = np.minimum(near / max(float(np.quantile(near, 0.995)), 1e-6), 1)
    return pixels, np.rint(near * 65535).astype(np.uint16), kind


def main() -> None:
    """Read the flags and render."""
    parser = argparse.ArgumentParser(description="Render scenes with exact depth.")
    parser.add_argument("--data", type=Path, required=True, help="folder of photos and people")
    parser.add_argument("--room", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--people", type=int, default=260)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    cv2.setNumThreads(1)
    flags.room.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(flags.seed)
    stage = Stage(Stock(flags.data, random, flags.people), random)
    start = time.monotonic()
    for shape, share in zip(SHAPES, SHARES, strict=True):
        count = round(flags.count * share)
        half = tuple(extent // DEPTH_STEP for extent in shape)
        name = f"{flags.seed}_{shape[0]}x{shape[1]}"
        pictures = np.zeros((count, *shape, 3), np.uint8)
        depths = np.zeros((count, *half), np.uint16)
        kinds = np.zeros((count, *half), np.uint8)
        for index in range(count):
            pictures[index], depths[index], kinds[index] = sample(stage, shape, random)
        for what, array in (("pictures", pictures), ("depths", depths), ("kinds", kinds)):
            np.save(flags.room / f"{name}_{what}.npy", array)
        print(f"{name}: {count} after {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
