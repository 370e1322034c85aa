"""Scenes of eight kinds, each different every time."""

import numpy as np

from training.depth.canvas import UNKNOWN, Camera, Canvas, Random
from training.depth.cutouts import stand
from training.depth.props import Props, whole
from training.depth.stock import Stock
from training.depth.surfaces import inside_box, outside_box, plane


class Stage:
    """Sets up one scene after another."""

    def __init__(self, stock: Stock, random: Random) -> None:
        self._stock = stock
        self._random = random
        self._props = Props(stock, random)
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
            place = self._props.spot(low, high, 1.2)
            lifted = random.uniform(0.4, 1.4) if random.random() < 0.2 else 0.0
            centre = np.array([place[0], above - half[1] - lifted, place[1]])
            turn = random.normal() * 0.1 if random.random() < 0.7 else random.uniform(-1, 1)
            outside_box(canvas, stock.texture(0.8, 0.5), centre, half, turn, random.uniform(-1, 1))
        self._props.balls(canvas, low, high, int(random.integers(3)))
        self._props.people(canvas, int(random.integers(3)), (1.0, high[2] - 0.3))
        return canvas

    def street(self, size: tuple[int, int]) -> Canvas:
        """Draw a street between two rows of houses."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (1.2, 3.5), (-0.25, 0.12)))
        self._props.sky(canvas)
        self._props.ground(canvas, stock.texture(2.0, 0.6))
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
        self._props.trees(canvas, int(random.integers(4)), reach)
        self._props.people(canvas, int(random.integers(4)), (1.5, 15))
        return canvas

    def field(self, size: tuple[int, int]) -> Canvas:
        """Draw open country, perhaps at water, with trees, stones and people."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.5, 4), (-0.2, 0.3)))
        self._props.sky(canvas)
        self._props.ground(canvas, stock.texture(1.5, 0.2))
        if random.random() < 0.6:
            self._props.ridges(canvas, int(random.integers(1, 4)), 60.0)
        if random.random() < 0.35:
            self._props.water(canvas)
        if random.random() < 0.3:
            half = np.array([random.uniform(2, 8), random.uniform(1.5, 4), random.uniform(2, 8)])
            centre = np.array(
                [random.uniform(-15, 15), canvas.camera.above - half[1], random.uniform(15, 60)]
            )
            outside_box(canvas, stock.texture(3.0, 0.4), centre, half, random.uniform(-1, 1), 0.5)
        self._props.trees(canvas, int(random.integers(12)), 2.0)
        for _ in range(random.integers(6)):
            tall = float(np.exp(random.uniform(np.log(0.1), np.log(2.0))))
            deep = float(np.exp(random.uniform(np.log(1.5), np.log(30))))
            right = random.uniform(-0.7, 0.7) * deep
            stand(canvas, stock.shape(tall), right, deep, mirrored=False)
        self._props.people(canvas, int(random.integers(4)), (1.2, 20))
        return canvas

    def mountains(self, size: tuple[int, int]) -> Canvas:
        """Draw mountains in layers, the far ones pale, with a foreground."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (1.5, 60), (-0.2, 0.2)))
        self._props.sky(canvas)
        self._props.ground(canvas, stock.texture(max(2.0, canvas.camera.above), 0.1))
        self._props.ridges(canvas, int(random.integers(2, 6)), canvas.camera.above * 15)
        if random.random() < 0.5:
            self._props.water(canvas)
        if canvas.camera.above < 4:
            self._props.trees(canvas, int(random.integers(10)), 2.0)
            self._props.people(canvas, int(random.integers(2)), (2, 15))
        return canvas

    def table(self, size: tuple[int, int]) -> Canvas:
        """Draw things on a table, close by."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.12, 0.7), (0.0, 0.7)))
        above, back = canvas.camera.above, random.uniform(0.8, 4)
        if random.random() < 0.5:
            self._props.backdrop(canvas, back)
        else:
            canvas.put(*plane(canvas, stock.texture(1.5, 0.5), 2, back), *whole(canvas))
        self._props.ground(canvas, stock.texture(0.6, 0.4))
        low, high = np.array([-0.5, 0, 0.3]), np.array([0.5, above, min(back, 1.6)])
        self._props.balls(canvas, low, high, int(random.integers(1, 6)), (0.03, 0.16))
        for _ in range(random.integers(4)):
            half = random.uniform(0.03, 0.16, size=3)
            place = self._props.spot(low, high, 0.3)
            centre = np.array([place[0], above - half[1], place[1]])
            outside_box(canvas, stock.texture(0.3, 0.5), centre, half, random.uniform(-1, 1), 0.6)
        for _ in range(random.integers(4)):
            place = self._props.spot(low, high, 0.3)
            stand(canvas, stock.shape(random.uniform(0.08, 0.4)), *place, mirrored=False)
        return canvas

    def above(self, size: tuple[int, int]) -> Canvas:
        """Look straight down on things that lie about."""
        random, stock = self._random, self._stock
        canvas = Canvas(self.camera(size, (0.5, 1.2), (1.15, 1.57)))
        self._props.ground(canvas, stock.texture(0.8, 0.3))
        above, pitch = canvas.camera.above, canvas.camera.pitch
        ahead = above / np.tan(pitch)
        low, high = np.array([-0.4, 0, ahead - 0.3]), np.array([0.4, above, ahead + 0.3])
        self._props.balls(canvas, low, high, int(random.integers(2, 9)), (0.03, 0.15), squeeze=0.5)
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
            self._props.backdrop(canvas, deep * random.uniform(1.5, 8))
        else:
            wall = stock.texture(2.0, 0.7)
            canvas.put(*plane(canvas, wall, 2, deep + random.uniform(0.4, 2.5)), *whole(canvas))
        if random.random() < 0.7:
            self._props.ground(canvas, stock.texture(1.5, 0.7))
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
        self._props.backdrop(canvas, 50.0)
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
