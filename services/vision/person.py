"""The people of a picture: where they stand, how they hold themselves, what they cover."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.detector import Detection, PoseDetector
from services.vision.frame import Frame, Window, body_frame, compose, inverse, shrink
from services.vision.landmarker import CELLS, Landmarker, Reading

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]

# The detector looks at a picture of this size, and at parts of it: it sees no more detail.
OVERVIEW_SIDE = 1024
# Parts of the picture that are searched for people too small to be seen in the whole.
PART_SHARE = 0.5
PART_PLACES = (0.0, 0.5, 1.0)
# Where people were and were not, over 260 photos, these separate best.
SCORE_MIN = 0.45
SCORE_MIN_IN_PART = 0.55
# A frame below this share of the picture's longer side is a small find, which must be surer.
SMALL_FRAME_SHARE = 0.5
SCORE_MIN_SMALL = 0.65
PRESENCE_MIN = 0.94
# A body of which so much was seen already is not another one.
KNOWN_SHARE_MAX = 0.4
# Nothing is left to see in a frame of fewer pixels.
FRAME_SIDE_MIN = 16
SIGHTINGS_MAX = 24
PEOPLE_MAX = 16

# Frames whose centres lie nearer (in sides) and whose sides' ratio has a smaller logarithm are one.
ALIKE_AWAY_MAX = 0.08
ALIKE_SCALE_MAX = 0.2

# Side of the frame over the body's circle, as the landmark network was trained.
FRAME_MARGIN = 1.25
# Pixels of the working crop for one cell of the silhouette; more gave no better edges.
PIXELS_PER_CELL = 1.0
# The silhouette is wrong by up to this many cells; the filter looks for the edge within them.
EDGE_REACH_CELLS = 2.0
EDGE_CONTRAST = 2.5
KNOWN_SIDE = 256
# A silhouette covers a cell from this value on.
COVERED = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A place where the detector saw a person.

    Attributes:
        score: 0..1.
        frame: around the body, in pixels of the picture.
        certain: seen in the whole picture, where it errs less than in a part.
    """

    score: float
    frame: Frame
    certain: bool


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


class PersonFinder:
    """Finds the people of a picture. Calls may use one finder at the same time."""

    def __init__(self, *, detector: Engine, landmarker: Engine, lens: Lens) -> None:
        """Take over the networks `pose_detector` and `pose_landmarker`."""
        self._detector = PoseDetector(detector, lens)
        self._landmarker = Landmarker(landmarker)
        self._lens = lens

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

    def people(self, pixels: Pixels, arena: Arena) -> tuple[Person, ...]:
        """List the people of a picture, the most prominent first.

        Args:
            pixels: HxWx3 uint8 RGB.
        """
        found: list[Person] = []
        # Carved ahead of the people's own arrays, which have to outlive the scopes below.
        covered = arena.array(scaled_to(pixels.shape[0], pixels.shape[1], KNOWN_SIDE), np.uint8)
        for seen in self._sightings(pixels, arena):
            if not seen.certain and any(alike(seen.frame, known.frame) for known in found):
                continue
            person = self._look_closer(seen, pixels, arena)
            if person is not None and self._is_new(person, pixels, covered, arena):
                found.append(person)
            if len(found) == PEOPLE_MAX:
                break
        return tuple(sorted(found, key=lambda person: -prominence(person, *pixels.shape[:2])))

    def add_to_mask(self, person: Person, pixels: Pixels, mask: Mask, arena: Arena) -> None:
        """Add what one person covers to an HxW mask of the picture."""
        window = person.frame.window(*pixels.shape[:2])
        if window is None:
            return
        with arena.scope():
            size = working_size(person.frame, window)
            coarse = arena.array(size, np.uint8)
            fine = arena.array((window.height, window.width), np.uint8)
            to_working = compose(shrink(window, *size), person.frame.to_picture(CELLS))
            self._lens.warp(person.silhouette, inverse(to_working), coarse)
            cell = person.frame.side / CELLS * size[0] / window.height
            radius = max(2, round(EDGE_REACH_CELLS * cell))
            part = mask[window.slices]
            self._lens.fit_to_edges(pixels[window.slices], coarse, radius, EDGE_CONTRAST, fine)
            np.maximum(part, fine, out=part)

    def _sightings(self, pixels: Pixels, arena: Arena) -> list[Sighting]:
        """Search the whole picture, then its parts; in each the surest first."""
        height, width = pixels.shape[:2]
        with arena.scope():
            overview = pixels
            if max(height, width) > OVERVIEW_SIDE:
                overview = arena.array((*scaled_to(height, width, OVERVIEW_SIDE), 3), np.uint8)
                self._lens.resize(pixels, overview)
            in_whole = self._detector.detect(overview, arena, SCORE_MIN)
            in_parts = [
                detection.moved(part.left, part.top)
                for part in parts(*overview.shape[:2])
                for detection in self._detector.detect(
                    overview[part.slices], arena, SCORE_MIN_IN_PART
                )
            ]
            scale = width / overview.shape[1]
        in_parts.sort(key=lambda detection: -detection.score)
        side_min = SMALL_FRAME_SHARE * max(height, width)
        seen = [sighting(detection, scale, certain=True) for detection in in_whole]
        for detection in in_parts:
            found = sighting(detection, scale, certain=False)
            if found.score >= SCORE_MIN_SMALL or found.frame.side >= side_min:
                seen.append(found)
        return [found for found in seen if found.frame.side >= FRAME_SIDE_MIN][:SIGHTINGS_MAX]

    def _look_closer(self, seen: Sighting, pixels: Pixels, arena: Arena) -> Person | None:
        """Read the body in a frame; None if the network does not see one there either."""
        window = seen.frame.window(*pixels.shape[:2])
        if window is None:
            return None
        crop = arena.array((CELLS, CELLS, 3), np.uint8)
        with arena.scope():
            self._cut(pixels, seen.frame, window, crop, arena)
        reading = self._landmarker.read(crop, arena)
        mean = (reading.presence + reading.presence_mirrored) / 2
        presence = max(mean, reading.presence) if seen.certain else mean
        return as_person(seen, reading, window) if presence >= PRESENCE_MIN else None

    def _cut(
        self, pixels: Pixels, frame: Frame, window: Window, crop: Pixels, arena: Arena
    ) -> None:
        """Fill a 256x256x3 crop with what a frame shows, 0 beyond the picture.

        The window is scaled by area first, since the turning takes only the nearest pixels.
        """
        size = working_size(frame, window)
        part = arena.array((*size, 3), np.uint8)
        self._lens.resize(pixels[window.slices], part)
        matrix = compose(shrink(window, *size), frame.to_picture(CELLS))
        self._lens.warp(part, matrix, crop)

    def _is_new(self, person: Person, pixels: Pixels, known: Mask, arena: Arena) -> bool:
        """Tell whether a body is none of those found before, and note what it covers."""
        whole = Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1])
        with arena.scope():
            cover = arena.array(known.shape, np.uint8)
            to_known = compose(shrink(whole, *known.shape), person.frame.to_picture(CELLS))
            self._lens.warp(person.silhouette, inverse(to_known), cover)
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


