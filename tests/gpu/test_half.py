"""Networks in half precision: valid, of operators that TensorRT has, and close to the original."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from gateway.settings import SERVICES
from services.chassis.engine.half import to_half
from services.chassis.engine.networks import Network
from services.chassis.errors import InternalError
from services.chassis.store import ModelStore
from tests.gpu.half_network import small_network
from tests.gpu.operators import OPSETS, kinds_of, unsupported

MODELS = Path(__file__).parents[2] / "models"
SHIPPED = sorted(MODELS.glob("*/*.onnx"))
OURS = {
    network
    for feature in SERVICES
    for network in import_module(f"services.{feature}.networks").NETWORKS
    if not network.exact
}


def run(network: ModelProto, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a network as the standard says, each node in its own type."""
    style = np.array([[0.4, -0.3, 0.9, 0.1]], np.float32)
    answer = ReferenceEvaluator(network).run(None, {"image": image, "style": style})
    return np.asarray(answer[0])


def test_half_precision_is_close() -> None:
    """The network in float16 paints the float32 picture within a level, and not bit for bit."""
    network = small_network()
    image = np.random.default_rng(1).random((1, 3, 12, 16)).astype(np.float32)

    full, half = run(network, image), run(onnx.load_from_string(halved(network)), image)

    assert half.dtype == np.float32
    assert 0 < np.abs(half - full).max() < 1 / 255


def halved(network: ModelProto) -> bytes:
    """Rewrite a network."""
    return to_half(network.SerializeToString())


def test_only_what_overflows_stays_full() -> None:
    """Convolutions have float16 weights and values; norms, squares and quotients float32."""
    network = onnx.load_from_string(halved(small_network()))
    kinds = kinds_of(network)
    types = {
        (node.op_type, kinds[name])
        for node in network.graph.node
        for name in node.input
        if node.op_type in {"Conv", "ReduceL2", "Div", "Gemm"}
    }

    assert types == {
        ("Conv", "float16"),
        ("Gemm", "float16"),
        ("ReduceL2", "float32"),
        ("Div", "float32"),
    }
    squares = next(node for node in network.graph.node if "squares" in node.output)
    assert kinds[squares.input[0]] == "float32"


def test_weights_are_weights() -> None:
    """No cast or constant stands between a weight and its layer: convolutions want none."""
    network = onnx.load_from_string(halved(small_network()))
    weights = {weight.name for weight in network.graph.initializer}
    convolutions = [node for node in network.graph.node if node.op_type == "Conv"]

    assert [node.input[1] in weights for node in convolutions] == [True, True]
    assert "Constant" not in {node.op_type for node in network.graph.node}


def test_a_network_with_branches_is_refused() -> None:
    """What can't be rewritten is told, not rewritten wrongly."""
    branch = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["out"])],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    network = small_network()
    choice = helper.make_node("If", ["yes"], ["chosen"], then_branch=branch, else_branch=branch)
    network.graph.node.append(choice)
    network.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))

    with pytest.raises(InternalError, match="branches"):
        halved(network)


def test_an_unknown_operator_would_be_found() -> None:
    """The check finds an operator that TensorRT lacks, and a type that it does not take."""
    network = small_network()
    network.graph.node.append(helper.make_node("Det", ["scale"], ["determinant"]))
    network.graph.node.append(helper.make_node("Abs", ["flags"], ["heights"]))
    network.graph.initializer.append(numpy_helper.from_array(np.uint16([1]), "flags"))

    assert list(unsupported(network)) == ["Constant of nothing", "Det of float32", "Abs of uint16"]


@pytest.mark.skipif(not SHIPPED, reason="no ONNX network in models/")
@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_tensorrt_has_every_operator_of_the_shipped_networks(file: Path) -> None:
    """Each shipped network, in half precision, is of operators and types that TensorRT reads."""
    network = onnx.load_from_string(to_half(file.read_bytes()))

    assert list(unsupported(network)) == []
    assert next(each.version for each in network.opset_import if not each.domain) in OPSETS


@pytest.mark.parametrize(
    "network", sorted(OURS, key=lambda each: each.name), ids=lambda network: network.name
)
def test_cards_tell_how_far_half_precision_may_lie(network: Network) -> None:
    """The limit that a build is held to stands in the card of each network of ours."""
    card = (MODELS / ModelStore(MODELS).path(network.name)).with_name("card.md").read_text()
    (told,) = re.findall(r"^On a GPU .*$", card, re.MULTILINE)

    assert f" {network.mean_error_max}" in told
