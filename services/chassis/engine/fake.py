"""Engines for tests: they do in a line of arithmetic what a network would, and always the same."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec

Arrays: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEngine:
    """An `Engine` whose network is a function of arrays in and arrays out."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    function: Callable[[Arrays, Arrays], None]
    description: str = "fake"

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """See `Engine`."""
        self.function(inputs, outputs)

    @contextmanager
    def series(self) -> Iterator[Callable[[Arrays, Arrays], None]]:
        """See `SeriesEngine`; nothing is left to clean up."""
        yield self.run


def inverting_painter(code_size: int) -> FakeEngine:
    """Paint the negative of a picture, brighter by the first number of the style code.

    It works pixel by pixel, so tiles and the whole picture agree exactly.
    """
    picture = (1, None, None, 3)
    return FakeEngine(
        inputs=(
            TensorSpec(name="image", shape=picture, dtype="uint8"),
            TensorSpec(name="thumbnail", shape=(1, 128, 128, 3), dtype="uint8"),
            TensorSpec(name="style", shape=(1, code_size), dtype="float32"),
        ),
        outputs=(TensorSpec(name="stylized", shape=picture, dtype="uint8"),),
        function=invert,
    )


def averaging_encoder(side: int, code_size: int) -> FakeEngine:
    """Read a style picture as its mean brightness in 0..1, repeated."""
    return FakeEngine(
        inputs=(TensorSpec(name="style_image", shape=(1, side, side, 3), dtype="uint8"),),
        outputs=(TensorSpec(name="style", shape=(1, code_size), dtype="float32"),),
        function=average,
    )


def invert(inputs: Arrays, outputs: Arrays) -> None:
    """Write 255 - image + style[0], limited to 0..255."""
    negative = 255.0 - inputs["image"] + inputs["style"][0, 0]
    outputs["stylized"][:] = np.clip(np.rint(negative), 0.0, 255.0)


def average(inputs: Arrays, outputs: Arrays) -> None:
    """Write the mean of the style picture, 0..1."""
    outputs["style"][:] = inputs["style_image"].mean() / 255.0
