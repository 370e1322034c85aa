"""A `tensorrt` module whose networks are one line of arithmetic; it writes down what is asked.

It has the names that `engine/tensorrt.py` uses and no others; `test_api.py` holds those to the real
module. Its network paints the negative, brighter by the first number of the style.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.gpu.emulated import EmulatedDriver

WORK_BYTES = 1000
# What layers leave in the memory that they pass values in.
TRACE = 0x5A
IMAGE, STYLE, STYLIZED = "image", "style", "stylized"
SHAPES = {IMAGE: (1, 3, -1, -1), STYLE: (1, 4), STYLIZED: (1, 3, -1, -1)}


class Context:
    """A run's state; it computes in the emulated device's memory."""

    def __init__(self, driver: EmulatedDriver) -> None:
        self._driver = driver
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self._work = (0, 0)
        # Set from outside.
        self.temporary_allocator: Any = None
        self.temporaries: list[object] = []

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """Tell the extents of an answer, which are those of the picture."""
        return self._shapes[IMAGE] if name == STYLIZED else self._shapes[name]

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Take a shape, refuse one that is off the profile."""
        self._shapes[name] = shape
        return max(shape) <= 64

    def update_device_memory_size_for_shapes(self) -> int:
        """Tell what this run needs."""
        self._driver.log.append("measure")
        return WORK_BYTES

    def set_device_memory(self, address: int, size_bytes: int) -> None:
        """Take the memory to pass values in."""
        self._work = (address, size_bytes)

    def set_tensor_address(self, name: str, address: int) -> bool:
        """Take a tensor's place."""
        self._addresses[name] = address
        return address % 256 == 0

    def execute_async_v3(self, stream: int) -> bool:
        """Paint the negative."""
        if "decline" in self._driver.failing:
            return False
        # A layer that wants memory beside what the run has; refused, it does without or fails.
        self.temporaries.append(self.temporary_allocator.allocate_async(64, 256, 0, stream))
        if "capture" in self._driver.failing and self._driver.recorded is not None:
            return False
        assert stream == self._driver.stream().handle
        shapes, addresses, place = dict(self._shapes), dict(self._addresses), self._work

        def tensor(name: str) -> NDArray[np.float32]:
            size_bytes = int(np.prod(shapes.get(name, shapes[IMAGE]))) * 4
            return self._driver.bytes_at(addresses[name], size_bytes).view(np.float32)

        def work() -> None:
            # As kernels do: with what they were started on, whatever the context is told later.
            self._driver.bytes_at(*place)[:] = TRACE
            tensor(STYLIZED)[:] = 1.0 - tensor(IMAGE) + tensor(STYLE)[0]

        self._driver.start("execute", work)
        return True


class Engine:
    """A network that is loaded."""

    def __init__(self, driver: EmulatedDriver) -> None:
        self._driver = driver
        self.num_io_tensors = len(SHAPES)

    def get_tensor_name(self, index: int) -> str:
        """Name a tensor."""
        return list(SHAPES)[index]

    def get_tensor_mode(self, name: str) -> "Mode":
        """Tell inputs from outputs."""
        return Mode.OUTPUT if name == STYLIZED else Mode.INPUT

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """Tell a shape, -1 where it is free."""
        return SHAPES[name]

    def get_tensor_dtype(self, name: str) -> str:
        """Tell a type."""
        del name
        return "float32"

    def create_execution_context(self, strategy: "Strategy") -> Context:
        """Make a context that owns no memory."""
        assert strategy is Strategy.USER_MANAGED
        return Context(self._driver)


class Mode(IntEnum):
    """Directions of tensors."""

    INPUT = 1
    OUTPUT = 2


class Strategy(IntEnum):
    """Who owns a context's memory."""

    STATIC = 0
    USER_MANAGED = 2


class BuilderFlag(IntEnum):
    """What a build may do."""

    TF32 = 7


class PreviewFeature(IntEnum):
    """What a build may try."""

    RUNTIME_ACTIVATION_RESIZE_10_10 = 2


class Flag(IntEnum):
    """Kinds of networks."""

    STRONGLY_TYPED = 1


