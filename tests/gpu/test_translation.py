"""Networks of other formats as ONNX: the same answers, by operators that TensorRT has."""

from pathlib import Path

import numpy as np
import onnx
import openvino as ov
import pytest
from openvino import opset15 as ops

from services.chassis.engine.choice import TFLITE
from services.chassis.engine.fake import Arrays
from services.chassis.engine.openvino import OpenVinoEngine, read_network
from services.chassis.engine.translation import to_onnx
from services.chassis.errors import InternalError
from services.chassis.store import ModelStore
from services.vision.networks import PEOPLE
from tests.gpu.operators import OPSETS, unsupported

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module", params=PEOPLE, ids=lambda network: network.name)
def file(request: pytest.FixtureRequest) -> Path:
    """Find a network that is not ONNX; without it its tests are skipped."""
    try:
        path = ModelStore(MODELS).path(request.param.name)
    except InternalError as error:
        pytest.skip(f"the pose models are not fetched: {error.message}")
    assert path.suffix == TFLITE
    return path


def answers(engine: OpenVinoEngine, inputs: Arrays) -> Arrays:
    """Run once."""
    outputs = {
        spec.name: np.zeros([extent or 1 for extent in spec.shape], np.float32)
        for spec in engine.outputs
    }
    engine.run(inputs, outputs)
    return outputs


def test_the_translation_answers_the_same(file: Path) -> None:
    """On fresh noise both files give the same numbers, under the same names and shapes."""
    own, translated = (
        OpenVinoEngine(model, threads=2, exact=True)
        for model in (file, to_onnx(read_network(file)))
    )
    (given,) = own.inputs
    shape = [extent or 1 for extent in given.shape]
    noise = np.random.default_rng().uniform(-1, 1, shape).astype(np.float32)

    expected, found = (answers(engine, {given.name: noise}) for engine in (own, translated))

    assert (translated.inputs, translated.outputs) == (own.inputs, own.outputs)
    # Noise is nobody: how sure the network is of a person may well be 0 exactly.
    assert sum(np.ptp(answer) > 0 for answer in expected.values()) >= 2
    for name, answer in expected.items():
        most = max(float(np.abs(answer).max()), 1e-6)
        assert np.allclose(found[name], answer, rtol=1e-4, atol=1e-3 * most)


def test_tensorrt_has_every_operator_of_the_translation(file: Path) -> None:
    """What comes out is of operators and types that TensorRT reads, with weights as weights."""
    network = onnx.load_from_string(to_onnx(read_network(file)))
    weights = {weight.name for weight in network.graph.initializer}
    convolutions = [node for node in network.graph.node if node.op_type == "Conv"]

    assert list(unsupported(network)) == []
    assert next(each.version for each in network.opset_import if not each.domain) in OPSETS
    assert len(convolutions) > 40
    assert all(node.input[1] in weights for node in convolutions)


def made(node: ov.Node, source: ov.Node) -> ov.Model:
    """Make a network of one operator."""
    source.output(0).get_tensor().set_names({"given"})
    node.output(0).get_tensor().set_names({"made"})
    return ov.Model([node], [source], "one")


def test_another_operator_is_refused() -> None:
    """What is not known how to translate is named, not left out."""
    source = ops.parameter([1, 3, 8, 8], np.float32)

    with pytest.raises(InternalError, match="operator Tan"):
        to_onnx(made(ops.tan(source), source))


def test_another_way_of_scaling_is_refused() -> None:
    """Scaling by other rules would give other pixels, and is named."""
    source = ops.parameter([1, 3, 8, 8], np.float32)
    scaled = ops.interpolate(source, [16, 16], "cubic", "sizes", axes=[2, 3])

    with pytest.raises(InternalError, match="cubic"):
        to_onnx(made(scaled, source))
