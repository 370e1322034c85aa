"""Networks on NVIDIA's GPUs by TensorRT 10 and 11; plans are built ahead, by `build_plan`.

All that a run needs of the device is leased before it and wiped after it: inputs, outputs and the
memory that layers pass values in. TensorRT itself holds weights only. Every name of TensorRT's that
is used here is annotated with its class, so that a test can hold all of them to the real module.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Final

import numpy as np
import tensorrt as trt

from services.chassis.engine import TensorSpec
from services.chassis.engine.binding import Binding, Bindings, Shape, is_picture
from services.chassis.engine.networks import Network, Sides
from services.chassis.engine.slots import Arrays, Slot
from services.chassis.errors import InternalError, MeshError, Reason, translate
from services.chassis.memory.device import DeviceArray, Driver
from services.chassis.memory.device_budget import DeviceBudget

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


class NoTemporaries(trt.IGpuAllocator):  # type: ignore[misc]  # TensorRT has no types
    """Refuses TensorRT memory of its own in a run, which nobody would wipe: such a run fails."""

    def __init__(self) -> None:
        trt.IGpuAllocator.__init__(self)

    def allocate(self, size: int, alignment: int, flags: int) -> None:
        """Refuse."""

    def reallocate(self, address: object, alignment: int, new_size: int) -> None:
        """Refuse."""

    def deallocate(self, memory: object) -> bool:
        """Take back nothing, of which there is none."""
        del memory
        return True

    def allocate_async(self, size: int, alignment: int, flags: int, stream: int) -> None:
        """Refuse."""

    def deallocate_async(self, memory: object, stream: int) -> bool:
        """Take back nothing, of which there is none."""
        del memory, stream
        return True


class TensorRtContext:
    """A `Context`: TensorRT's state of a run, which is given all of its memory."""

    def __init__(self, engine: trt.ICudaEngine) -> None:
        """Make a context.

        Raises:
            InternalError: TensorRT refuses one.
        """
        context: trt.IExecutionContext = engine.create_execution_context(
            trt.ExecutionContextAllocationStrategy.USER_MANAGED
        )
        require(context is not None)
        self._temporaries = NoTemporaries()
        context.temporary_allocator = self._temporaries
        self._context: trt.IExecutionContext = context

    def take(self, bindings: Bindings) -> int:
        """See `Context`."""
        for binding in bindings.inputs:
            require(self._context.set_input_shape(binding.name, binding.shape))
        # TensorRT knows addresses only: an array of other extents would be written past its end.
        for binding in bindings.outputs:
            require(tuple(self._context.get_tensor_shape(binding.name)) == binding.shape)
        return int(self._context.update_device_memory_size_for_shapes())

    def place(self, tensors: Mapping[str, int], work: DeviceArray) -> None:
        """See `Context`."""
        self._context.set_device_memory(work.address, work.size_bytes)
        for name, address in tensors.items():
            require(self._context.set_tensor_address(name, address))

    def start(self, stream: int) -> None:
        """See `Context`."""
        require(self._context.execute_async_v3(stream))

    def answer_shape(self, name: str, inputs: Sequence[Binding]) -> Shape:
        """Tell the extents of an answer to inputs."""
        for binding in inputs:
            require(self._context.set_input_shape(binding.name, binding.shape))
        return tuple(int(extent) for extent in self._context.get_tensor_shape(name))


