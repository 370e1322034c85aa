"""Where to look for people: in the whole of a picture, then in its parts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.detector import Detection, PoseDetector
from services.vision.frame import Frame, Window, body_frame, scaled_to

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
# Who fills so much of the picture, and so surely, is its subject: parts are not searched then.
SUBJECT_FRAME_SHARE = 0.75
SUBJECT_SCORE_MIN = 0.75

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

    def sightings(self, pixels: NDArray[np.uint8], arena: Arena) -> list[Sighting]:
        """Search the whole picture, then its parts; in each the surest first."""
        height, width = pixels.shape[:2]
        side = max(height, width)
        with arena.scope():
            overview = pixels
            if side > OVERVIEW_SIDE:
                overview = arena.array((*scaled_to(height, width, OVERVIEW_SIDE), 3), np.uint8)
                self._lens.resize(pixels, overview)
            scale = width / overview.shape[1]
            seen = [
                sighting(detection, scale, in_whole=True)
                for detection in self._detector.detect(overview, arena, SCORE_MIN)
            ]
            if not any(is_subject(found, side) for found in seen):
                seen += [
                    found
                    for found in self._in_parts(overview, scale, arena)
                    if found.score >= SCORE_MIN_SMALL
                    or found.frame.side >= SMALL_FRAME_SHARE * side
                ]
        return [found for found in seen if found.frame.side >= FRAME_SIDE_MIN][:SIGHTINGS_MAX]

    def _in_parts(self, overview: NDArray[np.uint8], scale: float, arena: Arena) -> list[Sighting]:
        """Search the parts of a picture, surest first."""
        detections = [
            detection.moved(part.left, part.top)
            for part in parts(*overview.shape[:2])
            for detection in self._detector.detect(overview[part.slices], arena, SCORE_MIN_IN_PART)
        ]
        detections.sort(key=lambda detection: -detection.score)
        return [sighting(detection, scale, in_whole=False) for detection in detections]


def is_subject(seen: Sighting, side: int) -> bool:
    """Tell whether somebody surely fills a picture whose longer side is `side`."""
    return seen.score >= SUBJECT_SCORE_MIN and seen.frame.side >= SUBJECT_FRAME_SHARE * side


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
