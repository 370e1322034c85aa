"""Networks in half precision: what TensorRT is to compute in float16 is written into the ONNX.

Used when engines are built, never while serving. Inputs and outputs stay float32. Sums over many
values, squares, roots and quotients stay float32 too: float16 ends at 65504.
"""

from typing import Final

import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper
from onnx import numpy_helper as values

from services.chassis.engine.folding import fold
from services.chassis.errors import InternalError, Reason

FULL_PRECISION_OPERATORS: Final = frozenset(
    {
        "Div",
        "Exp",
        "InstanceNormalization",
        "Pow",
        "Range",
        "Reciprocal",
        "ReduceL2",
        "ReduceMean",
        "ReduceSum",
        "ReduceSumSquare",
        "Softmax",
        "Sqrt",
    }
)

FLOAT_INPUTS: Final = {"Resize": (1, 2)}
"""Places of inputs that are float32 whatever the precision of the values."""

SUFFIXES: Final[dict[int, str]] = {TensorProto.FLOAT16: ".half", TensorProto.FLOAT: ".full"}


def to_half(model: bytes) -> bytes:
    """Rewrite a float32 network so that it computes in float16.

    Args:
        model: ONNX, serialised; weights may be stored as float16 with a cast after them.

    Returns:
        ONNX, serialised, that passes onnx's full check.

    Raises:
        InternalError: the network has branches or loops, or nothing in float32.
    """
    network = onnx.load_from_string(model)
    fold(network)
    halved = Halving(network).network()
    onnx.checker.check_model(halved, full_check=True)
    return bytes(halved.SerializeToString())


class Halving:
    """One rewriting, node by node in the network's order."""

    def __init__(self, network: ModelProto) -> None:
        self._network = network
        graph = onnx.shape_inference.infer_shapes(network).graph
        self._weights = {weight.name: weight for weight in network.graph.initializer}
        # The float tensors, each with the type that it has in the new network.
        self._kinds = {
            value.name: TensorProto.FLOAT
            for value in (*graph.input, *graph.value_info, *graph.output)
            if value.type.tensor_type.elem_type == TensorProto.FLOAT
        } | {
            name: TensorProto.FLOAT
            for name, weight in self._weights.items()
            if weight.data_type == TensorProto.FLOAT
        }
        self._outputs = {value.name for value in graph.output}
        self._nodes: list[NodeProto] = []
        self._made: set[str] = set()

    def network(self) -> ModelProto:
        """Rewrite the network.

        Raises:
            InternalError: the network has branches or loops, or nothing in float32.
        """
        graph = self._network.graph
        nested = any(
            each.type == AttributeProto.GRAPH for node in graph.node for each in node.attribute
        )
        if nested or not self._kinds:
            message = "only float32 networks without branches and loops can be halved"
            raise InternalError(Reason.MODEL_MISMATCH, message)
        for node in graph.node:
            self._add(node)
        used = {name for node in self._nodes for name in node.input} | self._outputs
        weights = [weight for name, weight in self._weights.items() if name in used]
        # Types of inner values are others now; whoever reads the network infers them.
        del graph.node[:], graph.value_info[:], graph.initializer[:]
        graph.node.extend(self._nodes)
        graph.initializer.extend(weights)
        return self._network

    def _add(self, source: NodeProto) -> None:
        """Add a node in the precision that it is to have."""
        node = NodeProto()
        node.CopyFrom(source)
        kind = TensorProto.FLOAT if stays_full(node) else TensorProto.FLOAT16
        full_places = FLOAT_INPUTS.get(node.op_type, ())
        for place, name in enumerate(node.input):
            wanted = TensorProto.FLOAT if place in full_places else kind
            node.input[place] = self._as(name, wanted)
        self._nodes.append(node)
        for place, name in enumerate(node.output):
            if name not in self._kinds or kind == TensorProto.FLOAT:
                continue
            if name in self._outputs:
                node.output[place] = name + SUFFIXES[kind]
                self._made.add(node.output[place])
                self._cast(node.output[place], name, TensorProto.FLOAT)
            else:
                self._kinds[name] = kind

    def _as(self, name: str, kind: int) -> str:
        """Name a tensor in a type, adding the cast to it if there is none yet."""
        if self._kinds.get(name, kind) == kind:
            return name
        other = name + SUFFIXES[kind]
        if other in self._made:
            return other
        self._made.add(other)
        if name in self._weights:
            array = values.to_array(self._weights[name])
            dtype = helper.tensor_dtype_to_np_dtype(kind)
            self._weights[other] = values.from_array(array.astype(dtype), other)
        else:
            self._cast(name, other, kind)
        return other

    def _cast(self, source: str, target: str, kind: int) -> None:
        self._nodes.append(helper.make_node("Cast", [source], [target], to=kind))


def stays_full(node: NodeProto) -> bool:
    """Tell whether a node is computed in float32."""
    is_square = node.op_type == "Mul" and node.input[0] == node.input[1]
    # A cast says itself what it makes.
    return is_square or node.op_type == "Cast" or node.op_type in FULL_PRECISION_OPERATORS
