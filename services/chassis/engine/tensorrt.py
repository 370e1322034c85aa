"""Networks on NVIDIA's GPUs by TensorRT 10 and 11; plans are built ahead, by `build_plan`.

All that a run needs of the device is leased before it and wiped after it: inputs, outputs and the
memory that layers pass values in. TensorRT itself holds weights only. Every name of TensorRT's that
is used here is annotated with its class, so that a test can hold all of them to the real module.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

import numpy as np
import tensorrt as trt
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec
from services.chassis.engine.binding import Binding, bind, is_picture
from services.chassis.engine.networks import Network, Sides
from services.chassis.errors import InternalError, MeshError, Reason, translate
from services.chassis.memory.device import DeviceBudget, Driver, Stream, padded

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

SLOTS: Final = 2
"""Runs of one network at the same time: one computes while another copies."""

FAILED: Final[dict[type[BaseException], tuple[type[MeshError], Reason, str]]] = {
    RuntimeError: (InternalError, Reason.ENGINE_FAILED, "the inference engine failed")
}


class Quiet(trt.ILogger):  # type: ignore[misc]  # TensorRT has no types
    """Drops what TensorRT says while it serves: it names the sizes of callers' pictures."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)

    def log(self, severity: trt.ILogger.Severity, message: str) -> None:
        """Forget a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What one run at a time works with.

    Attributes:
        context: TensorRT's state of a run.
        stream: the order of the run's work.
    """

    context: trt.IExecutionContext
    stream: Stream


class TensorRtEngine:
    """One network on one device. As many calls run it at the same time as it has slots."""

    def __init__(
        self, plan: bytes, network: Network, driver: Driver, budget: DeviceBudget, platform: str
    ) -> None:
        """Load a plan; its weights go to the device.

        Args:
            plan: from `build_plan`, for this device and this TensorRT.
            platform: device, for the description.

        Raises:
            InternalError: the plan is not for this device or this TensorRT.
        """
        self._network = network
        self._driver = driver
        self._budget = budget
        self.description = f"cuda tensorrt {trt.__version__} fp16 {platform}"
        with driver.current(), translate(FAILED):
            self._logger = Quiet()
            self._runtime: trt.Runtime = trt.Runtime(self._logger)
            engine: trt.ICudaEngine = self._runtime.deserialize_cuda_engine(plan)
            if engine is None:
                message = "a plan is for another device or another TensorRT: run build-engines"
                raise InternalError(Reason.MODEL_MISMATCH, message)
            names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
            inputs = [
                name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            ]
            self.inputs = tuple(spec(engine, name, network) for name in inputs)
            self.outputs = tuple(
                spec(engine, name, network) for name in names if name not in inputs
            )
            self._slots: SimpleQueue[Slot] = SimpleQueue()
            for _ in range(SLOTS):
                self._slots.put(make_slot(engine, driver))

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """See `Engine`.

        Raises:
            BusyError: the device has no memory for one more run now.
        """
        slot = self._slots.get()
        try:
            with self._driver.current(), translate(FAILED):
                self._run(slot, self._bound(inputs), self._bound(outputs))
        finally:
            self._slots.put(slot)

    def _bound(self, arrays: Arrays) -> list[Binding]:
        return [bind(self._network, name, array) for name, array in arrays.items()]

    @contextmanager
    def series(self) -> Iterator[Callable[[Arrays, Arrays], None]]:
        """See `SeriesEngine`: here each run cleans up after itself, at no cost."""
        yield self.run

    def _run(self, slot: Slot, inputs: Sequence[Binding], outputs: Sequence[Binding]) -> None:
        """Measure, lease, copy in, compute, copy out; leaving the lease wipes it."""
        context: trt.IExecutionContext = slot.context
        for binding in inputs:
            require(context.set_input_shape(binding.name, binding.shape))
        work_bytes = int(context.update_device_memory_size_for_shapes())
        lease_bytes = padded(work_bytes) + sum(each.lease_bytes for each in (*inputs, *outputs))
        with self._budget.lease(lease_bytes, slot.stream) as arena:
            work = arena.array((work_bytes,), np.uint8)
            context.set_device_memory(work.address, work_bytes)
            for binding in inputs:
                tensor = binding.upload(arena, slot.stream)
                require(context.set_tensor_address(binding.name, tensor.address))
            answers = [(binding, binding.make(arena)) for binding in outputs]
            for binding, tensor in answers:
                require(context.set_tensor_address(binding.name, tensor.address))
            require(context.execute_async_v3(slot.stream.handle))
            for binding, tensor in answers:
                binding.download(tensor, arena, slot.stream)


