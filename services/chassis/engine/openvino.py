"""Networks on the CPU by OpenVINO: bf16 where the processor has it, f32 elsewhere.

What OpenVINO keeps of a run, found by comparing all memory of a process after runs on different
pictures, and what is done about it here:

- activations, until `release_memory` frees them; the wiping heap zeroes what is freed;
- the whole output, if its shape is dynamic, whatever tensor was bound to it: so outputs are copied
  from the request's own tensor, and the next request's (of the rinse) takes its place;
- scratch of the convolutions, a slot for each thread: the rinse, a run on zeros as wide as the
  picture but only some rows high, goes over all slots, provided that no convolution has a picture
  of few channels as its input (`_unshuffle`);
- the sums inside a reduction over channels: networks are freed of those (`_reduce_by_convolution`).
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops
from openvino.preprocess import ColorFormat, PrePostProcessor

from services.chassis.engine import TensorSpec
from services.chassis.errors import InternalError, Reason, translate

BF16_CAPABILITY: Final = "BF16"

ROWS_AXIS: Final = 1
"""Of a picture as the engine takes it, NxHxWxC."""

CHANNELS_AXIS: Final = 1
"""Of a picture inside the network, NxCxHxW."""

PICTURE_RANK: Final = 4

RINSE_ROWS_PER_THREAD: Final = 16
"""Enough for each thread to get a share of each layer; networks have a grid of 16 pixels."""

STEM_CHANNELS_MAX: Final = 4


class OpenVinoEngine:
    """One compiled network. Runs take turns, each with all threads."""

    def __init__(
        self,
        model: bytes | Path,
        *,
        threads: int,
        picture_inputs: Sequence[str] = (),
        picture_outputs: Sequence[str] = (),
        exact: bool = False,
    ) -> None:
        """Compile a network; nothing is cached on disk.

        The first run of each new shape takes longer than later ones, by the time it takes to
        prepare the layers for it: callers should keep to few shapes.

        Args:
            model: ONNX, serialised; or the file of a network that can't be read from memory, such
                as .tflite.
            threads: processor threads for one run.
            picture_inputs: float inputs [N,3,H,W] in 0..1 that are to be given as uint8 [N,H,W,3].
                Where H is dynamic it must be a multiple of `RINSE_ROWS_PER_THREAD` or of a divisor.
            picture_outputs: float outputs [N,3,H,W] in 0..1 that are to be written as uint8
                [N,H,W,3], rounded and limited.
            exact: compute in f32 everywhere, for networks whose answers are coordinates: bf16
                rounds 200.5 to 200.
        """
        core = ov.Core()
        network = core.read_model(model)
        if network.is_dynamic():
            _leave_no_residue(network)
        network = _with_pictures(network, picture_inputs, picture_outputs)
        has_bf16 = BF16_CAPABILITY in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if has_bf16 and not exact else "f32"
        self._compiled = core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads,
                "INFERENCE_PRECISION_HINT": self._precision,
            },
        )
        self._threads = threads
        self.inputs = tuple(_spec(port) for port in self._compiled.inputs)
        self.outputs = tuple(_spec(port) for port in self._compiled.outputs)
        # Memory can only be released while no request runs.
        self._turn = threading.Lock()

    @property
    def description(self) -> str:
        """See `Engine`."""
        return f"cpu openvino {self._precision} {self._threads} threads"

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """See `Engine`."""
        message = "the inference engine failed"
        with self._turn, translate({RuntimeError: (InternalError, Reason.ENGINE_FAILED, message)}):
            try:
                self._infer(inputs, outputs)
            finally:
                self._infer(self._rinse(inputs), {})
                self._compiled.release_memory()

    def _infer(
        self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]
    ) -> None:
        """Run once; the request and its tensors are gone when this returns."""
        request = self._compiled.create_infer_request()
        for name, array in inputs.items():
            request.set_tensor(name, ov.Tensor(array, shared_memory=True))
        request.infer()
        for name, array in outputs.items():
            np.copyto(array, request.get_tensor(name).data)

    def _rinse(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Make inputs of zeros, in which pictures of free height are cut to a few rows."""
        rows_max = RINSE_ROWS_PER_THREAD * self._threads
        zeros: dict[str, NDArray[Any]] = {}
        for spec in self.inputs:
            shape = list(inputs[spec.name].shape)
            if len(shape) > ROWS_AXIS and spec.shape[ROWS_AXIS] is None:
                shape[ROWS_AXIS] = min(shape[ROWS_AXIS], rows_max)
            zeros[spec.name] = np.zeros(shape, spec.dtype)
        return zeros


