"""How near everything in a picture is, from one photo or from a depth map of the caller's.

A network of ours judges the picture as a whole at a small size. What is known better is laid over
it: people are found by `person`, stand at about one distance each, and are nearer than what their
outline covers; edges of the map are those of the picture. Of what lies behind people the map is
made without them, so that nothing of them bleeds into it and their outline stays a clean step.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.frame import scaled_to
from services.vision.person import Person, PersonFinder
from services.vision.spread import spread

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

SHAPES: Final = ((96, 128), (128, 96), (128, 128), (96, 160), (160, 96))
"""Heights and widths that the network looks at pictures in; the nearest in proportion is taken."""

FITTING_SIDE: Final = 320
"""Longer side that the map is fitted to the picture's edges at."""

FITTING_REACH: Final = 14
"""The edge of a map is looked for this far around, in pixels of the fitting size."""

EVEN_SPREAD: Final = (3.0, 10.0)
"""Standard deviations of brightness, of 255: a picture below the first shows nothing that could be
near or far, one above the second may show all."""

RELIEF: Final = 0.35
"""So much of the relief that the network sees in somebody is kept."""

STEP: Final = 0.12
"""Somebody is nearer than the background around by at least so much."""

OUTLINE_CONTRAST: Final = 2.0
"""How abruptly the map steps at the outline of people, over their mask's own softness."""

EVEN_DEPTH: Final = 0.5
"""What a map says of a picture in which nothing is nearer than anything else."""

COARSE_MAP: Final = 4
"""A caller's map that is smaller than the picture by more than this has no edges of its own."""

RING_CELLS: Final = 5
"""How far around somebody the background is looked at, in cells of the network's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Somebody in the picture.

    Attributes:
        mask: HxW uint8, 255 where they are.
        small: hxw float32 0..1, the same at the network's size.
    """

    mask: Pixels
    small: Floats


