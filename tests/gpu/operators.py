"""What TensorRT's ONNX parser reads: operators of our networks, each with its types.

Facts of the support matrix of onnx-tensorrt, docs/operators.md of TensorRT 10.15 (opsets 9 to 24),
for those operators that image networks are made of. An operator that is not named here has to be
looked up there before a network may use it.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import onnx
from onnx import ModelProto, helper

FLOATS: Final = frozenset({"float32", "float16", "bfloat16"})
NUMBERS: Final = FLOATS | {"int32", "int64"}
ALL: Final = NUMBERS | {"bool"}

OPSETS: Final = range(9, 25)
SUPPORTED: Final = (
    dict.fromkeys(
        (
            "AveragePool",
            "BatchNormalization",
            "Ceil",
            "Clip",
            "Conv",
            "ConvTranspose",
            "Elu",
            "Erf",
            "Exp",
            "Floor",
            "Gelu",
            "Gemm",
            "GlobalAveragePool",
            "HardSigmoid",
            "HardSwish",
            "InstanceNormalization",
            "LayerNormalization",
            "LeakyRelu",
            "Log",
            "MatMul",
            "MaxPool",
            "PRelu",
            "Reciprocal",
            "Resize",
            "Round",
            "Sigmoid",
            "Softmax",
            "Tanh",
            "Sqrt",
        ),
        FLOATS,
    )
    | dict.fromkeys(
        (
            "Abs",
            "Add",
            "DepthToSpace",
            "Div",
            "Equal",
            "Greater",
            "Less",
            "Max",
            "Min",
            "Mul",
            "Neg",
            "Pad",
            "Pow",
            "Range",
            "ReduceL2",
            "ReduceMax",
            "ReduceMean",
            "ReduceSum",
            "ReduceSumSquare",
            "Relu",
            "SpaceToDepth",
            "Sub",
        ),
        NUMBERS,
    )
    | dict.fromkeys(
        (
            "Cast",
            "Concat",
            "ConstantOfShape",
            "Expand",
            "Flatten",
            "Gather",
            "Identity",
            "Reshape",
            "Shape",
            "Slice",
            "Split",
            "Squeeze",
            "Tile",
            "Transpose",
            "Unsqueeze",
            "Where",
        ),
        ALL,
    )
)


def kinds_of(network: ModelProto) -> dict[str, str]:
    """Infer the type of every tensor, by numpy's name."""
    graph = onnx.shape_inference.infer_shapes(network, strict_mode=True).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    found |= {weight.name: weight.data_type for weight in graph.initializer}
    return {
        name: np.dtype(helper.tensor_dtype_to_np_dtype(kind)).name for name, kind in found.items()
    }


def unsupported(network: ModelProto) -> Iterator[str]:
    """List the nodes that TensorRT does not read, or not with the type of their values."""
    kinds = kinds_of(network)
    for node in network.graph.node:
        kind = kinds[node.input[0]] if node.input else "nothing"
        if kind not in SUPPORTED.get(node.op_type, ()):
            yield f"{node.op_type} of {kind}"
