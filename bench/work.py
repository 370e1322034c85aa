"""What one run of a network takes, counted from its file."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import openvino as ov

from services.chassis.engine.networks import Network

HALF_BYTES, FLOAT_BYTES = 2, 4
PRODUCTS = {"Convolution", "GroupConvolution", "MatMul"}
WEIGHTS = {"Constant", "Convert", "Reshape", "Transpose", "Unsqueeze"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run of a network takes.

    Attributes:
        flops: of convolutions and matrix products, a multiplication and an addition counted as two.
        moved_bytes: read and written by them, each tensor once, in the network's precision.
        copy_bytes: leased for what is copied in and out and for its tensors.
        alive_bytes: most that all values between layers take at one time, each layer by itself and
            nothing reused within one; what TensorRT asks for is of this kind, and its own.
    """

    flops: int
    moved_bytes: int
    copy_bytes: int
    alive_bytes: int


def count(file: Path, network: Network, sides: tuple[int, int] | None) -> Work:
    """Count a run of a network at one size."""
    model = ov.Core().read_model(file)
    if sides:
        shapes = {port: port.partial_shape for port in model.inputs}
        for shape in shapes.values():
            if shape.is_dynamic:
                shape[2], shape[3] = sides
        model.reshape(shapes)
    value_bytes = FLOAT_BYTES if network.exact else HALF_BYTES
    nodes = [node for node in model.get_ordered_ops() if not is_weight(node)]
    flops = moved = 0
    for node in nodes:
        if node.get_type_name() in PRODUCTS:
            source, taps = (node.input_value(place).shape for place in (0, 1))
            target = node.output(0).shape
            flops += 2 * prod(target) * products(node, source, taps)
            moved += value_bytes * (prod(source) + prod(taps) + prod(target))
    return Work(
        flops=flops,
        moved_bytes=moved,
        copy_bytes=sum(copied(port, network) for port in (*model.inputs, *model.outputs)),
        alive_bytes=value_bytes * most_alive(nodes),
    )


def products(node: Any, source: Any, taps: Any) -> int:  # noqa: ANN401  # OpenVINO has no types
    """Count the products behind one value of an answer."""
    kind = node.get_type_name()
    if kind == "MatMul":
        return int(source[-2] if node.get_attributes().get("transpose_a") else source[-1])
    return int(prod(taps[2:] if kind == "GroupConvolution" else taps[1:]))


def copied(port: Any, network: Network) -> int:  # noqa: ANN401
    """Count the device bytes of an input or output: a picture's as bytes and as floats."""
    size = prod(port.shape)
    is_picture = port.any_name in {*network.picture_inputs, *network.picture_outputs}
    return int(size * (1 + FLOAT_BYTES if is_picture else FLOAT_BYTES))


def is_weight(node: Any) -> bool:  # noqa: ANN401
    """Tell whether a node depends on no input."""
    if node.get_type_name() == "Constant":
        return True
    sources = [port.get_node() for port in node.input_values()]
    is_shaping = node.get_type_name() in WEIGHTS
    return bool(sources) and is_shaping and all(is_weight(source) for source in sources)


def most_alive(nodes: list[Any]) -> int:
    """Count the most values that are needed at one time, node by node."""
    last_use: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for port in node.input_values():
            last_use[port.get_node().get_friendly_name()] = index
    alive: dict[str, int] = {}
    most = 0
    for index, node in enumerate(nodes):
        if node.get_type_name() in {"Parameter", "Result"}:
            continue
        name = node.get_friendly_name()
        alive[name] = sum(prod(port.shape) for port in node.outputs())
        most = max(most, sum(alive.values()))
        alive = {each: size for each, size in alive.items() if last_use.get(each, index) > index}
    return most
