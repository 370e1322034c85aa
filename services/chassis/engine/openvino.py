"""Networks on the CPU by OpenVINO: bf16 where the processor has it, f32 elsewhere.

What OpenVINO keeps of a run, found by comparing all memory of a process after runs on different
pictures, and what is done about it here:

- activations, until `release_memory` frees them; the wiping heap zeroes what is freed;
- the whole output, if its shape is dynamic, whatever tensor was bound to it: so outputs are copied
  from the request's own tensor, which is then zeroed;
- scratch of the convolutions on matrix units (bf16), a slot for each thread whose place depends on
  the shape: only a run of the same shape goes over it, so the rinse is one, on zeros;
- sums inside reductions over channels (bf16): the same holds for them.

In f32 there is neither, and a rinse of a few rows does.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
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

RINSE_ROWS: Final = 64
"""Height of the picture of zeros that a rinse in f32 runs; a multiple of any network's grid."""

PATIENCE_SECONDS: Final = 0.25
"""How long cleaning up gives way to runs that may make it needless."""

COMPANY_SECONDS: Final = 1.0
"""How long after two series overlapped it is taken for likely that another one comes soon."""

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
Arrays = Mapping[str, NDArray[Any]]
Run = Callable[[Arrays, Arrays], None]


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
            picture_outputs: float outputs [N,3,H,W] in 0..1 that are to be written as uint8
                [N,H,W,3], rounded and limited.
            exact: compute in f32 everywhere, for networks whose answers are coordinates: bf16
                rounds 200.5 to 200.
        """
        core = ov.Core()
        network = _with_pictures(core.read_model(model), picture_inputs, picture_outputs)
        has_bf16 = BF16_CAPABILITY in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if has_bf16 and not exact else "f32"
        self._compiled = core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads,
                # Every process would pin its first thread to the machine's first processor, and
                # replicas side by side would share that one while the others stand idle.
                "ENABLE_CPU_PINNING": False,
                "INFERENCE_PRECISION_HINT": self._precision,
            },
        )
        self._threads = threads
        self.inputs = tuple(_spec(port) for port in self._compiled.inputs)
        self.outputs = tuple(_spec(port) for port in self._compiled.outputs)
        # Held by whoever runs or cleans: memory can only be released while no request runs.
        self._turn = threading.Condition()
        self._waiting = Tally()
        self._coming = Tally()
        self._company = Company()
        self._runs = itertools.count(1)
        self._newest: dict[Shapes, int] = {}

    @property
    def description(self) -> str:
        """See `Engine`."""
        return f"cpu openvino {self._precision} {self._threads} threads"

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """See `Engine`."""
        with self.series() as run:
            run(inputs, outputs)

    @contextmanager
    def series(self) -> Iterator[Run]:
        """See `SeriesEngine`."""
        mine: dict[Shapes, int] = {}
        coming = ExitStack()
        coming.enter_context(self._coming.one_more())

        def run(inputs: Arrays, outputs: Arrays) -> None:
            shapes = tuple((name, array.shape) for name, array in inputs.items())
            with self._waiting.one_more(), self._turn, _translated():
                coming.close()
                mine[shapes] = self._newest[shapes] = next(self._runs)
                self._infer(inputs, outputs)
                self._turn.notify_all()

        with self._company.one_more():
            try:
                yield run
            finally:
                coming.close()
                with self._turn, _translated():
                    for shapes, number in mine.items():
                        self._erase(shapes, number)

    def _erase(self, shapes: Shapes, number: int) -> None:
        """Make sure that nothing is left of the run of this number.

        A run of the same shape, which goes over the same memory, does it as well as a rinse: so
        a busy engine cleans up by working, and rinses when there is nothing to do. A series that
        has begun and not run yet is work to come: its call's picture is on its way here. So is,
        most likely, the next call of somebody who was here a moment ago; a caller who comes alone
        is not kept waiting for one.
        """

        def is_due() -> bool:
            expected = self._waiting.count or self._coming.count or self._company.is_likely()
            return self._newest[shapes] != number or not expected

        self._turn.wait_for(is_due, timeout=PATIENCE_SECONDS)
        if self._newest[shapes] == number:
            self._newest[shapes] = next(self._runs)
            self._infer(self._rinse(dict(shapes)), {})
            self._compiled.release_memory()

    def _infer(self, inputs: Arrays, outputs: Arrays) -> None:
        """Run once; the request's own tensors are zeros when this returns."""
        request = self._compiled.create_infer_request()
        for name, array in inputs.items():
            request.set_tensor(name, ov.Tensor(array, shared_memory=True))
        request.infer()
        for spec in self.outputs:
            written = request.get_tensor(spec.name).data
            if spec.name in outputs:
                np.copyto(outputs[spec.name], written)
            # Freeing it wipes it too, but a thread of OpenVINO may hold the request for longer.
            written[...] = 0

    def _rinse(self, shapes: Mapping[str, tuple[int, ...]]) -> Arrays:
        """Make inputs of zeros that a run leaves in the place of what a run of `shapes` left."""
        zeros: dict[str, NDArray[Any]] = {}
        for spec in self.inputs:
            shape = list(shapes[spec.name])
            free_height = len(shape) > ROWS_AXIS and spec.shape[ROWS_AXIS] is None
            if free_height and self._precision == "f32":
                shape[ROWS_AXIS] = min(shape[ROWS_AXIS], RINSE_ROWS)
            zeros[spec.name] = np.zeros(shape, spec.dtype)
        return zeros


def read_network(file: Path) -> ov.Model:
    """Read a network as it stands, for the builds of other engines."""
    return ov.Core().read_model(file)


class Tally:
    """Counts who is inside of a block, from any thread."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one more while the block runs."""
        with self._lock:
            self.count += 1
        try:
            yield
        finally:
            with self._lock:
                self.count -= 1


class Company(Tally):
    """Tells from how series overlapped whether another one is likely to come soon."""

    def __init__(self) -> None:
        super().__init__()
        self._overlapped_at = float("-inf")

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """See `Tally`."""
        with super().one_more():
            self._note()
            try:
                yield
            finally:
                self._note()

    def is_likely(self) -> bool:
        """Tell whether two were inside at a time a moment ago."""
        return time.monotonic() - self._overlapped_at < COMPANY_SECONDS

    def _note(self) -> None:
        if self.count > 1:
            self._overlapped_at = time.monotonic()


def _translated() -> AbstractContextManager[None]:
    message = "the inference engine failed"
    return translate({RuntimeError: (InternalError, Reason.ENGINE_FAILED, message)})


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


def _spec(port: ov.ConstOutput) -> TensorSpec:
    """Describe a port of a compiled network."""
    shape = tuple(
        None if extent.is_dynamic else extent.get_length() for extent in port.partial_shape
    )
    return TensorSpec(name=port.any_name, shape=shape, dtype=port.element_type.to_dtype().name)