class DepthFinder:
    """Tells near from far. Calls may use one finder at the same time."""

    def __init__(self, *, engine: SeriesEngine, people: PersonFinder, lens: Lens) -> None:
        """Take over the network `depth`, which reads `image` and answers `near`."""
        self._engine = engine
        self._people = people
        self._lens = lens

    @property
    def engine(self) -> str:
        """Device and precision of the network."""
        return self._engine.description

    def depth(self, pixels: Pixels, arena: Arena) -> Floats:
        """Return how near everything in a picture is.

        Args:
            pixels: HxWx3 uint8 RGB.
            arena: of the call.

        Returns:
            HxW float32 in the arena: inverse depth, 0 for the farthest (sky) to 1 for the nearest.
            A picture of one even colour has one even depth.
        """
        near = arena.array(pixels.shape[:2], np.float32)
        with arena.scope():
            small = self._look(pixels, arena)
            figures = self._figures(pixels, small.shape, arena)
            self._lay_ground(pixels, small, figures, near, arena)
            levels = [level_of(small, figure, figures) for figure in figures]
            for index in np.argsort(levels):
                self._lay_figure(small, figures[index], levels[index], near, arena)
        return near

    def warm_up(self, arena: Arena) -> None:
        """Run the network once in every shape, so that no call waits for its preparation."""
        for height, width in SHAPES:
            with arena.scope():
                self._look(arena.array((height, width, 3), np.uint8), arena)

    def fit_depth_map(
        self, depth_map: NDArray[np.uint8 | np.uint16], pixels: Pixels, arena: Arena
    ) -> Floats:
        """Return a depth map of the caller's in place of `depth`, along the picture's edges.

        Args:
            depth_map: hxw uint8 or uint16 of any size and of about the picture's proportions, the
                largest value nearest. Its smallest value becomes 0 and its largest 1; an even map
                says that everything is at one depth.
            pixels: HxWx3 uint8 RGB.
            arena: of the call.

        Returns:
            HxW float32 in the arena, 0..1.
        """
        near = arena.array(pixels.shape[:2], np.float32)
        low, high = int(depth_map.min()), int(depth_map.max())
        if low == high:
            near[:] = EVEN_DEPTH
            return near
        with arena.scope():
            exact = arena.array(depth_map.shape, np.float32)
            np.subtract(depth_map, np.float32(low), out=exact)
            exact /= np.float32(high - low)
            if min(depth_map.shape) * COARSE_MAP >= min(pixels.shape[:2]):
                self._lens.resize(exact, near)
            else:
                self._fit(pixels, exact, near, arena)
        np.clip(near, 0, 1, out=near)
        return near

    def _look(self, pixels: Pixels, arena: Arena) -> Floats:
        """Ask the network for hxw inverse depth, the mean of the picture's and its mirror's."""
        height, width = shape_for(*pixels.shape[:2])
        picture = arena.array((1, height, width, 3), np.uint8)
        self._lens.resize(pixels, picture[0])
        near = arena.array((1, 1, height // 2, width // 2), np.float32)
        mirrored = arena.array(near.shape, np.float32)
        light = float(picture.mean(axis=3).std())
        with self._engine.series() as run:
            run({"image": picture}, {"near": near})
            picture[:] = picture[:, :, ::-1].copy()
            run({"image": picture}, {"near": mirrored})
        answer: Floats = near[0, 0]
        answer += mirrored[0, 0, :, ::-1]
        answer /= 2
        low, high = EVEN_SPREAD
        share = min(1.0, max(0.0, (light - low) / (high - low)))
        answer[:] = answer.mean() + (answer - answer.mean()) * share
        return answer

    def _figures(self, pixels: Pixels, size: tuple[int, ...], arena: Arena) -> list[Figure]:
        """Find the people that the picture is about, and what each of them covers.

        Those who are small in it are not looked for: it takes longer than all else together.
        """
        return [
            self._figure(person, pixels, size, arena)
            for person in self._people.people(pixels, arena, in_parts=False)
        ]

    def _figure(
        self, person: Person, pixels: Pixels, size: tuple[int, ...], arena: Arena
    ) -> Figure:
        mask = arena.array(pixels.shape[:2], np.uint8)
        small = arena.array(size, np.float32)
        self._people.add_to_mask(person, pixels, mask, arena)
        with arena.scope():
            shrunk = arena.array(size, np.uint8)
            self._lens.resize(mask, shrunk)
            np.multiply(shrunk, np.float32(1 / 255), out=small)
        return Figure(mask=mask, small=small)

    def _lay_ground(
        self, pixels: Pixels, small: Floats, figures: list[Figure], near: Floats, arena: Arena
    ) -> None:
        """Fill the map with what is there without people, along the picture's edges."""
        with arena.scope():
            ground = arena.array((*small.shape, 3), np.float32)
            ground[:] = small[:, :, None]
            if figures:
                covered = np.max([figure.small for figure in figures], axis=0)
                spread(ground, grown(covered > 0.02, 3) == 0, self._lens)
            self._fit(pixels, ground[:, :, 0], near, arena)

    def _fit(self, pixels: Pixels, coarse: Floats, near: Floats, arena: Arena) -> None:
        """Scale a map up to the picture's size, along its edges."""
        side = min(FITTING_SIDE, max(near.shape))
        middle = arena.array(scaled_to(near.shape[0], near.shape[1], side), np.float32)
        self._lens.resize(coarse, middle)
        middle *= 255
        self._lens.fit_to_edges(pixels, middle, FITTING_REACH, 1.0, near)
        near /= 255

    def _lay_figure(
        self, small: Floats, figure: Figure, level: float, near: Floats, arena: Arena
    ) -> None:
        """Stand somebody into the map at a level, with a little relief of their own."""
        with arena.scope():
            body = arena.array((*small.shape, 3), np.float32)
            body[:] = small[:, :, None]
            inside = figure.small > 0.9
            spread(body, inside, self._lens)
            middle = float(np.median(body[:, :, 0][inside])) if inside.any() else level
            relief = arena.array(near.shape, np.float32)
            self._lens.resize(np.ascontiguousarray(body[:, :, 0]), relief)
            relief -= middle
            relief *= RELIEF
            relief += level
            np.clip(relief, 0, 1, out=relief)
            share = arena.array(near.shape, np.float32)
            np.multiply(figure.mask, np.float32(OUTLINE_CONTRAST / 255), out=share)
            share += np.float32(0.5 - OUTLINE_CONTRAST / 2)
            np.clip(share, 0, 1, out=share)
            relief -= near
            relief *= share
            near += relief


def shape_for(height: int, width: int) -> tuple[int, int]:
    """Return the shape that the network looks at a picture of height x width in."""
    wanted = np.log(height / width)
    return min(SHAPES, key=lambda shape: abs(float(np.log(shape[0] / shape[1])) - wanted))


def level_of(small: Floats, figure: Figure, figures: list[Figure]) -> float:
    """Judge at what depth somebody stands.

    The network's own judgement of the body holds, but feet stand on the ground beside them, and
    whoever hides a background is nearer than it.

    Args:
        small: hxw inverse depth as the network sees it.
        figure: whom to judge.
        figures: everybody in the picture, who are no background.
    """
    inside = figure.small > 0.5
    if not inside.any():
        inside = figure.small >= figure.small.max()
    level = float(np.quantile(small[inside], 0.6))
    covered = np.max([each.small for each in figures], axis=0) > 0.05
    ring = grown(inside, RING_CELLS) & ~covered
    feet = int(np.flatnonzero(inside.any(axis=1))[-1])
    ring[feet + 1 :] = False
    if not ring.any():
        return level
    on_ground = ring.copy()
    on_ground[: max(0, feet - 2)] = False
    if feet < len(small) - 2 and on_ground.any():
        beside = float(np.median(small[on_ground]))
        level = max(beside, min(level, beside + STEP))
    return min(1.0, max(level, float(np.quantile(small[ring], 0.95)) + STEP))


def grown(cells: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return what lies within `reach` rows and columns of any of the cells."""
    wide = np.pad(cells, reach)
    extent = 2 * reach + 1
    across = np.asarray(sliding_window_view(wide, extent, axis=1).any(axis=2))
    return np.asarray(sliding_window_view(across, extent, axis=0).any(axis=2))
