"""Reading the parts of a person in a close crop, by a network of ours that `training/parts` made.

It looks at a crop around the person, upright with the body, beside maps of where the landmarks say
that limbs are, of the silhouette, and of colours like the face's skin; and at the mirror image of
all this, for a second opinion.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.vision.anatomy import BodyPart, Wear
from services.vision.frame import Frame, compose, inverse
from services.vision.landmarker import CELLS
from services.vision.limbs import MAP_CELLS, MAPS, OPPOSITE_MAPS, limb_maps
from services.vision.person import COVERED, Person, cut
from services.vision.shares import as_shares, rule_out
from services.vision.skin import skin_likeness

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

ANSWER_CELLS: Final = 128
WEAR_ANSWERS: Final = 8
EYES: Final = 7
"""The last of the wear classes, which is told as skin."""

OPPOSITE_PARTS: Final = [
    BodyPart.GROUND,
    BodyPart.HEAD,
    BodyPart.TORSO,
    *(part + 1 if part % 2 else part - 1 for part in range(3, len(BodyPart))),
]
OPPOSITE_GUIDES: Final = [*OPPOSITE_MAPS, MAPS, MAPS + 1]

CROP_MARGIN: Final = 1.12
"""Side of the crop over the longer side of the silhouette's hull, as in training."""


class PartReader:
    """Reads shares of body parts and wear in a crop."""

    def __init__(self, engine: SeriesEngine, lens: Lens) -> None:
        """Take over the network `parts`."""
        self._engine = engine
        self._lens = lens

    def read(
        self, pixels: Pixels, person: Person, frame: Frame, arena: Arena
    ) -> tuple[Floats, Floats]:
        """Read what a frame shows of a person.

        Args:
            pixels: HxWx3 uint8 RGB.
            frame: see `close_frame`.

        Returns:
            Body parts 15x128x128 and wear 7x128x128 over the frame, in the arena, 0..1; the
            ground's are 0, the others' of a cell add up to 1.
        """
        body = arena.array((1, len(BodyPart), ANSWER_CELLS, ANSWER_CELLS), np.float32)
        wear = arena.array((1, WEAR_ANSWERS, ANSWER_CELLS, ANSWER_CELLS), np.float32)
        with arena.scope():
            image = arena.array((1, CELLS, CELLS, 3), np.uint8)
            guide = arena.array((1, MAPS + 2, MAP_CELLS, MAP_CELLS), np.float32)
            window = frame.window(*pixels.shape[:2])
            if window is not None:
                cut(pixels, frame, window, image[0], self._lens, arena)
            self._draw_guide(person, frame, image[0], guide[0], arena)
            self._look_twice(image, guide, body, wear, arena)
        rule_out_dress(wear[0])
        for logits in (body, wear):
            as_shares(logits[0])
        wear[0, Wear.SKIN] += wear[0, EYES]
        return body[0], wear[0, :EYES]

    def _look_twice(
        self, image: Pixels, guide: Floats, body: Floats, wear: Floats, arena: Arena
    ) -> None:
        """Fill logits with the mean of those of the crop and of its mirror image."""
        other_body = arena.array(body.shape, np.float32)
        other_wear = arena.array(wear.shape, np.float32)
        with self._engine.series() as run:
            run({"image": image, "guide": guide}, {"body": body, "wear": wear})
            image[:] = image[:, :, ::-1].copy()
            guide[:] = guide[:, OPPOSITE_GUIDES, :, ::-1]
            run({"image": image, "guide": guide}, {"body": other_body, "wear": other_wear})
        body += other_body[:, OPPOSITE_PARTS, :, ::-1]
        wear += other_wear[:, :, :, ::-1]
        body /= 2
        wear /= 2

    def _draw_guide(
        self, person: Person, frame: Frame, image: Pixels, guide: Floats, arena: Arena
    ) -> None:
        """Draw limb maps, silhouette and likeness to the face's skin over the crop."""
        landmarks = person.landmarks.copy()
        matrix = inverse(frame.to_picture(MAP_CELLS))
        landmarks[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        landmarks[:, 2] *= MAP_CELLS / frame.side
        limb_maps(landmarks, guide[:MAPS])
        silhouette = arena.array((CELLS, CELLS), np.uint8)
        to_seen = compose(inverse(person.frame.to_picture(CELLS)), frame.to_picture(CELLS))
        self._lens.warp(person.silhouette, to_seen, silhouette)
        small = arena.array((MAP_CELLS, MAP_CELLS), np.uint8)
        self._lens.resize(silhouette, small)
        np.multiply(small, np.float32(1 / 255), out=guide[MAPS])
        colours = arena.array((MAP_CELLS, MAP_CELLS, 3), np.uint8)
        self._lens.resize(image, colours)
        skin_likeness(colours, landmarks, guide[MAPS + 1])


def close_frame(person: Person, height: int, width: int) -> Frame:
    """Lay a frame closely around what a person covers of a picture, upright with the body."""
    matrix = person.frame.to_picture(CELLS)
    cells = np.stack(np.nonzero(person.silhouette >= COVERED)[::-1])
    x, y = matrix[:, :2] @ cells + matrix[:, 2:]
    cells = cells[:, (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)]
    if not cells.size:
        return person.frame
    low, high = cells.min(axis=1), cells.max(axis=1)
    middle_x, middle_y = matrix[:, :2] @ ((low + high) / 2) + matrix[:, 2]
    side = CROP_MARGIN * float((high - low).max() + 1) * person.frame.side / CELLS
    return Frame(centre=(float(middle_x), float(middle_y)), side=side, turn=person.frame.turn)


def rule_out_dress(logits: Floats) -> None:
    """Rule out in place what can't be: patches of a dress on two garments, or of trousers on one.

    Args:
        logits: of `Wear`, CxHxW.
    """
    best = logits.argmax(axis=0)
    upper, lower, dress = ((best == wear).sum() for wear in (Wear.UPPER, Wear.LOWER, Wear.DRESS))
    if dress < upper + lower:
        rule_out(logits, Wear.DRESS)
    elif lower < dress:
        # A jacket may well be worn over a dress, but nothing else from the waist down.
        rule_out(logits, Wear.LOWER)
