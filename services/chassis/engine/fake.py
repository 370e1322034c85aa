"""An engine without a network, for tests of what stands on engines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec

STYLE_SIZE = 48


class FakeEngine:
    """Mixes a picture with its negative: all of the picture at style[0] = 0, none at 1.

    It has the inputs and outputs of a stylizer, works on each pixel alone, and gives the same
    result everywhere.

    Attributes:
        runs: how often `run` was called.
    """

    def __init__(self, style_size: int = STYLE_SIZE) -> None:
        """Take a style code of `style_size` numbers."""
        self.inputs = (
            TensorSpec(name="image", shape=(1, None, None, 3), dtype="uint8"),
            TensorSpec(name="style", shape=(1, style_size), dtype="float32"),
        )
        self.outputs = (TensorSpec(name="stylized", shape=(1, None, None, 3), dtype="uint8"),)
        self.description = "fake"
        self.runs = 0

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """See `Engine`."""
        share = float(np.clip(inputs["style"][0, 0], 0, 1))
        picture = inputs["image"].astype(np.float32)
        outputs["stylized"][:] = np.rint(picture + (255 - 2 * picture) * share)
        self.runs += 1
