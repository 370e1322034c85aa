"""Which device runs the networks: one setting, tried out, and told.

Nothing of a vendor is imported here before it is chosen.
"""

from collections.abc import Callable
from typing import Protocol

from services.chassis.engine import SeriesEngine
from services.chassis.engine.networks import Network
from services.chassis.errors import InternalError, MeshError, Reason
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore

# Their import needs the driver's library too.
PACKAGES_MISSING = "the packages of the extra 'gpu' or NVIDIA's driver are not installed"


class EngineRoom(Protocol):
    """Loads networks for one device."""

    device: Device
    """Never `auto`."""

    def load(self, network: Network) -> SeriesEngine:
        """Load a network of the model lock.

        Raises:
            InternalError: the model or its plan is missing or differs from its digest.
        """
        ...


class CpuRoom:
    """Loads networks for the CPU."""

    device = Device.CPU

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        self._threads = settings.threads
        self._store = store

    def load(self, network: Network) -> SeriesEngine:
        """See `EngineRoom`."""
        from services.chassis.engine.openvino import OpenVinoEngine  # noqa: PLC0415

        return OpenVinoEngine(
            self._store.open(network.name),
            threads=self._threads,
            picture_inputs=network.picture_inputs,
            picture_outputs=network.picture_outputs,
        )


def choose_engines(
    settings: Settings,
    store: ModelStore,
    fall_back: Callable[[str], None],
    open_cuda: Callable[[Settings, ModelStore], EngineRoom] | None = None,
) -> EngineRoom:
    """Choose by `settings.device`; `auto` takes the GPU if it can be used as it stands.

    Args:
        fall_back: hears why `auto` takes the CPU.
        open_cuda: opens the GPU; default the real one.

    Raises:
        InternalError: `cuda` was asked for and can't be had; the message says what is missing.
    """
    if settings.device is Device.CPU:
        return CpuRoom(settings, store)
    try:
        return (open_cuda or open_gpu)(settings, store)
    except MeshError as error:
        if settings.device is Device.CUDA:
            message = f"BATCHPIX_DEVICE=cuda, but {error.message}"
            raise InternalError(error.reason, message) from None
        fall_back(error.message)
        return CpuRoom(settings, store)


def open_gpu(settings: Settings, store: ModelStore) -> EngineRoom:
    """Open the first GPU.

    Raises:
        InternalError: packages, device or kernels are missing.
    """
    try:
        from services.chassis.engine.gpu import GpuRoom  # noqa: PLC0415
    except ImportError:
        raise InternalError(Reason.ENGINE_FAILED, PACKAGES_MISSING) from None
    return GpuRoom(settings, store)
