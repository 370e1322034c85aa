"""Networks in files that TensorRT can't read, as ONNX: OpenVINO's graph of them, node by node.

Used when engines are built, never while serving. It knows the operators that the networks of others
in the model lock are made of, and refuses any other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnx import numpy_helper as values

from services.chassis.errors import InternalError, Reason

Attributes: TypeAlias = Mapping[str, Any]
Array: TypeAlias = NDArray[Any]

OPSET: Final = 17
IR_VERSION: Final = 8
SAME: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "Add": lambda _: {},
    "Concat": lambda attributes: {"axis": attributes["axis"]},
    "Sigmoid": lambda _: {},
}
"""Operators of the same name and inputs, with their attributes."""


def to_onnx(network: Any) -> bytes:  # noqa: ANN401  # OpenVINO has no types
    """Translate a network.

    Args:
        network: OpenVINO's, with fixed shapes; weights may be float16 with a conversion after them.

    Returns:
        ONNX, serialised, in float32, with inputs and outputs of the same names and shapes, that
        passes onnx's full check.

    Raises:
        InternalError: an operator that is not known here.
    """
    model = Translation(network).model()
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


class Translation:
    """One translation; what depends on no input is computed on the way."""

    def __init__(self, network: Any) -> None:  # noqa: ANN401
        self._network = network
        self._constants: dict[str, Array] = {}
        self._weights: dict[str, Array] = {}
        self._nodes: list[NodeProto] = []
        # What the network calls its inputs and outputs, by where they come from.
        self._names = {place(port.get_node().output(0)): port.any_name for port in network.inputs}
        self._names |= {
            place(port.get_node().input_value(0)): port.any_name for port in network.outputs
        }

    def model(self) -> ModelProto:
        """Translate all nodes, in the order in which they can be computed."""
        for node in self._network.get_ordered_ops():
            self._add(node)
        graph = helper.make_graph(
            self._nodes,
            "translated",
            [described(port) for port in self._network.inputs],
            [described(port) for port in self._network.outputs],
            [values.from_array(array, name) for name, array in self._weights.items()],
        )
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)

    def _add(self, node: Any) -> None:  # noqa: ANN401
        kind, attributes = node.get_type_name(), node.get_attributes()
        if kind in {"Parameter", "Result"}:
            return
        target = self._name(node.output(0))
        if kind == "Constant":
            self._constants[target] = np.array(node.data)
            return
        sources = [self._name(port) for port in node.input_values()]
        known = [self._constants[name] for name in sources if name in self._constants]
        if kind in FOLDED and len(known) == len(sources):
            self._constants[target] = FOLDED[kind](known, attributes)
        elif kind in SAME:
            inputs = [self._input(name) for name in sources]
            self._nodes.append(helper.make_node(kind, inputs, [target], **SAME[kind](attributes)))
        elif kind in WRITTEN:
            made, constants, more = WRITTEN[kind](known, attributes, node.output(0).shape)
            inputs = [sources[0], *(self._weight(target, each) for each in constants)]
            self._nodes.append(helper.make_node(made, inputs, [target], **more))
        else:
            message = f"a network has an operator {kind} that is not known how to translate"
            raise InternalError(Reason.MODEL_MISMATCH, message)

    def _name(self, port: Any) -> str:  # noqa: ANN401
        return self._names.get(place(port)) or place(port)

    def _input(self, name: str) -> str:
        """Name a tensor as an input, made a weight if it is known."""
        if name in self._constants:
            self._weights[name] = self._constants[name]
        return name

    def _weight(self, user: str, array: Array | None) -> str:
        """Name a weight for one user, empty for an input that is left out."""
        if array is None:
            return ""
        name = f"{user}.weight{len(self._weights)}"
        self._weights[name] = np.array(array, order="C")
        return name


def place(port: Any) -> str:  # noqa: ANN401
    """Name an output of a node, one of a kind in its network."""
    return f"{port.get_node().get_friendly_name()}.{port.get_index()}"


def described(port: Any) -> onnx.ValueInfoProto:  # noqa: ANN401
    """Describe an input or output of the network."""
    return helper.make_tensor_value_info(port.any_name, TensorProto.FLOAT, list(port.shape))


def reshaped(array: Array, shape: Array, attributes: Attributes) -> Array:
    """Compute a Reshape; with `special_zero` an extent of 0 is the array's own."""
    own = bool(attributes["special_zero"])
    extents = [
        array.shape[axis] if own and extent == 0 else int(extent)
        for axis, extent in enumerate(shape)
    ]
    return array.reshape(extents)


