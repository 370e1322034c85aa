"""A garment in its picture: what kind it is, where it lies, where its corners are.

A network of ours (`training/garment`) looks at the picture and at its mirror image. Its mask is
fitted to the picture's edges; its landmarks, heat maps, are moved to the outline they lie on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine
from services.chassis.engine.networks import Network
from services.chassis.engine.sittings import sitting
from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.tryon.landmarks import (
    COVERED,
    CUFFS,
    HEAT_SIDE,
    LANDMARKS,
    OPPOSITES,
    SIDE,
    GarmentCategory,
    Mark,
    Place,
    axis_of,
    landmarks_of,
)
from services.vision.frame import scaled_to

__all__ = ["GARMENT", "Garment", "GarmentCategory", "GarmentReader"]

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

GARMENT: Final = Network(name="garment", picture_inputs=("image",), mean_error_max=0.05)
"""The network: its answers are logits."""


MASK_SIDE: Final = 128
COUNTS: Final = 3
"""No garment, one, several."""

# Of 68 garment photos kept out of training these refuse three; of 193 photos without a garment they
# let 22 pass, of 60 pairs of garments one.
ONE_MIN: Final = 0.8
OTHER_MAX: Final = 0.13
SURENESS_MIN: Final = 0.5
CONFIDENCE_MIN: Final = 0.25
TOUCHED_MIN: Final = 0.2

AREA_SHARE_MIN: Final = 0.01
"""Of the picture: what is smaller is no picture of a garment."""

EDGE_REACH_CELLS: Final = 8
EDGE_CONTRAST: Final = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Garment:
    """One garment. The mask lives in the call's arena and ends with it.

    Attributes:
        category: what it is.
        scores: 0..1 of each category.
        mask: HxW uint8, as large as the picture, 255 where the garment is, soft at its edge.
        landmarks: x and y in pixels of the picture, and confidence 0..1, by name; left is the
            wearer's, so that it lies on the right of the picture.
        axis: from the top's middle to the bottom's, in pixels of the picture.
    """

    category: GarmentCategory
    scores: Mapping[GarmentCategory, float]
    mask: Mask
    landmarks: Mapping[str, Mark]
    axis: tuple[Place, Place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the network says of a picture.

    Attributes:
        mask: 128x128, 0..1.
        heat: 20x64x64, 0..1.
        kinds: 9, of the categories and of anything else.
        counts: 3, of no, one and several garments.
    """

    mask: Floats
    heat: Floats
    kinds: Floats
    counts: Floats


