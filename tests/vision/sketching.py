"""A network for tests that sketches what it is told to."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec
from services.chassis.engine.fake import FakeEngine
from services.vision.networks import INPAINT
from services.vision.sketch import SIDE

Arrays: TypeAlias = dict[str, NDArray[Any]]


def sketching(function: Callable[[Arrays], NDArray[np.float32]]) -> FakeEngine:
    """Answer what the function makes of the inputs: SIDExSIDEx3 float32 0..1."""

    def run(inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        outputs["filling"][0] = np.moveaxis(function(dict(inputs)), 2, 0)

    return FakeEngine(
        inputs=(
            *(
                TensorSpec(name=name, shape=(1, SIDE, SIDE, 3), dtype="uint8")
                for name in INPAINT.picture_inputs
            ),
            TensorSpec(name="trust", shape=(1, 3, SIDE, SIDE), dtype="float32"),
            TensorSpec(name="hole", shape=(1, 1, SIDE, SIDE), dtype="float32"),
        ),
        outputs=(TensorSpec(name="filling", shape=(1, 3, SIDE, SIDE), dtype="float32"),),
        function=run,
    )
