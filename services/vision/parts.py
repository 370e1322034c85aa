"""What belongs to what on a person: body parts, and skin, hair and clothes, pixel by pixel.

What the network reads in a crop, at half the crop's size, is fitted to the picture's own edges.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.engine.sittings import sitting
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.anatomy import BodyPart, Wear
from services.vision.frame import Frame, Window, compose, inverse, shrink
from services.vision.landmarker import CELLS
from services.vision.networks import PARTS
from services.vision.part_reader import ANSWER_CELLS, PartReader, close_frame
from services.vision.person import COVERED, Person, add_to_mask
from services.vision.shares import level

__all__ = ["PARTS", "BodyPart", "PartMap", "PartsFinder", "Wear"]

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

LIMBS: Final = (
    (BodyPart.HEAD,),
    (BodyPart.TORSO,),
    (BodyPart.UPPER_ARM_LEFT, BodyPart.FOREARM_LEFT, BodyPart.HAND_LEFT),
    (BodyPart.UPPER_ARM_RIGHT, BodyPart.FOREARM_RIGHT, BodyPart.HAND_RIGHT),
    (BodyPart.THIGH_LEFT, BodyPart.SHIN_LEFT, BodyPart.FOOT_LEFT),
    (BodyPart.THIGH_RIGHT, BodyPart.SHIN_RIGHT, BodyPart.FOOT_RIGHT),
)
"""Parts that no edge divides: a hand ends where a joint is, not where a colour does."""

WORK_SIDE_MAX: Final = 768
"""Longer side, in pixels, at which shares are fitted to edges; larger ones are drawn larger."""

WEAR_REACH_CELLS: Final = 6
"""Half width of the filter's window, in cells of the crop: the answers miss edges by as much."""

LIMB_REACH_CELLS: Final = 3
"""The same of limbs, whose border is as often a fold of one cloth as an edge."""

EDGE_CONTRAST: Final = 1.6

HULL_MARGIN_CELLS: Final = 6
BAND_ROWS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMap:
    """What belongs to what on one person. The arrays live in the call's arena and end with it.

    Attributes:
        body: HxW uint8 `BodyPart`, as large as the picture; 0 outside the person's mask.
        wear: HxW uint8 `Wear`, likewise.
        person: HxW uint8, the person's mask, 255 inside, soft at its edge.
        window: the part of the picture that holds the person.
        shares: 7xhxw uint8 over the window, how much of each `Wear` is there, 0..255; it may be
            smaller than the window. What is ground holds nothing.
    """

    body: Mask
    wear: Mask
    person: Mask
    window: Window
    shares: NDArray[np.uint8]
    lens: Lens = field(repr=False)

    def wear_share(self, wear: Wear, arena: Arena) -> Mask:
        """Return HxW uint8 in the arena: 255 where all is of one class, soft at its edges."""
        share = arena.array(self.person.shape, np.uint8)
        if self.window.height <= 0 or self.window.width <= 0:
            return share
        with arena.scope():
            size = (self.window.height, self.window.width)
            grown = arena.array(size, np.uint8)
            self.lens.resize(self.shares[wear], grown)
            person = self.person[self.window.slices]
            for start in range(0, size[0], BAND_ROWS):
                rows = slice(start, start + BAND_ROWS)
                product = grown[rows].astype(np.uint16) * person[rows]
                share[self.window.slices][rows] = (product + 127) // 255
        return share


