"""Living regions: water, clouds, smoke or hair that flow without ever coming to an end.

A flow carries each place along. What has been carried for a while is faded out while the same
texture, which will arrive at where it is in the photo, is faded in: a loop without a jump. At its
start the picture is the photo. (Two-way Eulerian blend: Holynski et al., "Animating Pictures with
Eulerian Motion Fields", 2021; contrast of blends: Heitz and Neyret, "High-Performance By-Example
Noise using a Histogram-Preserving Blending Operator", 2018.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.video import fields
from services.video.fields import Field, Pixels
from services.video.layers import grid_size

Mask: TypeAlias = NDArray[np.uint8]

# A texture is carried so far, in heights of the picture, before it has faded out.
REACH: Final = 0.1
CYCLE_SECONDS: Final = (1.0, 4.0)
# Steps in which a way is followed over one cycle.
STEPS: Final = 16
# Over this share of the shorter side a flow comes to rest inside the border of its region.
SHORE: Final = 0.012
# Finer than this share of the shorter side is what blending two textures would make dull.
GRAIN: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What flows where to.

    Attributes:
        mask: HxW uint8, 255 where it flows.
        direction_degrees: clockwise from "to the right".
        speed: heights of the picture a second.
    """

    mask: Mask
    direction_degrees: float
    speed: float


class Flow:
    """The ways of all places over one cycle, and when cycles begin."""

    def __init__(
        self, currents: Sequence[Current], *, seconds: float, loop: bool, arena: Arena
    ) -> None:
        """Follow the ways.

        Args:
            currents: at least one.
            seconds: length of the clip.
            loop: whether the clip's end has to be the start of a cycle.
            arena: where the ways go.
        """
        self._size = currents[0].mask.shape
        grid = grid_size(*self._size)
        cycle_seconds = min(
            max(REACH / max(current.speed for current in currents), CYCLE_SECONDS[0]),
            CYCLE_SECONDS[1],
        )
        self._cycles = seconds / cycle_seconds
        if loop:
            self._cycles = float(max(round(self._cycles), 1))
        velocity = np.zeros((*grid, 2), np.float32)
        for current in currents:
            add_velocity(current, grid, velocity)
        # In cells of the grid and steps of a cycle.
        velocity *= grid[0] * seconds / self._cycles / STEPS
        self._back = arena.array((STEPS + 1, *grid, 2), np.float32)
        self._ahead = arena.array((STEPS + 1, *grid, 2), np.float32)
        follow(-velocity, self._back)
        follow(velocity, self._ahead)
        moved = np.asarray(fields.enlarge(np.abs(velocity).max(axis=2), self._size) > 0.0)
        self.rows, self.columns = span(moved.max(axis=1)), span(moved.max(axis=0))
        inside = (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)
        self._map_x = arena.array(inside, np.float32)
        self._map_y = arena.array(inside, np.float32)

    @property
    def flows(self) -> bool:
        """Tell whether anything moves: a region may be too thin, or nothing."""
        return self._map_x.size > 0

    def phase(self, time: float) -> float:
        """Tell how far the cycle is at a time of 0 to 1."""
        return math.fmod(self._cycles * time, 1.0)

    def shares(self, phase: float) -> tuple[float, float, float]:
        """Tell how much counts what has been carried, what will be, and their mean's contrast."""
        carried, coming = 1.0 - phase, phase
        return carried, coming, 1.0 / math.hypot(carried, coming)

    def carried(self, phase: float) -> Field:
        """Return where what is seen was when the cycle began: offsets in cells, hxwx2."""
        return between(self._back, phase)

    def coming(self, phase: float) -> Field:
        """Return where what is seen will be when the cycle ends: offsets in cells, hxwx2."""
        return between(self._ahead, 1.0 - phase)

    def maps(self, offsets: Field) -> tuple[Field, Field]:
        """Turn offsets into places in the picture, for the pixels of `rows` and `columns`."""
        height, width = self._size
        rows, columns = offsets.shape[:2]
        whole = fields.enlarge(offsets, self._size)[self.rows, self.columns]
        np.multiply(whole[:, :, 0], width / columns, out=self._map_x)
        np.multiply(whole[:, :, 1], height / rows, out=self._map_y)
        self._map_x += np.arange(self.columns.start, self.columns.stop, dtype=np.float32)
        self._map_y += np.arange(self.rows.start, self.rows.stop, dtype=np.float32)[:, None]
        return self._map_x, self._map_y


