"""Networks in half precision: what TensorRT is to compute in float16 is written into the ONNX.

Used when engines are built, never while serving. Inputs and outputs stay float32. Sums over many
values, roots and quotients stay float32 too: squares of features overflow float16, whose largest
number is 65504.
"""

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from services.chassis.errors import InternalError, Reason

FULL_PRECISION_OPERATORS = frozenset(
    {
        "Div",
        "Exp",
        "InstanceNormalization",
        "Pow",
        "Range",
        "ReduceL2",
        "ReduceMean",
        "ReduceSum",
        "ReduceSumSquare",
        "Reciprocal",
        "Softmax",
        "Sqrt",
    }
)
# Their outputs have the type of the values that they pass on; the other inputs are places.
PLACES = {"Reshape": (1,), "Expand": (1,), "Slice": (1, 2, 3, 4), "Pad": (1, 3), "Resize": (1, 2, 3)}
HALF_SUFFIX, FULL_SUFFIX = ".as_half", ".as_full"


def to_half(model: bytes) -> bytes:
    """Rewrite a float32 network so that it computes in float16.

    Args:
        model: ONNX, serialised; weights may be stored as float16 with a cast after them.

    Returns:
        ONNX, serialised, that passes onnx's full check.

    Raises:
        InternalError: the network is no ONNX, or no float32 network.
    """
    network = onnx.load_from_string(model)
    graph = onnx.shape_inference.infer_shapes(network).graph
    floats = float_names(graph)
    if not any(value.name in floats for value in graph.input):
        raise InternalError(Reason.MODEL_MISMATCH, "only float32 networks can be halved")
    outputs = {value.name for value in network.graph.output}
    nodes: list[NodeProto] = []
    cast: set[str] = set()
    for node in network.graph.node:
        kind = TensorProto.FLOAT if stays_full(node) else TensorProto.FLOAT16
        converted = converted_node(node, kind, floats, cast)
        nodes.extend(converted)
    nodes.extend(output_casts(nodes, outputs & floats))
    del network.graph.node[:]
    network.graph.node.extend(nodes)
    # Types of inner values are other ones now; they are inferred anew by whoever reads this.
    del network.graph.value_info[:]
    halved = fold_weights(network)
    onnx.checker.check_model(halved, full_check=True)
    return halved.SerializeToString()
