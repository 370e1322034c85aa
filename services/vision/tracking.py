"""Following one person through the frames of a film.

After Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking" (2020): people are
searched once; from then on the landmark network alone looks, at the place where it saw the body in
the frame before, until it sees none there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.vision.frame import Frame, Point, body_frame
from services.vision.landmarker import CELLS, Glance
from services.vision.person import PersonFinder, carry, cut
from services.vision.search import FRAME_MARGIN

Pixels: TypeAlias = NDArray[np.uint8]
Landmarks: TypeAlias = NDArray[np.float32]

# Of searches in vain every so many is one for people who are small in the picture as well.
SEARCHES_PER_CLOSE_ONE = 4
# Below this a body that was followed is lost, as in the published graph.
PRESENCE_MIN = 0.5
# A frame that is smaller, in pixels, or larger, over the picture's longer side, holds no body.
SIDE_MIN = 16.0
SIDE_MAX_SHARE = 4.0


class PersonTracker:
    """Follows the most prominent person of one film.

    Attributes:
        in_vain: searches since a person was seen.
    """

    def __init__(self, finder: PersonFinder, glance: Callable[[Pixels, Arena], Glance]) -> None:
        """Start without a person; see `tracking`."""
        self._finder = finder
        self._glance = glance
        self._frame: Frame | None = None
        # Searching costs far more than following: each search in vain doubles the pause.
        self.in_vain = 0
        self._idle = 0

    def landmarks(self, pixels: Pixels, arena: Arena) -> Landmarks | None:
        """Return the person's 33x4 landmarks in the film's next frame, None for nobody.

        Args:
            pixels: HxWx3 uint8 RGB.
            arena: of the frame; the answer lives in it. In pixels of the frame, as `Person` has.
        """
        found = self._follow(pixels, arena)
        return self._search(pixels, arena) if found is None else found

    def _follow(self, pixels: Pixels, arena: Arena) -> Landmarks | None:
        """Look where the person was."""
        frame = self._frame
        window = frame.window(*pixels.shape[:2]) if frame else None
        if frame is None or window is None:
            return None
        crop = arena.array((CELLS, CELLS, 3), np.uint8)
        with arena.scope():
            cut(pixels, frame, window, crop, self._finder.lens, arena)
        seen = self._glance(crop, arena)
        self._frame = next_frame(frame, seen, max(pixels.shape[:2]))
        if self._frame is None:
            return None
        carry(seen.landmarks, frame)
        return seen.landmarks

    def _search(self, pixels: Pixels, arena: Arena) -> Landmarks | None:
        """Look for a person anywhere, unless that was in vain a moment ago."""
        if self._idle:
            self._idle -= 1
            return None
        close = self.in_vain % SEARCHES_PER_CLOSE_ONE == 0
        people = self._finder.people(pixels, arena, in_parts=close)
        if not people:
            self.in_vain += 1
            self._idle = (1 << self.in_vain) - 1
            return None
        self.in_vain = 0
        self._frame = people[0].frame
        return people[0].landmarks


@contextmanager
def tracking(finder: PersonFinder) -> Iterator[PersonTracker]:
    """Follow a person through one film; leaving the block removes the network's traces."""
    with finder.landmarker.glances() as glance:
        yield PersonTracker(finder, glance)


def next_frame(frame: Frame, seen: Glance, extent: int) -> Frame | None:
    """Return where a body will be in a film's next frame, None if it is lost.

    Args:
        frame: where it was looked for.
        seen: what was seen there.
        extent: longer side of the picture.
    """
    if seen.presence < PRESENCE_MIN:
        return None
    matrix = frame.to_picture(CELLS)

    def carried(point: Point) -> Point:
        x, y = matrix @ (*point, 1.0)
        return float(x), float(y)

    ahead = body_frame(carried(seen.hips), carried(seen.crown), FRAME_MARGIN)
    return ahead if SIDE_MIN <= ahead.side <= SIDE_MAX_SHARE * extent else None