FOLDED: Final[Mapping[str, Callable[[Sequence[Array], Attributes], Array]]] = {
    "Convert": lambda known, _: known[0].astype(np.float32),
    "Reshape": lambda known, attributes: reshaped(known[0], known[1], attributes),
    "Transpose": lambda known, _: known[0].transpose(known[1]),
    "Unsqueeze": lambda known, _: np.expand_dims(known[0], tuple(known[1].ravel().tolist())),
}
"""Operators on weights alone."""

TYPES: Final = {"f16": TensorProto.FLOAT16, "f32": TensorProto.FLOAT}
"""Of values, by OpenVINO's names."""

Written: TypeAlias = tuple[str, list[Array | None], dict[str, Any]]
"""An operator of ONNX, its inputs after the first, its attributes."""


def sliding(attributes: Attributes) -> dict[str, Any]:
    """Say how a window slides."""
    return {
        "strides": list(attributes["strides"]),
        "dilations": list(attributes["dilations"]),
        "pads": [*attributes["pads_begin"], *attributes["pads_end"]],
    }


def convolution(known: Sequence[Array], attributes: Attributes, _: Sequence[int]) -> Written:
    """Write a convolution: weights OxIxHxW."""
    return "Conv", [known[0]], sliding(attributes)


def group_convolution(known: Sequence[Array], attributes: Attributes, _: Sequence[int]) -> Written:
    """Write a convolution in groups: weights GxOxIxHxW."""
    groups, outputs = known[0].shape[:2]
    weights = known[0].reshape(groups * outputs, *known[0].shape[2:])
    return "Conv", [weights], {**sliding(attributes), "group": groups}


def largest(_: Sequence[Array], attributes: Attributes, __: Sequence[int]) -> Written:
    """Write a pooling by maximum."""
    is_floor = attributes["rounding_type"] == "floor"
    shape = {"kernel_shape": list(attributes["kernel"]), "ceil_mode": int(not is_floor)}
    return "MaxPool", [], {**sliding(attributes), **shape}


def padding(known: Sequence[Array], attributes: Attributes, _: Sequence[int]) -> Written:
    """Write a border."""
    pads = np.concatenate(known[:2]).astype(np.int64)
    value = known[2].astype(np.float32) if len(known) > 2 else np.float32(0)
    return "Pad", [pads, np.asarray(value).reshape(())], {"mode": attributes["pad_mode"]}


def limited(_: Sequence[Array], attributes: Attributes, __: Sequence[int]) -> Written:
    """Write a limit below and above."""
    limits: list[Array | None] = [np.array(attributes[end], np.float32) for end in ("min", "max")]
    return "Clip", limits, {}


def scaled(_: Sequence[Array], attributes: Attributes, shape: Sequence[int]) -> Written:
    """Write a scaling, linear between the middles of pixels.

    Raises:
        InternalError: it scales in another way.
    """
    way = (attributes["mode"], attributes["coordinate_transformation_mode"])
    if way != ("linear_onnx", "half_pixel"):
        message = f"a network scales in a way {way} that is not known how to translate"
        raise InternalError(Reason.MODEL_MISMATCH, message)
    sizes = np.array(list(shape), np.int64)
    more = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return "Resize", [None, None, sizes], more


def unfolded(_: Sequence[Array], attributes: Attributes, __: Sequence[int]) -> Written:
    """Write channels that become blocks of pixels."""
    mode = {"blocks_first": "DCR", "depth_first": "CRD"}[attributes["mode"]]
    return "DepthToSpace", [], {"blocksize": attributes["block_size"], "mode": mode}


def converted(_: Sequence[Array], attributes: Attributes, __: Sequence[int]) -> Written:
    """Write a conversion."""
    return "Cast", [], {"to": TYPES[attributes["destination_type"]]}


def turned(known: Sequence[Array], _: Attributes, __: Sequence[int]) -> Written:
    """Write another order of axes."""
    return "Transpose", [], {"perm": known[0].ravel().tolist()}


def laid_out(_: Sequence[Array], __: Attributes, shape: Sequence[int]) -> Written:
    """Write other extents."""
    return "Reshape", [np.array(list(shape), np.int64)], {}


WRITTEN: Final[Mapping[str, Callable[[Sequence[Array], Attributes, Sequence[int]], Written]]] = {
    "Clamp": limited,
    "Convert": converted,
    "Convolution": convolution,
    "DepthToSpace": unfolded,
    "GroupConvolution": group_convolution,
    "Interpolate": scaled,
    "MaxPool": largest,
    "Pad": padding,
    "Reshape": laid_out,
    "Transpose": turned,
    "Unsqueeze": laid_out,
}
"""Operators of one tensor and weights."""
