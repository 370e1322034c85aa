"""The people of a picture: where they stand, how they hold themselves, what they cover."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.engine.sittings import sitting
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.frame import (
    Frame,
    Window,
    compose,
    inverse,
    scaled_to,
    shrink,
    whole_window,
)
from services.vision.landmarker import CELLS, Landmarker, Reading
from services.vision.search import PersonSearch, Sighting

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]

# Where people were and were not, over 260 photos, these separate best.
PRESENCE_MIN = 0.94
# What the detector is sure of in the whole picture, the landmark network may be less sure of.
SCORE_SURE = 0.75
PRESENCE_MIN_SURE = 0.9
# In a part of a picture, crop and mirror image have to show the same body, within so many cells.
HEAD_DOUBT_MAX = 3.0
TORSO_DOUBT_MAX = 8.0
# Whoever fills so much of the picture is its subject: its parts are not searched then.
SUBJECT_FRAME_SHARE = 0.75
# A body of which so much was seen already is not another one.
KNOWN_SHARE_MAX = 0.4
PEOPLE_MAX = 16

# Pixels of the working crop for one cell of the silhouette; more gave no better edges.
PIXELS_PER_CELL = 1.0
# The silhouette is wrong by up to this many cells; the filter looks for the edge within them.
EDGE_REACH_CELLS = 2.0
EDGE_CONTRAST = 2.5
# Around the hull of a silhouette the filter needs so much ground, twice its reach and a little.
HULL_MARGIN_CELLS = 6
KNOWN_SIDE = 256
# A silhouette covers a cell from this value on.
COVERED = 128
# Where a frame has the middle of the hips and, as people are built, the chest.
HIPS_CELL = (CELLS / 2, CELLS / 2)
CHEST_CELL = (CELLS / 2, CELLS * 0.32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person. The arrays live in the call's arena and end with it.

    Attributes:
        score: 0..1, how surely the detector saw a person.
        frame: the square around the body, upright with it.
        box: hull of what the person covers, within the picture.
        landmarks: 33x4 float32 in the order of MediaPipe's pose: x and y in pixels of the picture,
            z in pixels towards the back, 0 at the hips, and visibility 0..1.
        silhouette: 256x256 uint8 over the frame, 255 where the person is.
    """

    score: float
    frame: Frame
    box: Window
    landmarks: NDArray[np.float32]
    silhouette: Mask

    def scaled(self, scale: float) -> "Person":
        """Return the same person in the picture made larger or smaller."""
        # Coordinates count from the middle of the first pixel.
        x, y = ((place + 0.5) * scale - 0.5 for place in self.frame.centre)
        landmarks = self.landmarks.copy()
        landmarks[:, :2] = (landmarks[:, :2] + 0.5) * scale - 0.5
        landmarks[:, 2] *= scale
        box = self.box
        return replace(
            self,
            frame=replace(self.frame, centre=(x, y), side=self.frame.side * scale),
            box=Window(
                top=math.floor(box.top * scale),
                left=math.floor(box.left * scale),
                bottom=math.ceil(box.bottom * scale),
                right=math.ceil(box.right * scale),
            ),
            landmarks=landmarks,
        )