def sighting(detection: Detection, scale: float, *, certain: bool) -> Sighting:
    """Lay a frame around what the detector found in a picture `scale` times smaller."""
    frame = body_frame(detection.hips, detection.crown, FRAME_MARGIN)
    # Coordinates count from the middle of the first pixel.
    x, y = ((place + 0.5) * scale - 0.5 for place in frame.centre)
    return Sighting(
        score=detection.score,
        frame=replace(frame, centre=(x, y), side=frame.side * scale),
        certain=certain,
    )


def as_person(seen: Sighting, reading: Reading, window: Window) -> Person:
    """Carry what the network read in a frame into the picture; reuses the reading's arrays."""
    matrix = seen.frame.to_picture(CELLS)
    landmarks = reading.landmarks
    landmarks[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    landmarks[:, 2] *= seen.frame.side / CELLS
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


def alike(frame: Frame, other: Frame) -> bool:
    """Tell whether two frames surely hold the same body, so that one needn't be read again."""
    away = math.dist(frame.centre, other.centre) / other.side
    return away < ALIKE_AWAY_MAX and abs(math.log(frame.side / other.side)) < ALIKE_SCALE_MAX


def prominence(person: Person, height: int, width: int) -> float:
    """Weigh how much a person is what the picture is about: large, and near its middle."""
    box = person.box
    away = math.hypot(
        (box.left + box.right) / width - 1,
        (box.top + box.bottom) / height - 1,
    )
    return box.height * box.width / (1 + away)


def parts(height: int, width: int) -> Iterator[Window]:
    """Cut a picture into parts that overlap."""
    rows, columns = (max(1, round(extent * PART_SHARE)) for extent in (height, width))
    for down, right in product(PART_PLACES, PART_PLACES):
        top, left = round(down * (height - rows)), round(right * (width - columns))
        yield Window(top=top, left=left, bottom=top + rows, right=left + columns)


def working_size(frame: Frame, window: Window) -> tuple[int, int]:
    """Return the rows and columns that a window is worked on in: never more than it has."""
    scale = min(1.0, PIXELS_PER_CELL * CELLS / frame.side)
    return max(1, round(window.height * scale)), max(1, round(window.width * scale))


def scaled_to(height: int, width: int, side: int) -> tuple[int, int]:
    """Return rows and columns with the longer of them `side`."""
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))
