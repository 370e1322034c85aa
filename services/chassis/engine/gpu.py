"""The GPU of a service process: opened once, shared by all of its networks; and their builds."""

from collections.abc import Callable, Sequence
from typing import Final

from services.chassis.engine import Engine
from services.chassis.engine.networks import Network
from services.chassis.engine.plans import (
    FOLDER,
    KERNELS,
    TIMING_CACHE,
    PlanFolder,
    Platform,
    plan_name,
)
from services.chassis.engine.tensorrt import TensorRtEngine, build_plan, version
from services.chassis.errors import InternalError, Reason
from services.chassis.memory.cuda import CudaDriver
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.raster.kernels import NAMES, compile_kernels
from services.chassis.settings import Device, Settings, Staging
from services.chassis.store import ModelStore

ONNX: Final = ".onnx"

FREE_SHARE: Final = 0.9
"""Of the device's free memory that runs may hold; the driver and new contexts need some."""

Tell = Callable[[str, int, int], None]


class GpuRoom:
    """Loads networks for the first GPU that the process can see.

    Attributes:
        budget: device memory of all runs.
        driver: of the GPU.
    """

    device = Device.CUDA

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        """Open the device and load the kernels.

        Raises:
            InternalError: no device, or `build-engines` has not run on this machine.
        """
        self._store = store
        self._folder = PlanFolder(settings.models / FOLDER)
        self.driver = CudaDriver(pinned=settings.device_staging is Staging.PINNED)
        self.driver.load(self._folder.read(KERNELS), NAMES)
        self._platform = platform_of(self.driver)
        free_bytes = int(self.driver.free_bytes() * FREE_SHARE)
        self.budget = DeviceBudget(self.driver, min(settings.device_memory_bytes, free_bytes))

    def require(self, network: Network) -> None:
        """See `EngineRoom`."""
        self._plan(network)

    def load(self, network: Network, *, record: bool = True) -> TensorRtEngine:
        """See `EngineRoom`; `record` is off to compare with runs that were not recorded."""
        plan = self._plan(network)
        return TensorRtEngine(
            plan, network, self.driver, self.budget, self._platform.gpu, record=record
        )

    def _plan(self, network: Network) -> bytes:
        name = plan_name(network, self._store.open(network.name), self._platform)
        return self._folder.read(name)


def build_engines(
    settings: Settings,
    networks: Sequence[Network],
    compare: Callable[[Network, Engine], float],
    tell: Tell,
) -> None:
    """Build kernels and plans for this machine's GPU, and measure each against full precision.

    A plan that is there already is kept.

    Args:
        compare: runs an engine and measures its mean error, in the unit of `mean_error_max`.
        tell: hears phase, steps done and all steps.

    Raises:
        InternalError: no device, no compiler, or a network that half precision changes too much;
            its plan is not kept.
    """
    store, folder = ModelStore(settings.models), PlanFolder(settings.models / FOLDER)
    driver = CudaDriver(pinned=settings.device_staging is Staging.PINNED)
    platform = platform_of(driver)
    kernels = compile_kernels((platform.architecture,))
    folder.write(KERNELS, kernels)
    driver.load(kernels, NAMES)
    budget = DeviceBudget(driver, settings.device_memory_bytes)
    for network in networks:
        model = store.open(network.name)
        name = plan_name(network, model, platform)
        if folder.has(name):
            continue
        with driver.current():
            built = build_plan(prepared(store, network), network, folder.timing_cache(), tell)
        engine = TensorRtEngine(built.plan, network, driver, budget, platform.gpu)
        require_accuracy(network, compare(network, engine))
        folder.write(TIMING_CACHE, built.timing_cache)
        folder.write(name, built.plan)


def prepared(store: ModelStore, network: Network) -> bytes:
    """Read a model as TensorRT is to build it: ONNX, in the precision that it is computed in."""
    # They need onnx, which serving does not.
    from services.chassis.engine.half import to_half  # noqa: PLC0415
    from services.chassis.engine.openvino import read_network  # noqa: PLC0415
    from services.chassis.engine.translation import to_onnx  # noqa: PLC0415

    file = store.path(network.name)
    is_onnx = file.suffix == ONNX
    model = store.open(network.name) if is_onnx else to_onnx(read_network(file))
    return model if network.exact else to_half(model)


def platform_of(driver: CudaDriver) -> Platform:
    """Describe what plans are bound to here."""
    return Platform(
        gpu=driver.name,
        architecture=driver.architecture,
        processors=driver.processors,
        tensorrt=version(),
    )


def require_accuracy(network: Network, mean_error: float) -> None:
    """Hold a network in half precision to its limit.

    Raises:
        InternalError: it is further off, or not a number.
    """
    if not mean_error <= network.mean_error_max:
        message = (
            f"model {network.name!r} in half precision is off by {mean_error:.3g} on average, "
            f"and may be by {network.mean_error_max:.3g}"
        )
        raise InternalError(Reason.MODEL_MISMATCH, message)
