"""Networks on the CPU by OpenVINO: bf16 where the processor has it, f32 elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import ColorFormat, PrePostProcessor

from services.chassis.engine import TensorSpec
from services.chassis.errors import InternalError, Reason, translate

BF16_CAPABILITY = "BF16"


class OpenVinoEngine:
    """One compiled network."""

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

        Args:
            model: ONNX, serialised; or the file of a network that can't be read from memory, such
                as .tflite.
            threads: processor threads for one run.
            picture_inputs: float inputs [N,3,H,W] in 0..1 that are to be given as uint8 [N,H,W,3].
            picture_outputs: float outputs [N,3,H,W] in 0..1 that are to be written as uint8
                [N,H,W,3], rounded and limited.
            exact: compute in f32 everywhere, for networks whose answers are coordinates: bf16
                rounds 200.5 to 200.
        """
        core = ov.Core()
        network = with_pictures(core.read_model(model), picture_inputs, picture_outputs)
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

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """See `Engine`."""
        return tuple(spec(port) for port in self._compiled.inputs)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """See `Engine`."""
        return tuple(spec(port) for port in self._compiled.outputs)

    @property
    def description(self) -> str:
        """See `Engine`."""
        return f"cpu openvino {self._precision} {self._threads} threads"

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """See `Engine`; the request is dropped after each run: one that lives keeps tensors."""
        message = "the inference engine failed"
        with translate({RuntimeError: (InternalError, Reason.ENGINE_FAILED, message)}):
            request = self._compiled.create_infer_request()
            for name, array in (*inputs.items(), *outputs.items()):
                request.set_tensor(name, ov.Tensor(array, shared_memory=True))
            request.infer()
            del request
            self._compiled.release_memory()


def with_pictures(
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
        written.postprocess().custom(to_byte_range)
        written.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    return steps.build()


def to_byte_range(port: "ov.Output") -> "ov.Output":
    """Turn 0..1 into whole numbers 0..255."""
    from openvino import opset15 as ops  # noqa: PLC0415

    scaled = ops.multiply(port, ops.constant(255.0, ov.Type.f32))
    return ops.clamp(ops.round(scaled, "half_to_even"), 0.0, 255.0).output(0)


def spec(port: Any) -> TensorSpec:  # noqa: ANN401  # openvino's ports have no common public type
    """Describe a port of a compiled network."""
    shape = tuple(
        None if extent.is_dynamic else extent.get_length() for extent in port.partial_shape
    )
    return TensorSpec(name=port.any_name, shape=shape, dtype=port.element_type.to_dtype().name)
