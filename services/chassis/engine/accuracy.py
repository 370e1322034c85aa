"""How far one engine's answers lie from another's, on inputs that are nobody's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import Engine, TensorSpec
from services.chassis.engine.networks import Network

SEED = 20_261_123
# Of the fixed pattern that pictures are made of, in pixels: smooth and sharp parts, all levels.
WAVE_PIXELS = 37.0


def mean_error(engine: Engine, reference: Engine, network: Network) -> float:
    """Run two engines on the same inputs and average their distance over all answers.

    Returns:
        Mean absolute difference, in levels of 255 for pictures; not a number if an answer is.
    """
    sides = network.sides.usual if network.sides else (0, 0)
    inputs = {spec.name: sample(spec, sides) for spec in engine.inputs}
    distances = []
    answers = [outputs_of(each, inputs, network) for each in (engine, reference)]
    for name, answer in answers[0].items():
        expected = answers[1][name].astype(np.float64)
        distances.append(float(np.abs(answer.astype(np.float64) - expected).mean()))
    return max(distances)


def outputs_of(
    engine: Engine, inputs: dict[str, NDArray[Any]], network: Network
) -> dict[str, NDArray[Any]]:
    """Run an engine once."""
    height, width = network.sides.usual if network.sides else (0, 0)
    outputs = {}
    for spec in engine.outputs:
        step = 1 if spec.name in network.picture_outputs else network.answer_step
        outputs[spec.name] = np.zeros(
            filled(spec.shape, (height // step, width // step)), spec.dtype
        )
    engine.run(inputs, outputs)
    return outputs


def sample(spec: TensorSpec, sides: tuple[int, int]) -> NDArray[Any]:
    """Make an input: a picture of waves and noise, or numbers around zero."""
    shape = filled(spec.shape, sides)
    random = np.random.default_rng(SEED)
    if spec.dtype != "uint8":
        return np.asarray(random.standard_normal(shape), spec.dtype)
    rows, columns = np.indices(shape[1:3])
    waves = np.sin(rows / WAVE_PIXELS) * np.cos(columns / WAVE_PIXELS)
    levels = 128.0 + 90.0 * waves[None, :, :, None] + random.normal(0.0, 20.0, shape)
    return np.asarray(np.clip(levels, 0, 255), np.uint8)


def filled(shape: tuple[int | None, ...], sides: tuple[int, int]) -> tuple[int, ...]:
    """Fill what a shape leaves free: height and width, and before them a batch of one."""
    free = [axis for axis, extent in enumerate(shape) if extent is None]
    extents = dict(zip(free[-2:], sides, strict=False))
    return tuple(
        extents.get(axis, 1) if extent is None else extent for axis, extent in enumerate(shape)
    )
