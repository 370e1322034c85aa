"""What of an ONNX network depends on no input's values, computed ahead.

Exporters write sizes as arithmetic on shapes, and weights as conversions of stored ones. Where the
shapes are fixed all of that is constant; what builds an engine then sees weights as weights and no
arithmetic on integers, of which it knows less than of floats.
"""

from typing import Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper
from onnx import numpy_helper as values
from onnx.reference import ReferenceEvaluator

Array: TypeAlias = NDArray[np.generic]

COMPUTED_BYTES_MAX: Final = 1024 * 1024
"""Beside conversions nothing larger is stored that few nodes could make."""


def fold(network: ModelProto) -> None:
    """Compute in place, until nothing is left to compute."""
    while fold_once(network):
        pass


def fold_once(network: ModelProto) -> bool:
    """Compute what is known by now; tell whether there was anything."""
    graph = network.graph
    shapes = fixed_shapes(network)
    weights = {weight.name: weight for weight in graph.initializer}
    kept: list[NodeProto] = []
    for node in graph.node:
        found = computed(node, weights, shapes, network)
        if found is None:
            kept.append(node)
        else:
            weights[node.output[0]] = values.from_array(np.array(found, order="C"), node.output[0])
    is_changed = len(kept) < len(graph.node)
    used = {name for node in kept for name in node.input} | {value.name for value in graph.output}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(weight for name, weight in weights.items() if name in used)
    return is_changed


def computed(
    node: NodeProto,
    weights: dict[str, TensorProto],
    shapes: dict[str, tuple[int, ...]],
    network: ModelProto,
) -> Array | None:
    """Compute a node that needs no input, None if it needs one."""
    is_branched = any(each.type == AttributeProto.GRAPH for each in node.attribute)
    is_answer = node.output[0] in {value.name for value in network.graph.output}
    if len(node.output) != 1 or is_branched or is_answer:
        return None
    if node.op_type == "Shape" and node.input[0] in shapes:
        attributes = {each.name: each.i for each in node.attribute}
        shape = shapes[node.input[0]]
        ends = slice(attributes.get("start", 0), attributes.get("end", len(shape)))
        return np.array(shape[ends], np.int64)
    given = [name for name in node.input if name]
    if node.op_type != "Constant" and not (given and all(name in weights for name in given)):
        return None
    found = evaluated(node, {name: values.to_array(weights[name]) for name in given}, network)
    is_small = node.op_type in {"Cast", "Constant"} or found.nbytes <= COMPUTED_BYTES_MAX
    return found if is_small else None


def evaluated(node: NodeProto, given: dict[str, Array], network: ModelProto) -> Array:
    """Run one node as the standard says."""
    infos = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in given.items()
    ]
    answer = onnx.ValueInfoProto(name=node.output[0])
    graph = helper.make_graph([node], "one", infos, [answer])
    model = helper.make_model(graph, opset_imports=network.opset_import)
    (found,) = ReferenceEvaluator(model).run(None, given)
    return np.asarray(found)


def fixed_shapes(network: ModelProto) -> dict[str, tuple[int, ...]]:
    """Infer the extents of all tensors in which none is free."""
    graph = onnx.shape_inference.infer_shapes(network, data_prop=True).graph
    found: dict[str, tuple[int, ...]] = {}
    for value in (*graph.input, *graph.value_info):
        kind = value.type.tensor_type
        extents = [
            extent.dim_value if extent.HasField("dim_value") else -1 for extent in kind.shape.dim
        ]
        if kind.HasField("shape") and min(extents, default=0) >= 0:
            found[value.name] = tuple(extents)
    return found