def _with_pictures(
    network: ov.Model, picture_inputs: Sequence[str], picture_outputs: Sequence[str]
) -> ov.Model:
    """Put conversion between uint8 pictures and float tensors into the network itself."""
    if not picture_inputs and not picture_outputs:
        return network
    steps = PrePostProcessor(network)
    for name in picture_inputs:
        given = steps.input(name)
        given.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        given.tensor().set_color_format(ColorFormat.RGB)
        given.preprocess().convert_element_type(ov.Type.f32).scale(255.0)
        given.model().set_layout(ov.Layout("NCHW"))
    for name in picture_outputs:
        written = steps.output(name)
        written.model().set_layout(ov.Layout("NCHW"))
        written.postprocess().custom(_to_byte_range)
        written.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    return steps.build()


def _to_byte_range(port: ov.Output) -> ov.Output:
    """Turn 0..1 into whole numbers 0..255."""
    scaled = ops.multiply(port, ops.constant(255.0, ov.Type.f32))
    return ops.clamp(ops.round(scaled, "half_to_even"), 0.0, 255.0).output(0)


def _leave_no_residue(network: ov.Model) -> None:
    """Replace layers that keep values where the rinse does not reach, by equal ones that do not."""
    for node in network.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "ReduceL2" and _reduces_channels(node):
            node.output(0).replace(_reduce_by_convolution(node))
        elif kind == "Convolution" and _is_stem(node):
            node.output(0).replace(_unshuffle(node))
    network.validate_nodes_and_infer_types()


def _reduces_channels(node: Any) -> bool:
    axes = _constant(node.input_value(1))
    rank = node.input_value(0).get_partial_shape().rank
    kept = bool(node.get_attributes()["keep_dims"])
    return kept and rank.get_length() == PICTURE_RANK and axes.ravel().tolist() == [CHANNELS_AXIS]


def _reduce_by_convolution(node: Any) -> ov.Output:
    """Write the length of each position's features as a root of a 1x1 convolution of squares."""
    features = node.input_value(0)
    channels = features.get_partial_shape()[CHANNELS_AXIS].get_length()
    ones = ops.constant(np.ones((1, channels, 1, 1), np.float32))
    squares = ops.multiply(features, features)
    sums = ops.convolution(squares, ones, [1, 1], [0, 0], [0, 0], [1, 1])
    return ops.sqrt(sums).output(0)


def _is_stem(node: Any) -> bool:
    """Say whether a convolution reads a picture in steps, its grid starting at the border."""
    attributes = node.get_attributes()
    channels = node.input_value(0).get_partial_shape()[CHANNELS_AXIS].get_length()
    down, right = attributes["strides"]
    plain = attributes["dilations"] == [1, 1] and attributes["auto_pad"] == "explicit"
    return bool(plain and down == right > 1 and channels <= STEM_CHANNELS_MAX)


def _unshuffle(node: Any) -> ov.Output:
    """Write a convolution with stride s as one without, over blocks of s x s pixels as channels.

    The kernel's taps are laid into the blocks that they reach; the other places are zeros. Height
    and width must be multiples of s, as the grid of the network demands anyway.
    """
    attributes = node.get_attributes()
    (step, _), (top, left) = attributes["strides"], attributes["pads_begin"]
    taps = _constant(node.input_value(1)).astype(np.float32)
    makers, channels, height, width = taps.shape
    rows, above, below = _blocks(height, top, step)
    columns, before, after = _blocks(width, left, step)
    blocks = np.zeros((makers, step, step, channels, above + 1 + below, before + 1 + after))
    for row, (row_block, row_inside) in enumerate(rows):
        for column, (column_block, column_inside) in enumerate(columns):
            blocks[:, row_inside, column_inside, :, row_block, column_block] = taps[
                :, :, row, column
            ]
    kernel = blocks.reshape(makers, step * step * channels, *blocks.shape[-2:])
    shuffled = ops.space_to_depth(node.input_value(0), "blocks_first", step)
    weights = ops.constant(kernel.astype(np.float32))
    pads = [above, before], [below, after]
    return ops.convolution(shuffled, weights, [1, 1], *pads, [1, 1]).output(0)


def _blocks(size: int, pad: int, step: int) -> tuple[list[tuple[int, int]], int, int]:
    """Find for each tap of a kernel its block and its place inside, along one axis.

    Returns:
        (block, place) of each tap, blocks counted from the first one reached; how many blocks are
        reached before and after the one that the output lies on.
    """
    before, after = -(-pad // step), (size - 1 - pad) // step
    places = [divmod(tap - pad, step) for tap in range(size)]
    return [(block + before, inside) for block, inside in places], before, after


def _constant(port: Any) -> NDArray[Any]:
    """Return the values of a constant, through conversions of its type."""
    node = port.get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    values: NDArray[Any] = node.data
    return values


def _spec(port: Any) -> TensorSpec:
    """Describe a port of a compiled network."""
    shape = tuple(
        None if extent.is_dynamic else extent.get_length() for extent in port.partial_shape
    )
    return TensorSpec(name=port.any_name, shape=shape, dtype=port.element_type.to_dtype().name)
