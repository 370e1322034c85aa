"""Where to look for people: in the whole of a picture, then in its parts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.detector import Detection, PoseDetector
from services.vision.frame import Frame, Window, body_frame, scaled_to

Pixels: TypeAlias = NDArray[np.uint8]

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
SCORE_MIN_SMALL = 0.7
# Nothing is left to see in a frame of fewer pixels.
FRAME_SIDE_MIN = 16
SIGHTINGS_MAX = 24

# Side of the frame over the body's circle, as the landmark network was trained.
FRAME_MARGIN = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A place where the detector saw a person.

    Attributes:
        score: 0..1.
        frame: around the body, in pixels of the picture.
        in_whole: seen in the whole picture, where it errs less than in a part.
    """

    score: float
    frame: Frame
    in_whole: bool


class PersonSearch:
    """Finds the places of a picture where people seem to be."""

    def __init__(self, detector: Engine, lens: Lens) -> None:
        """Take over the network `pose_detector`."""
        self._detector = PoseDetector(detector, lens)
        self._lens = lens

    def overview(self, pixels: Pixels, arena: Arena) -> Pixels:
        """Return a picture at the size that it is searched in, the same if it is small."""
        height, width = pixels.shape[:2]
        if max(height, width) <= OVERVIEW_SIDE:
            return pixels
        overview = arena.array((*scaled_to(height, width, OVERVIEW_SIDE), 3), np.uint8)
        self._lens.resize(pixels, overview)
        return overview

    def in_whole(self, overview: Pixels, scale: float, arena: Arena) -> list[Sighting]:
        """Search the whole picture, surest first.

        Args:
            overview: HxWx3 uint8 RGB.
            scale: width of the picture over the overview's.
        """
        detections = self._detector.detect(overview, arena, SCORE_MIN)
        seen = [sighting(detection, scale, in_whole=True) for detection in detections]
        return [found for found in seen if found.frame.side >= FRAME_SIDE_MIN]

    def in_parts(self, overview: Pixels, scale: float, arena: Arena) -> list[Sighting]:
        """Search the parts of a picture, surest first; arguments as `in_whole`."""
        detections = [
            detection.moved(part.left, part.top)
            for part in parts(*overview.shape[:2])
            for detection in self._detector.detect(overview[part.slices], arena, SCORE_MIN_IN_PART)
        ]
        detections.sort(key=lambda detection: -detection.score)
        seen = [sighting(detection, scale, in_whole=False) for detection in detections]
        side_min = SMALL_FRAME_SHARE * max(overview.shape[:2]) * scale
        return [
            found
            for found in seen
            if found.frame.side >= FRAME_SIDE_MIN
            and (found.frame.side >= side_min or found.score >= SCORE_MIN_SMALL)
        ][:SIGHTINGS_MAX]


def sighting(detection: Detection, scale: float, *, in_whole: bool) -> Sighting:
    """Lay a frame around what the detector found in a picture `scale` times smaller."""
    frame = body_frame(detection.hips, detection.crown, FRAME_MARGIN)
    # Coordinates count from the middle of the first pixel.
    x, y = ((place + 0.5) * scale - 0.5 for place in frame.centre)
    return Sighting(
        score=detection.score,
        frame=replace(frame, centre=(x, y), side=frame.side * scale),
        in_whole=in_whole,
    )


def parts(height: int, width: int) -> Iterator[Window]:
    """Cut a picture into parts that overlap."""
    rows, columns = (max(1, round(extent * PART_SHARE)) for extent in (height, width))
    for down, right in product(PART_PLACES, PART_PLACES):
        top, left = round(down * (height - rows)), round(right * (width - columns))
        yield Window(top=top, left=left, bottom=top + rows, right=left + columns)