class TensorRtEngine:
    """One network on one device. As many calls run it at the same time as it has slots."""

    def __init__(
        self,
        plan: bytes,
        network: Network,
        driver: Driver,
        budget: DeviceBudget,
        platform: str,
        *,
        record: bool = True,
    ) -> None:
        """Load a plan, whose weights go to the device, and record the runs that come often.

        Args:
            plan: from `build_plan`, for this device and this TensorRT.
            platform: device, for the description.
            record: off to run everything eagerly.

        Raises:
            InternalError: the plan is not for this device or this TensorRT.
        """
        self._network = network
        self._driver = driver
        with driver.current(), translate(FAILED):
            self._logger = Quiet()
            self._runtime: trt.Runtime = trt.Runtime(self._logger)
            engine: trt.ICudaEngine = self._runtime.deserialize_cuda_engine(plan)
            if engine is None:
                message = "a plan is for another device or another TensorRT: run build-engines"
                raise InternalError(Reason.MODEL_MISMATCH, message)
            self._engine: trt.ICudaEngine = engine
            names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
            inputs = [
                name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            ]
            outputs = [name for name in names if name not in inputs]
            self.inputs = tuple(spec(engine, name, network) for name in inputs)
            self.outputs = tuple(spec(engine, name, network) for name in outputs)
            often = expected(engine, network, inputs, outputs) if record else []
            self._slots: SimpleQueue[Slot] = SimpleQueue()
            for _ in range(SLOTS):
                slot = Slot(TensorRtContext(engine), driver.stream(), budget)
                slot.record(often, partial(TensorRtContext, engine))
                self._slots.put(slot)
        precision = "fp32" if network.exact else "fp16"
        recorded = f"{slot.recorded} graphs"
        self.description = f"cuda tensorrt {trt.__version__} {precision} {recorded} {platform}"

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """See `Engine`.

        Raises:
            BusyError: the device has no memory for one more run now.
        """
        bindings = Bindings(
            inputs=self._bound(self.inputs, inputs), outputs=self._bound(self.outputs, outputs)
        )
        slot = self._slots.get()
        try:
            with self._driver.current(), translate(FAILED):
                slot.run(bindings, inputs, outputs)
        finally:
            self._slots.put(slot)

    @contextmanager
    def series(self) -> Iterator[Callable[[Arrays, Arrays], None]]:
        """See `SeriesEngine`: here each run cleans up after itself, at no cost."""
        yield self.run

    def _bound(self, specs: Sequence[TensorSpec], arrays: Arrays) -> tuple[Binding, ...]:
        """Bind an array to each tensor, in the network's own order."""
        for each in specs:
            assert arrays[each.name].dtype == each.dtype, "values of another type than the tensor's"
        return tuple(
            Binding.of_array(self._network, each.name, arrays[each.name]) for each in specs
        )


def expected(
    engine: trt.ICudaEngine, network: Network, inputs: Sequence[str], outputs: Sequence[str]
) -> list[Bindings]:
    """List the runs that come often: of the network's one size, or of those that it names."""
    context = TensorRtContext(engine)

    def bound(name: str, shape: Shape) -> Binding:
        return Binding.of_tensor(network, name, shape, dtype_of(engine, name))

    found = []
    for sides in network.sides.recorded if network.sides else ((0, 0),):
        given = tuple(bound(name, filled(extents(engine, name), sides)) for name in inputs)
        answers = tuple(bound(name, context.answer_shape(name, given)) for name in outputs)
        found.append(Bindings(inputs=given, outputs=answers))
    return found


def spec(engine: trt.ICudaEngine, name: str, network: Network) -> TensorSpec:
    """Describe a tensor as callers see it."""
    shape = tuple(None if extent < 0 else extent for extent in extents(engine, name))
    if is_picture(network, name):
        count, channels, height, width = shape
        return TensorSpec(name=name, shape=(count, height, width, channels), dtype="uint8")
    return TensorSpec(name=name, shape=shape, dtype=dtype_of(engine, name).name)


def extents(engine: trt.ICudaEngine, name: str) -> Shape:
    """Tell a tensor's extents, -1 where any is taken."""
    return tuple(int(extent) for extent in engine.get_tensor_shape(name))


def dtype_of(engine: trt.ICudaEngine, name: str) -> np.dtype[Any]:
    """Tell the type of a tensor's values."""
    dtype: np.dtype[Any] = np.dtype(trt.nptype(engine.get_tensor_dtype(name)))
    return dtype


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
    if network.exact:
        # Else float32 is rounded to ten binary digits on its way into tensor cores.
        config.clear_flag(trt.BuilderFlag.TF32)
    config.progress_monitor = Progress(tell)
    cache: trt.ITimingCache = config.create_timing_cache(timing_cache)
    config.set_timing_cache(cache, False)
    if network.sides:
        config.add_optimization_profile(profile(builder, definition, network.sides))
        # Else a small picture's run would need the memory of the largest one's.
        config.set_preview_feature(trt.PreviewFeature.RUNTIME_ACTIVATION_RESIZE_10_10, True)
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
