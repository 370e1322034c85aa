"""What TensorRT's ONNX parser reads: operators of our networks, each with its types.

Facts of the support matrix of onnx-tensorrt, docs/operators.md of TensorRT 10.15 (opsets 9 to 24),
for those operators that image networks are made of. An operator that is not named here has to be
looked up there before a network may use it.
"""

from typing import Final

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
