"""A small network for rewriting."""

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

CHANNELS = 8


def small_network() -> ModelProto:
    """Make a network with the parts of the shipped ones: norms, a code, weights behind casts."""
    random = np.random.default_rng(5)
    taps = random.normal(0, 0.2, (CHANNELS, 3, 3, 3)).astype(np.float16)
    last = random.normal(0, 0.05, (3, CHANNELS, 3, 3)).astype(np.float32)
    film = random.normal(0, 0.3, (4, CHANNELS)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["taps.stored"], ["taps"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["two"], value=numpy_helper.from_array(np.float32([2]))),
        helper.make_node("Mul", ["image", "two"], ["bright"]),
        helper.make_node("Conv", ["bright", "taps"], ["features"], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceL2", ["features"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Div", ["features", "length"], ["even"]),
        helper.make_node("Mul", ["features", "features"], ["squares"]),
        helper.make_node("Gemm", ["style", "film"], ["code"]),
        helper.make_node("Reshape", ["code", "places"], ["scale"]),
        helper.make_node("Mul", ["even", "scale"], ["mixed"]),
        helper.make_node("Add", ["mixed", "squares"], ["sum"]),
        helper.make_node("Conv", ["sum", "last"], ["colours"], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["colours"], ["stylized"]),
    ]
    picture = [1, 3, "height", "width"]
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, picture),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 4]),
        ],
        [helper.make_tensor_value_info("stylized", TensorProto.FLOAT, picture)],
        [
            numpy_helper.from_array(taps, "taps.stored"),
            numpy_helper.from_array(last, "last"),
            numpy_helper.from_array(film, "film"),
            numpy_helper.from_array(np.array([1, CHANNELS, 1, 1]), "places"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)