class PersonFinder:
    """Finds the people of a picture. Calls may use one finder at the same time.

    Attributes:
        landmarker: reads the body in a crop.
        lens: scales and turns.
    """

    def __init__(self, *, detector: SeriesEngine, landmarker: SeriesEngine, lens: Lens) -> None:
        """Take over the networks `pose_detector` and `pose_landmarker`."""
        self._engines = (detector, landmarker)
        self._search = PersonSearch(detector, lens)
        self.landmarker = Landmarker(landmarker)
        self.lens = lens

    @contextmanager
    def sitting(self) -> Iterator["PersonFinder"]:
        """Give one call its finder; the call's traces in the networks go when the block is left."""
        with sitting(self._engines[0]) as detector, sitting(self._engines[1]) as landmarker:
            yield PersonFinder(detector=detector, landmarker=landmarker, lens=self.lens)

    def mask(self, pixels: Pixels, arena: Arena) -> Mask:
        """Return what all people of a picture cover.

        Args:
            pixels: HxWx3 uint8 RGB.

        Returns:
            HxW uint8 in the arena, 255 where people are, soft at their edges; 0 without people.
        """
        mask = arena.array(pixels.shape[:2], np.uint8)
        with arena.scope():
            for person in self.people(pixels, arena):
                self.add_to_mask(person, pixels, mask, arena)
        return mask

    def people(self, pixels: Pixels, arena: Arena, *, in_parts: bool = True) -> tuple[Person, ...]:
        """List the people of a picture, the most prominent first.

        Args:
            pixels: HxWx3 uint8 RGB.
            arena: where the people's arrays go.
            in_parts: whether people are searched too who are small in the picture, which takes
                many times as long where there are none.
        """
        found: list[Person] = []
        # Carved ahead of the people's own arrays, which have to outlive the scopes below.
        covered = arena.array(scaled_to(pixels.shape[0], pixels.shape[1], KNOWN_SIDE), np.uint8)
        for seen in self._sightings(pixels, found, arena, in_parts=in_parts):
            if not seen.in_whole and self._is_known(seen, pixels, covered):
                continue
            person = self._look_closer(seen, pixels, arena)
            if person is not None and self._is_new(person, pixels, covered, arena):
                found.append(person)
            if len(found) == PEOPLE_MAX:
                break
        return tuple(sorted(found, key=lambda person: -prominence(person, *pixels.shape[:2])))

    def add_to_mask(self, person: Person, pixels: Pixels, mask: Mask, arena: Arena) -> None:
        """Add what one person covers to an HxW mask of the picture."""
        add_to_mask(person, pixels, mask, self.lens, arena)

    def _sightings(
        self, pixels: Pixels, found: Sequence[Person], arena: Arena, *, in_parts: bool
    ) -> Iterator[Sighting]:
        """Search the whole picture; its parts too unless somebody in `found` fills it by then."""
        overview = self._search.overview(pixels, arena)
        scale = pixels.shape[1] / overview.shape[1]
        yield from self._search.in_whole(overview, scale, arena)
        side_min = SUBJECT_FRAME_SHARE * max(pixels.shape)
        if in_parts and not any(
            person.frame.side >= side_min and person.score >= SCORE_SURE for person in found
        ):
            yield from self._search.in_parts(overview, scale, arena)

    def _look_closer(self, seen: Sighting, pixels: Pixels, arena: Arena) -> Person | None:
        """Read the body in a frame; None if the network does not see one there either."""
        window = seen.frame.window(*pixels.shape[:2])
        if window is None:
            return None
        crop = arena.array((CELLS, CELLS, 3), np.uint8)
        with arena.scope():
            cut(pixels, seen.frame, window, crop, self.lens, arena)
        reading = self.landmarker.read(crop, arena)
        return as_person(seen, reading, window) if is_present(seen, reading) else None

    def _is_known(self, seen: Sighting, pixels: Pixels, known: Mask) -> bool:
        """Tell cheaply whether a sighting shows a body found before: hips and chest are covered."""
        to_known = compose(
            shrink(whole_window(*pixels.shape[:2]), *known.shape), seen.frame.to_picture(CELLS)
        )
        for x, y in (HIPS_CELL, CHEST_CELL):
            column, row = np.rint(to_known @ (x, y, 1.0)).astype(int)
            inside = 0 <= row < known.shape[0] and 0 <= column < known.shape[1]
            if not inside or known[row, column] < COVERED:
                return False
        return True

    def _is_new(self, person: Person, pixels: Pixels, known: Mask, arena: Arena) -> bool:
        """Tell whether a body is none of those found before, and note what it covers."""
        with arena.scope():
            cover = arena.array(known.shape, np.uint8)
            to_known = compose(
                shrink(whole_window(*pixels.shape[:2]), *known.shape),
                person.frame.to_picture(CELLS),
            )
            self.lens.warp(person.silhouette, inverse(to_known), cover)
            common = float(np.minimum(cover, known).sum(dtype=np.int64))
            covered = float(cover.sum(dtype=np.int64))
            np.maximum(known, cover, out=known)
        return covered > 0 and common <= KNOWN_SHARE_MAX * covered


def person_at(people: Sequence[Person], x: float, y: float) -> Person | None:
    """Choose the person at a point of a picture, the most prominent of several; None for nobody.

    Args:
        people: as `PersonFinder.people` returned them.
        x: pixels from the left.
        y: pixels from the top.
    """
    for person in people:
        column, row = inverse(person.frame.to_picture(CELLS)) @ (x, y, 1.0)
        inside = 0 <= column < CELLS and 0 <= row < CELLS
        if inside and person.silhouette[int(row), int(column)] >= COVERED:
            return person
    return None