def make_slot(engine: trt.ICudaEngine, driver: Driver) -> Slot:
    """Make a context that has no memory of its own, and its stream."""
    context: trt.IExecutionContext = engine.create_execution_context(
        trt.ExecutionContextAllocationStrategy.USER_MANAGED
    )
    require(context is not None)
    return Slot(context=context, stream=driver.stream())


def spec(engine: trt.ICudaEngine, name: str, network: Network) -> TensorSpec:
    """Describe a tensor as callers see it."""
    shape = tuple(None if extent < 0 else int(extent) for extent in engine.get_tensor_shape(name))
    if is_picture(network, name):
        count, channels, height, width = shape
        return TensorSpec(name=name, shape=(count, height, width, channels), dtype="uint8")
    dtype = np.dtype(trt.nptype(engine.get_tensor_dtype(name))).name
    return TensorSpec(name=name, shape=shape, dtype=dtype)


def require(accepted: bool) -> None:
    """Take TensorRT's answer to a step.

    Raises:
        InternalError: it refused.
    """
    if not accepted:
        raise InternalError(Reason.ENGINE_FAILED, "the inference engine refused a step")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPlan:
    """What a build makes.

    Attributes:
        plan: the engine, for this device and this TensorRT.
        timing_cache: what was measured, which makes the next build shorter.
    """

    plan: bytes
    timing_cache: bytes


class Progress(trt.IProgressMonitor):  # type: ignore[misc]  # TensorRT has no types
    """Tells how far a build is."""

    def __init__(self, tell: Callable[[str, int, int], None]) -> None:
        """Tell each step to `tell`: phase, steps done, all steps."""
        trt.IProgressMonitor.__init__(self)
        self._tell = tell
        self._steps: dict[str, int] = {}

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """Begin a phase, which may be part of another."""
        del parent_phase
        self._steps[phase_name] = num_steps

    def step_complete(self, phase_name: str, step: int) -> bool:
        """Tell a step, and let the build go on."""
        self._tell(phase_name, step + 1, self._steps[phase_name])
        return True

    def phase_finish(self, phase_name: str) -> None:
        """End a phase."""
        self._steps.pop(phase_name, None)


def version() -> str:
    """Name the TensorRT that runs."""
    return str(trt.__version__)


def build_plan(
    model: bytes, network: Network, timing_cache: bytes, tell: Callable[[str, int, int], None]
) -> BuiltPlan:
    """Build an engine; takes minutes, and the calling thread's device to itself.

    Args:
        model: ONNX, serialised, in the precision that it is to be computed in.
        timing_cache: of an earlier build on this device, or empty.
        tell: hears phase, steps done and all steps.

    Raises:
        InternalError: TensorRT can't read the network or can't build it.
    """
    logger = trt.Logger(trt.Logger.ERROR)
    builder: trt.Builder = trt.Builder(logger)
    # TensorRT 11 knows no other networks; 10 has to be told.
    flags = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    definition: trt.INetworkDefinition = builder.create_network(flags)
    parser: trt.OnnxParser = trt.OnnxParser(definition, logger)
    if not parser.parse(model):
        message = f"TensorRT can't read model {network.name!r}"
        raise InternalError(Reason.MODEL_MISMATCH, message)
    config: trt.IBuilderConfig = builder.create_builder_config()
    # All work of a run is in the run's own stream: its end is the end of all.
    config.max_aux_streams = 0
    config.progress_monitor = Progress(tell)
    cache: trt.ITimingCache = config.create_timing_cache(timing_cache)
    config.set_timing_cache(cache, False)
    if network.sides:
        config.add_optimization_profile(profile(builder, definition, network.sides))
    plan: trt.IHostMemory = builder.build_serialized_network(definition, config)
    if plan is None:
        message = f"TensorRT can't build model {network.name!r}"
        raise InternalError(Reason.ENGINE_FAILED, message)
    return BuiltPlan(plan=bytes(plan), timing_cache=bytes(cache.serialize()))


def profile(
    builder: trt.Builder, definition: trt.INetworkDefinition, sides: Sides
) -> trt.IOptimizationProfile:
    """Say which sizes each input with free sides can have."""
    found: trt.IOptimizationProfile = builder.create_optimization_profile()
    for index in range(definition.num_inputs):
        tensor: trt.ITensor = definition.get_input(index)
        least, usual, most = (
            filled(tuple(tensor.shape), wanted)
            for wanted in ((sides.least,) * 2, sides.usual, (sides.most,) * 2)
        )
        found.set_shape(tensor.name, least, usual, most)
    return found


def filled(shape: tuple[int, ...], sides: tuple[int, int]) -> tuple[int, ...]:
    """Put height and width where [N,C,H,W] leaves them free."""
    if -1 not in shape:
        return shape
    return (*shape[:2], *sides)
