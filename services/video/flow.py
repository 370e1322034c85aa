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
Window: TypeAlias = tuple[slice, slice]

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
    """The ways of all places over one cycle, and where the cycle is."""

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
        self._cycles = cycles_of(currents, seconds, loop=loop)
        velocity = np.zeros((*grid, 2), np.float32)
        windows = []
        for current in currents:
            moving = add_velocity(current, grid, velocity)
            windows.append(fields.window(moving, self._size, 1))
        # In cells of the grid and steps of a cycle.
        velocity *= grid[0] * seconds / self._cycles / STEPS
        self._back = arena.array((STEPS + 1, *grid, 2), np.float32)
        self._ahead = arena.array((STEPS + 1, *grid, 2), np.float32)
        follow(-velocity, self._back)
        follow(velocity, self._ahead)
        away = np.hypot(self._back[-1, :, :, 0], self._back[-1, :, :, 1])
        unlike = np.clip(away / (GRAIN * min(grid)), 0.0, 1.0)
        self._parts = [
            Part(window, fields.enlarge_part(unlike, self._size, window), arena)
            for window in windows
            if window[0].stop > window[0].start
        ]
        self.phase = 0.0
        self.flow_to(0.0)

    @property
    def parts(self) -> "list[Part]":
        """Windows in which something flows: a region may be too thin, or nothing."""
        return self._parts

    def flow_to(self, time: float) -> None:
        """Move on to a time of 0 to 1."""
        self.phase = math.fmod(self._cycles * time, 1.0)
        self.carried = between(self._back, self.phase)
        self.coming = between(self._ahead, 1.0 - self.phase)
        for part in self._parts:
            part.carried.lead(self.carried, self._size)
            part.coming.lead(self.coming, self._size)


class Maps:
    """Places in the picture for the pixels of a window."""

    def __init__(self, window: Window, arena: Arena) -> None:
        self._window = window
        extent = tuple(each.stop - each.start for each in window)
        self.x = arena.array(extent, np.float32)
        self.y = arena.array(extent, np.float32)

    def lead(self, offsets: Field, size: tuple[int, int]) -> None:
        """Lead every pixel by offsets, hxwx2 in cells."""
        rows, columns = self._window
        whole = fields.enlarge_part(offsets, size, self._window)
        np.multiply(whole[:, :, 0], size[1] / offsets.shape[1], out=self.x)
        np.multiply(whole[:, :, 1], size[0] / offsets.shape[0], out=self.y)
        self.x += np.arange(columns.start, columns.stop, dtype=np.float32)
        self.y += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]


class Part:
    """A window in which something flows.

    Attributes:
        window: rows and columns.
        carried: where what it shows was when the cycle began.
        coming: where it will be when the cycle ends.
        unlike: 0..1, how little the textures there have in common that are mixed.
    """

    def __init__(self, window: Window, unlike: Field, arena: Arena) -> None:
        self.window = window
        self.carried = Maps(window, arena)
        self.coming = Maps(window, arena)
        self.unlike = arena.array(unlike.shape, np.float32)
        self.unlike[:] = unlike


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
        self._live = pixels
        self._rest = arena.array(pixels.shape, np.uint8)
        self._rest[:] = pixels
        self._pieces = [
            [arena.array((*part.carried.x.shape, 4), np.uint8) for _ in range(2)]
            for part in flow.parts
        ]
        grid = grid_size(*pixels.shape[:2])
        smooth = fields.blur(fields.reduce(pixels, grid), max(GRAIN * min(grid), 0.5))
        self._smooth = arena.array((*grid, 4), np.uint8)
        self._smooth[:] = smooth

    def show(self) -> None:
        """Change the layer to how it looks where the flow is."""
        flow = self._flow
        carried, coming = 1.0 - flow.phase, flow.phase
        # What is mixed evenly has lost contrast: as if it were independent, by this factor.
        contrast = 1.0 / math.hypot(carried, coming)
        mean = fields.mix(
            displaced(self._smooth, flow.carried),
            carried,
            displaced(self._smooth, flow.coming),
            coming,
        )
        for part, (was, will) in zip(flow.parts, self._pieces, strict=True):
            fields.pull(self._rest, part.carried.x, part.carried.y, was)
            fields.pull(self._rest, part.coming.x, part.coming.y, will)
            even = fields.enlarge_part(mean, self._rest.shape[:2], part.window)
            mixed = fields.mix(was, carried, will, coming)
            lively = fields.mix(mixed, contrast, even, 1.0 - contrast)
            self._live[part.window] = fields.blend(mixed, lively, part.unlike)


def cycles_of(currents: Sequence[Current], seconds: float, *, loop: bool) -> float:
    """Choose how many cycles a clip has: whole ones in a loop."""
    fastest = max(current.speed for current in currents)
    least, most = CYCLE_SECONDS
    cycles = seconds / min(max(REACH / fastest, least), most)
    return float(max(round(cycles), 1)) if loop else cycles


def add_velocity(current: Current, grid: tuple[int, int], velocity: Field) -> NDArray[np.bool_]:
    """Add a current to hxwx2 of velocities, in heights a second; it rests at its region's shore.

    Returns:
        hxw, where it moves.
    """
    shore = max(SHORE * min(grid), 0.5)
    inside = fields.blur(fields.reduce(current.mask, grid).astype(np.float32) / 255.0, shore)
    strength = np.clip(2.0 * inside - 1.0, 0.0, 1.0) * current.speed
    angle = math.radians(current.direction_degrees)
    velocity[:, :, 0] += strength * math.cos(angle)
    velocity[:, :, 1] += strength * math.sin(angle)
    return np.asarray(strength > 0.0)


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


def displaced(pixels: Pixels, offsets: Field) -> Pixels:
    """Read a small picture where the offsets lead to."""
    rows, columns = offsets.shape[:2]
    moved = np.empty_like(pixels)
    y, x = np.indices((rows, columns), np.float32)
    x += offsets[:, :, 0]
    y += offsets[:, :, 1]
    fields.pull(pixels, x, y, moved)
    return moved
