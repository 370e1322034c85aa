"""Engines that find what a test has planted, in place of the pose networks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec
from services.vision.detector import SIDE, anchors
from services.vision.landmarker import ANSWERS, CELLS, HEAT_CELLS, VALUES_PER_ANSWER

BODY_SHADE_MIN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What the detector is to answer: points in pixels of its 224x224 square."""

    score: float
    hips: tuple[float, float]
    crown: tuple[float, float]
    box: tuple[float, float, float, float] = (100.0, 40.0, 20.0, 20.0)


class PlantedDetector:
    """Answers the planted people for a picture with anything bright in it, else nobody.

    Attributes:
        runs: how often `run` was called.
        seen: the last input.
    """

    description = "planted"
    inputs = (TensorSpec(name="picture", shape=(1, SIDE, SIDE, 3), dtype="float32"),)
    outputs = (
        TensorSpec(name="boxes", shape=(1, 2254, 12), dtype="float32"),
        TensorSpec(name="scores", shape=(1, 2254, 1), dtype="float32"),
    )

    def __init__(self, people: Sequence[Planted]) -> None:
        """Plant people, each at an anchor of its own."""
        self._people = people
        self.runs = 0
        self.seen: NDArray[np.float32] | None = None

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """See `Engine`."""
        self.runs += 1
        self.seen = inputs["picture"].copy()
        outputs["scores"][:] = -50
        if self.seen.max() < BODY_SHADE_MIN / 127.5 - 1:
            return
        middles = anchors()
        for number, person in enumerate(self._people):
            anchor = 700 * number + 300
            x, y, width, height = person.box
            points = [(x, y), (width, height), person.hips, person.crown, (0, 0), (0, 0)]
            raw = np.array(points, np.float32)
            raw[[0, 2, 3]] -= middles[anchor]
            outputs["boxes"][0, anchor] = raw.reshape(-1)
            outputs["scores"][0, anchor] = np.log(person.score / (1 - person.score))

    @contextmanager
    def series(
        self,
    ) -> Iterator[Callable[[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]], None]]:
        """See `SeriesEngine`."""
        yield self.run


class BrightLandmarker:
    """Takes whatever is bright in a crop for the body; sure of it if there is enough."""

    description = "bright"
    inputs = (TensorSpec(name="crop", shape=(1, CELLS, CELLS, 3), dtype="float32"),)
    outputs = (
        TensorSpec(name="answers", shape=(1, ANSWERS * VALUES_PER_ANSWER), dtype="float32"),
        TensorSpec(name="presence", shape=(1, 1), dtype="float32"),
        TensorSpec(name="mask", shape=(1, CELLS, CELLS, 1), dtype="float32"),
        TensorSpec(name="heat", shape=(1, HEAT_CELLS, HEAT_CELLS, ANSWERS), dtype="float32"),
    )

    def __init__(self, presence: float = 1.0, presence_mirrored: float | None = None) -> None:
        """Choose how surely every second run sees a body."""
        self._presences = (presence, presence if presence_mirrored is None else presence_mirrored)
        self.runs = 0

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """See `Engine`."""
        bright = inputs["crop"][0].mean(axis=-1) >= BODY_SHADE_MIN / 255
        outputs["mask"][0, :, :, 0] = np.where(bright, 300.0, -300.0)
        outputs["heat"][:] = -50
        answers = np.zeros((ANSWERS, VALUES_PER_ANSWER), np.float32)
        answers[:, :2] = CELLS / 2
        answers[0] = (CELLS / 2, CELLS / 4, -10, 50, 50)
        outputs["answers"][0] = answers.reshape(-1)
        outputs["presence"][:] = self._presences[self.runs % 2]
        self.runs += 1

    @contextmanager
    def series(
        self,
    ) -> Iterator[Callable[[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]], None]]:
        """See `SeriesEngine`."""
        yield self.run