class PartsFinder:
    """Tells the parts of people. Calls may use one finder at the same time."""

    def __init__(self, engine: SeriesEngine, lens: Lens) -> None:
        """Take over the network `parts`."""
        self._engine = engine
        self._reader = PartReader(engine, lens)
        self._lens = lens

    @contextmanager
    def sitting(self) -> Iterator["PartsFinder"]:
        """Give one call its finder; the call's traces in the network go when the block is left."""
        with sitting(self._engine) as engine:
            yield PartsFinder(engine, self._lens)

    def parts(
        self, pixels: Pixels, person: Person, arena: Arena, mask: Mask | None = None
    ) -> PartMap:
        """Tell what belongs to what on one person.

        Args:
            pixels: HxWx3 uint8 RGB, any size.
            person: as `PersonFinder.people` found it in the picture.
            mask: HxW, what `PersonFinder.add_to_mask` makes of the person, where that is known.
        """
        size = pixels.shape[:2]
        body, wear = (arena.array(size, np.uint8) for _ in range(2))
        frame = close_frame(person, *size)
        if mask is None:
            mask = arena.array(size, np.uint8)
            add_to_mask(person, pixels, mask, self._lens, arena)
        margin = round(HULL_MARGIN_CELLS * frame.side / CELLS)
        window = person.box.grown(margin, *size)
        work = fitting(window.height, window.width)
        shares = arena.array((len(Wear), *work), np.uint8)
        if 0 not in work:
            with arena.scope():
                limbs = arena.array((len(BodyPart), *work), np.uint8)
                self._fill_shares(pixels, person, frame, window, limbs, shares, arena)
                self._label(limbs, mask[window.slices], body[window.slices], arena)
                self._label(shares, mask[window.slices], wear[window.slices], arena)
        return PartMap(
            body=body, wear=wear, person=mask, window=window, shares=shares, lens=self._lens
        )

    def _fill_shares(
        self,
        pixels: Pixels,
        person: Person,
        frame: Frame,
        window: Window,
        limbs: NDArray[np.uint8],
        shares: NDArray[np.uint8],
        arena: Arena,
    ) -> None:
        """Read the crop and lay the answers over the window, along its edges."""
        body, wear = self._reader.read(pixels, person, frame, arena)
        guide = arena.array((*shares.shape[1:], 3), np.uint8)
        self._lens.resize(pixels[window.slices], guide)
        scale = CELLS / frame.side
        coarse = tuple(
            max(1, min(extent, round(reach * scale)))
            for extent, reach in zip(shares.shape[1:], (window.height, window.width), strict=True)
        )
        # From the coarse window through the picture to the answers' cells.
        to_answers = compose(
            inverse(frame.to_picture(ANSWER_CELLS)), inverse(shrink(window, *coarse))
        )
        groups = arena.array((len(LIMBS), *shares.shape[1:]), np.uint8)
        by_limb = [body[list(limb)].sum(axis=0) for limb in LIMBS]
        self._fit(np.stack(by_limb), to_answers, coarse, guide, groups, LIMB_REACH_CELLS, arena)
        self._fit(wear[1:], to_answers, coarse, guide, shares[1:], WEAR_REACH_CELLS, arena)
        level(shares[1:])
        whole = compose(
            inverse(frame.to_picture(ANSWER_CELLS)), inverse(shrink(window, *limbs.shape[1:]))
        )
        for limb, group, total in zip(LIMBS, groups, by_limb, strict=True):
            for part in limb:
                # A part's share of its limb changes smoothly; where the limb ends is an edge's say.
                share = np.rint(255 * body[part] / np.maximum(total, 1e-6)).astype(np.uint8)
                self._lens.warp(share, whole, limbs[part])
                product = limbs[part].astype(np.uint16) * group
                limbs[part] = (product + 127) // 255

    def _fit(
        self,
        answers: Floats,
        to_answers: NDArray[np.float64],
        coarse: tuple[int, ...],
        guide: Pixels,
        target: NDArray[np.uint8],
        radius: int,
        arena: Arena,
    ) -> None:
        """Lay shares 0..1 of the crop over the window and let them follow its edges."""
        with arena.scope():
            present = [number for number, share in enumerate(answers) if share.max() > 0.05]
            laid = arena.array((len(present), *coarse), np.uint8)
            fitted = arena.array((len(present), *target.shape[1:]), np.uint8)
            for number, share in zip(present, laid, strict=True):
                self._lens.warp(np.rint(answers[number] * 255).astype(np.uint8), to_answers, share)
            self._lens.fit_shares_to_edges(guide, laid, radius, EDGE_CONTRAST, fitted)
            target[present] = fitted

    def _label(self, shares: NDArray[np.uint8], mask: Mask, labels: Mask, arena: Arena) -> None:
        """Write which share is largest, inside the mask alone.

        Args:
            shares: Cxhxw; the first is the ground's.
            mask: HxW.
            labels: HxW, zeros.
        """
        with arena.scope():
            best, share = arena.array(mask.shape, np.uint8), arena.array(mask.shape, np.uint8)
            for number in range(1, len(shares)):
                if not shares[number].any():
                    continue
                self._lens.resize(shares[number], share)
                larger = share > best
                labels[larger] = number
                np.maximum(best, share, out=best)
        labels[mask < COVERED] = 0


def fitting(height: int, width: int) -> tuple[int, int]:
    """Return the size at which a window is worked on: never more than it has."""
    scale = min(1.0, WORK_SIDE_MAX / max(height, width, 1))
    if min(height, width) <= 0:
        return 0, 0
    return max(1, round(height * scale)), max(1, round(width * scale))
