"""What of a network is constant: computed once, exactly, and never more than that."""

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from services.chassis.engine.folding import COMPUTED_BYTES_MAX, fold

SIDE = 6


def network(*nodes: object, side: int | str = SIDE, **weights: NDArray[np.generic]) -> ModelProto:
    """Make a network of one picture in and `made` out."""
    shape = [1, 3, side, side]
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("made", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def halved_sides(side: int | str = SIDE) -> ModelProto:
    """Make a network that reads its picture's sides, halves them, and lays the picture out anew."""
    return network(
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Slice", ["shape", "two", "four"], ["sides"]),
        helper.make_node("Div", ["sides", "two"], ["half"]),
        helper.make_node("Mod", ["sides", "two"], ["rest"]),
        helper.make_node("Add", ["half", "rest"], ["cells"]),
        helper.make_node("Concat", ["start", "cells"], ["laid"], axis=0),
        helper.make_node("Reshape", ["image", "laid"], ["parts"]),
        helper.make_node("Gather", ["taps", "first"], ["tap"]),
        helper.make_node("Mul", ["parts", "tap"], ["made"]),
        side=side,
        two=np.array([2]),
        four=np.array([4]),
        start=np.array([1, 12]),
        taps=np.array([0.5, 7.0], np.float32),
        first=np.array(0),
    )


def run(model: ModelProto, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a network as the standard says."""
    return np.asarray(ReferenceEvaluator(model).run(None, {"image": image})[0])


def test_sizes_of_a_fixed_picture_are_constants() -> None:
    """Only the work on pixels is left, and it gives the same pixels."""
    image = np.random.default_rng(3).random((1, 3, SIDE, SIDE)).astype(np.float32)
    model = halved_sides()
    expected = run(model, image)

    fold(model)

    assert [node.op_type for node in model.graph.node] == ["Reshape", "Mul"]
    assert np.array_equal(run(model, image), expected)
    # A single number stays one: as a list of one it would add an axis elsewhere.
    weights = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    assert {name: value.shape for name, value in weights.items()} == {"laid": (4,), "tap": ()}


def test_sizes_of_a_free_picture_stay_arithmetic() -> None:
    """What differs from picture to picture is not decided ahead."""
    model = halved_sides("side")

    fold(model)

    assert [node.op_type for node in model.graph.node][:3] == ["Shape", "Slice", "Div"]


@pytest.mark.parametrize(("count", "is_stored"), [(100, True), (COMPUTED_BYTES_MAX, False)])
def test_large_constants_stay_a_recipe(count: int, is_stored: bool) -> None:
    """A file does not grow by what a node makes in an instant."""
    model = network(
        helper.make_node("ConstantOfShape", ["count"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["image", "sum"], ["made"]),
        count=np.array([count]),
    )

    fold(model)

    kinds = [node.op_type for node in model.graph.node]
    assert kinds == (["Add"] if is_stored else ["ConstantOfShape", "ReduceSum", "Add"])