class Stream:
    """One layer of the picture, carried along by a flow."""

    def __init__(self, pixels: Pixels, flow: Flow, arena: Arena) -> None:
        """Keep what the layer looks like at rest.

        Args:
            pixels: HxWx4 uint8, changed in place from now on.
            flow: what carries it.
            arena: where the resting picture goes.
        """
        self._flow = flow
        self._live = pixels[flow.rows, flow.columns]
        self._rest = arena.array(pixels.shape, np.uint8)
        self._rest[:] = pixels
        self._carried = arena.array(self._live.shape, np.uint8)
        self._coming = arena.array(self._live.shape, np.uint8)
        self._size = pixels.shape[:2]
        grid = grid_size(*self._size)
        smooth = fields.blur(fields.reduce(pixels, grid), max(GRAIN * min(grid), 0.5))
        self._smooth = arena.array((*grid, 4), np.float32)
        self._smooth[:] = smooth

    def flow_to(self, time: float) -> None:
        """Change the layer to how it looks at a time of 0 to 1."""
        flow = self._flow
        phase = flow.phase(time)
        carried, coming, contrast = flow.shares(phase)
        back, ahead = flow.carried(phase), flow.coming(phase)
        fields.pull(self._rest, *flow.maps(back), self._carried)
        fields.pull(self._rest, *flow.maps(ahead), self._coming)
        mean = carried * displaced(self._smooth, back) + coming * displaced(self._smooth, ahead)
        even = fields.enlarge(mean, self._size)[flow.rows, flow.columns]
        mixed = fields.mix(self._carried, carried * contrast, self._coming, coming * contrast)
        even = np.rint(even).astype(np.uint8)
        self._live[:] = fields.mix(mixed, 1.0, even, 1.0 - contrast)


def add_velocity(current: Current, grid: tuple[int, int], velocity: Field) -> None:
    """Add a current to hxwx2 of velocities, in heights a second; it rests at its region's shore."""
    shore = max(SHORE * min(grid), 0.5)
    inside = fields.blur(fields.reduce(current.mask, grid).astype(np.float32) / 255.0, shore)
    strength = np.clip(2.0 * inside - 1.0, 0.0, 1.0) * current.speed
    angle = math.radians(current.direction_degrees)
    velocity[:, :, 0] += strength * math.cos(angle)
    velocity[:, :, 1] += strength * math.sin(angle)


def follow(velocity: Field, ways: Field) -> None:
    """Follow a steady flow from every cell: the offset after each step, by the midpoint rule."""
    rows, columns = velocity.shape[:2]
    y, x = np.indices((rows, columns), np.float32)
    for step in range(1, len(ways)):
        at = ways[step - 1]
        half = at + fields.sample(velocity, x + at[:, :, 0], y + at[:, :, 1]) / 2
        ways[step] = at + fields.sample(velocity, x + half[:, :, 0], y + half[:, :, 1])


def between(ways: Field, share: float) -> Field:
    """Return the offsets after a share of all steps."""
    place = share * (len(ways) - 1)
    step = min(int(place), len(ways) - 2)
    rest = place - step
    return np.asarray(ways[step] * (1.0 - rest) + ways[step + 1] * rest, np.float32)


def displaced(field: Field, offsets: Field) -> Field:
    """Read a field where the offsets lead to."""
    rows, columns = offsets.shape[:2]
    y, x = np.indices((rows, columns), np.float32)
    return fields.sample(field, x + offsets[:, :, 0], y + offsets[:, :, 1])


def span(chosen: NDArray[np.bool_]) -> slice:
    """Return from the first to the last of what is chosen; empty if nothing is."""
    places = np.flatnonzero(chosen)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