class GarmentReader:
    """Reads pictures of garments. Calls may use one reader at the same time."""

    def __init__(self, engine: SeriesEngine, lens: Lens) -> None:
        """Take over the network `garment`."""
        self._engine = engine
        self._lens = lens

    @contextmanager
    def sitting(self) -> Iterator["GarmentReader"]:
        """Give one call its reader; the call's traces in the network go when the block is left."""
        with sitting(self._engine) as engine:
            yield GarmentReader(engine, self._lens)

    def read(
        self, pixels: Pixels, arena: Arena, category: GarmentCategory | None = None
    ) -> Garment:
        """Find the garment of a picture.

        Args:
            pixels: HxWx3 uint8 RGB, any size: one garment, its front, flat, hanging or as worn.
            category: what somebody who knows says it is; None to find it out.

        Raises:
            InvalidRequestError: GARMENT_NOT_FOUND; the picture shows none, several, or something
                that can't be put on. Of a garment whose category is told nothing but its mask is
                doubted.
        """
        height, width = pixels.shape[:2]
        mask = arena.array((height, width), np.uint8)
        with arena.scope():
            size = scaled_to(height, width, SIDE)
            reading = self._look(pixels, size, arena)
            if category is None:
                require_one(reading)
            coarse = arena.array(size, np.uint8)
            self._lay(reading.mask, coarse, arena)
            scores = {
                category: float(score)
                for category, score in zip(GarmentCategory, reading.kinds, strict=False)
            }
            kind = category or max(scores, key=lambda kind: scores[kind])
            require_mask(coarse)
            places = landmarks_of(kind, reading.heat, coarse)
            if category is None:
                require_clear(reading, places)
            self._lens.fit_to_edges(pixels, coarse, EDGE_REACH_CELLS, EDGE_CONTRAST, mask)
        scale = np.array([width / size[1], height / size[0]])
        landmarks = {
            name: (*((np.array(place) + 0.5) * scale - 0.5).tolist(), confidence)
            for name, (*place, confidence) in places.items()
        }
        return Garment(
            category=kind,
            scores=scores,
            mask=mask,
            landmarks=landmarks,
            axis=axis_of(landmarks),
        )

    def _look(self, pixels: Pixels, size: tuple[int, int], arena: Arena) -> Reading:
        """Run the network on the picture and on its mirror image, and take the mean."""
        image = arena.array((1, SIDE, SIDE, 3), np.uint8)
        small = arena.array((*size, 3), np.uint8)
        self._lens.resize(pixels, small)
        continue_borders(small, image[0])
        first = self._run(image, arena)
        image[0] = image[0, :, ::-1].copy()
        second = self._run(image, arena)
        return Reading(
            mask=middle(first.mask, second.mask[:, ::-1]),
            heat=middle(first.heat, second.heat[OPPOSITES, :, ::-1]),
            kinds=middle(first.kinds, second.kinds),
            counts=middle(first.counts, second.counts),
        )

    def _run(self, image: Pixels, arena: Arena) -> Reading:
        answers = {
            "mask": arena.array((1, 1, MASK_SIDE, MASK_SIDE), np.float32),
            "heat": arena.array((1, len(LANDMARKS), HEAT_SIDE, HEAT_SIDE), np.float32),
            "kind": arena.array((1, len(GarmentCategory) + 1), np.float32),
            "count": arena.array((1, COUNTS), np.float32),
        }
        self._engine.run({"image": image}, answers)
        return Reading(
            mask=sigmoid(answers["mask"][0, 0]),
            heat=sigmoid(answers["heat"][0]),
            kinds=softmax(answers["kind"][0]),
            counts=softmax(answers["count"][0]),
        )

    def _lay(self, share: Floats, coarse: Mask, arena: Arena) -> None:
        """Write the garment's mask over the picture, its largest piece alone."""
        cells = arena.array((MASK_SIDE, MASK_SIDE), np.uint8)
        np.rint(share * 255, out=cells, casting="unsafe")
        square = arena.array((SIDE, SIDE), np.uint8)
        self._lens.resize(cells, square)
        top, left = ((SIDE - extent) // 2 for extent in coarse.shape)
        inside = square[top : top + coarse.shape[0], left : left + coarse.shape[1]]
        self._lens.largest_piece(np.ascontiguousarray(inside), coarse)


def require_one(reading: Reading) -> None:
    """Refuse a picture without exactly one garment.

    Raises:
        InvalidRequestError: see `GarmentReader.read`.
    """
    none, one, several = reading.counts
    if one < ONE_MIN:
        if several > none:
            raise not_found("a picture must show one garment alone")
        raise not_found("the picture shows no garment")
    if reading.kinds[len(GarmentCategory)] > OTHER_MAX:
        raise not_found("what the picture shows can't be put on")


def require_mask(coarse: Mask) -> None:
    """Refuse a picture of which next to nothing is garment.

    Raises:
        InvalidRequestError: see `GarmentReader.read`.
    """
    if (coarse >= COVERED).mean() < AREA_SHARE_MIN:
        raise not_found("the picture shows no garment")


def require_clear(reading: Reading, places: Mapping[str, Mark]) -> None:
    """Refuse a picture in which mask or landmarks are guesses.

    Raises:
        InvalidRequestError: see `GarmentReader.read`.
    """
    touched = reading.mask[reading.mask > TOUCHED_MIN]
    sureness = float(np.abs(2 * touched - 1).mean()) if touched.size else 0.0
    confidence = np.mean([sure for name, (_, _, sure) in places.items() if name not in CUFFS])
    if sureness < SURENESS_MIN or confidence < CONFIDENCE_MIN:
        raise not_found("no garment stands out clearly from the rest of the picture")


def not_found(what: str) -> InvalidRequestError:
    """Make the refusal, with the list of what can be put on."""
    names = ", ".join(GarmentCategory)
    return InvalidRequestError(
        Reason.GARMENT_NOT_FOUND, f"{what}; taken are: {names}", metadata={"categories": names}
    )


def continue_borders(small: Pixels, square: Pixels) -> None:
    """Lay a picture into the middle of a square; its borders go on to the square's."""
    height, width = small.shape[:2]
    top, left = (square.shape[0] - height) // 2, (square.shape[1] - width) // 2
    square[top : top + height, left : left + width] = small
    square[top : top + height, :left] = small[:, :1]
    square[top : top + height, left + width :] = small[:, -1:]
    square[:top] = square[top]
    square[top + height :] = square[top + height - 1]


def middle(first: Floats, second: Floats) -> Floats:
    """Return the mean of two answers."""
    return np.asarray((first + second) / 2, np.float32)


def sigmoid(logits: Floats) -> Floats:
    """Squash logits to 0..1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32)


def softmax(logits: Floats) -> Floats:
    """Turn logits into shares that add up to 1."""
    shares = np.exp(logits - logits.max())
    return np.asarray(shares / shares.sum(), np.float32)