class Config(SimpleNamespace):
    """How a network is to be built."""

    def clear_flag(self, flag: BuilderFlag) -> None:
        """Forbid something."""
        self.cleared = [*getattr(self, "cleared", []), flag]

    def set_preview_feature(self, feature: PreviewFeature, enable: bool) -> None:
        """Allow something."""
        assert enable
        self.previews = [*getattr(self, "previews", []), feature]

    def create_timing_cache(self, data: bytes) -> SimpleNamespace:
        """Go on from what was measured before."""
        return SimpleNamespace(serialize=lambda: data + b"+")

    def set_timing_cache(self, cache: object, ignore_mismatch: bool) -> bool:
        """Use what was measured before."""
        self.cache = cache
        return not ignore_mismatch

    def add_optimization_profile(self, profile: object) -> int:
        """Take the sizes."""
        self.profile = profile
        return 0


class Profile:
    """Sizes of inputs."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[Sequence[int], ...]] = {}

    def set_shape(self, name: str, *shapes: Sequence[int]) -> None:
        """Take least, usual and most."""
        self.shapes[name] = shapes


class Builder:
    """Builds nothing, and remembers how; one at a time."""

    last: "Builder"

    def __init__(self, logger: object) -> None:
        del logger
        type(self).last = self
        self.config = Config()
        self.flags = 0

    def create_network(self, flags: int) -> SimpleNamespace:
        """Begin a network with two inputs."""
        self.flags = flags
        inputs = [SimpleNamespace(name=name, shape=SHAPES[name]) for name in (IMAGE, STYLE)]
        return SimpleNamespace(num_inputs=2, get_input=inputs.__getitem__)

    def create_builder_config(self) -> Config:
        """Begin a configuration."""
        return self.config

    def create_optimization_profile(self) -> Profile:
        """Begin the sizes."""
        return Profile()

    def build_serialized_network(self, network: object, config: Config) -> bytes | None:
        """Tell two steps and answer."""
        del network
        config.progress_monitor.phase_start("build", None, 2)
        for step in range(2):
            assert config.progress_monitor.step_complete("build", step)
        config.progress_monitor.phase_finish("build")
        return b"plan"


class Parser:
    """Reads any model but an empty one."""

    def __init__(self, network: object, logger: object) -> None:
        del network, logger

    def parse(self, model: bytes) -> bool:
        """Read a model."""
        return bool(model)


class Base:
    """A class to derive from."""


class Logger(Base):
    """A logger of TensorRT's own."""

    ERROR = 1

    def __init__(self, severity: int) -> None:
        del severity


def make_module(driver: EmulatedDriver) -> ModuleType:
    """Make the module, whose plans are b"plan"."""
    module = ModuleType("tensorrt")

    def runtime(logger: object) -> SimpleNamespace:
        del logger
        load = {b"plan": Engine(driver)}.get
        return SimpleNamespace(deserialize_cuda_engine=load)

    logger_type = type("ILogger", (Base,), {"Severity": int})
    names: dict[str, object] = {
        "__version__": "10.0.0",
        "IGpuAllocator": Base,
        "ILogger": logger_type,
        "IProgressMonitor": Base,
        "Logger": Logger,
        "Runtime": runtime,
        "TensorIOMode": Mode,
        "ExecutionContextAllocationStrategy": Strategy,
        "NetworkDefinitionCreationFlag": Flag,
        "Builder": Builder,
        "BuilderFlag": BuilderFlag,
        "PreviewFeature": PreviewFeature,
        "OnnxParser": Parser,
        "nptype": np.dtype,
        **dict.fromkeys(
            (
                "ICudaEngine",
                "IExecutionContext",
                "IBuilderConfig",
                "IHostMemory",
                "INetworkDefinition",
                "IOptimizationProfile",
                "ITensor",
                "ITimingCache",
            ),
            Base,
        ),
    }
    for name, value in names.items():
        setattr(module, name, value)
    return module


@contextmanager
def installed(driver: EmulatedDriver) -> Iterator[ModuleType]:
    """Let `import tensorrt` find the fake in the block, and forget what imported it."""
    users = ("services.chassis.engine.tensorrt",)
    before = {name: sys.modules.pop(name, None) for name in ("tensorrt", *users)}
    sys.modules["tensorrt"] = make_module(driver)
    try:
        yield sys.modules["tensorrt"]
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
