"""The measure that half precision is held to."""

import numpy as np
import pytest

from services.chassis.engine.accuracy import mean_error
from services.chassis.engine.fake import Arrays, FakeEngine, inverting_painter
from services.chassis.engine.networks import Network, Sides

NETWORK = Network(
    name="stylize",
    picture_inputs=("image",),
    picture_outputs=("stylized",),
    sides=Sides(least=16, usual=(32, 48), most=64),
)


def off_by(levels: float) -> FakeEngine:
    """Make a painter that is off in half of its pixels."""
    right = inverting_painter(4)

    def wrong(inputs: Arrays, outputs: Arrays) -> None:
        right.function(inputs, outputs)
        half = outputs["stylized"][:, ::2]
        half[:] = np.where(half < 128, half + levels, half - levels)

    return FakeEngine(inputs=right.inputs, outputs=right.outputs, function=wrong)


@pytest.mark.parametrize("levels", [0, 3])
def test_the_distance_is_a_mean_in_levels(levels: int) -> None:
    """Equal engines are 0 apart, and one that is off by 3 in half of all pixels is 1.5 apart."""
    assert mean_error(off_by(levels), inverting_painter(4), NETWORK) == levels / 2