def add_to_mask(person: Person, pixels: Pixels, mask: Mask, lens: Lens, arena: Arena) -> None:
    """Add what one person covers to an HxW mask of the picture, 255 where the person is."""
    cell = person.frame.side / CELLS
    window = person.box.grown(math.ceil(HULL_MARGIN_CELLS * cell), *pixels.shape[:2])
    if window.height <= 0 or window.width <= 0:
        return
    with arena.scope():
        size = working_size(person.frame, window)
        coarse = arena.array(size, np.uint8)
        fine = arena.array((window.height, window.width), np.uint8)
        to_working = compose(shrink(window, *size), person.frame.to_picture(CELLS))
        lens.warp(person.silhouette, inverse(to_working), coarse)
        radius = max(2, round(EDGE_REACH_CELLS * cell * size[0] / window.height))
        part = mask[window.slices]
        lens.fit_to_edges(pixels[window.slices], coarse, radius, EDGE_CONTRAST, fine)
        np.maximum(part, fine, out=part)


def cut(
    pixels: Pixels, frame: Frame, window: Window, crop: Pixels, lens: Lens, arena: Arena
) -> None:
    """Fill a 256x256x3 crop with what a frame shows, 0 beyond the picture.

    The window is scaled by area first, since the turning takes only the nearest pixels.
    """
    size = working_size(frame, window)
    part = arena.array((*size, 3), np.uint8)
    lens.resize(pixels[window.slices], part)
    matrix = compose(shrink(window, *size), frame.to_picture(CELLS))
    lens.warp(part, matrix, crop)


def is_present(seen: Sighting, reading: Reading) -> bool:
    """Weigh what detector and landmark network say: a part of a picture deceives more easily."""
    mean = (reading.presence + reading.presence_mirrored) / 2
    presence = max(mean, reading.presence) if seen.in_whole else mean
    if seen.in_whole:
        return presence >= (PRESENCE_MIN_SURE if seen.score >= SCORE_SURE else PRESENCE_MIN)
    agreed = reading.head_doubt <= HEAD_DOUBT_MAX and reading.torso_doubt <= TORSO_DOUBT_MAX
    return agreed and presence >= PRESENCE_MIN


def as_person(seen: Sighting, reading: Reading, window: Window) -> Person:
    """Carry what the network read in a frame into the picture; reuses the reading's arrays."""
    matrix = seen.frame.to_picture(CELLS)
    landmarks = reading.landmarks
    carry(landmarks, seen.frame)
    rows, columns = np.nonzero(reading.silhouette >= COVERED)
    places = matrix @ np.stack([columns, rows, np.ones_like(rows)])
    box = window
    if places.size:
        (left, top), (right, bottom) = places.min(axis=1), places.max(axis=1)
        box = Window(
            top=max(window.top, math.floor(top)),
            left=max(window.left, math.floor(left)),
            bottom=min(window.bottom, math.ceil(bottom)),
            right=min(window.right, math.ceil(right)),
        )
    return Person(
        score=seen.score,
        frame=seen.frame,
        box=box,
        landmarks=landmarks,
        silhouette=reading.silhouette,
    )


def carry(landmarks: NDArray[np.float32], frame: Frame) -> None:
    """Carry 33x4 landmarks out of a frame's crop into the picture, in place."""
    matrix = frame.to_picture(CELLS)
    landmarks[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    landmarks[:, 2] *= frame.side / CELLS


def prominence(person: Person, height: int, width: int) -> float:
    """Weigh how much a person is what the picture is about: large, and near its middle."""
    box = person.box
    away = math.hypot(
        (box.left + box.right) / width - 1,
        (box.top + box.bottom) / height - 1,
    )
    return box.height * box.width / (1 + away)


def working_size(frame: Frame, window: Window) -> tuple[int, int]:
    """Return the rows and columns that a window is worked on in: never more than it has."""
    scale = min(1.0, PIXELS_PER_CELL * CELLS / frame.side)
    return max(1, round(window.height * scale)), max(1, round(window.width * scale))
