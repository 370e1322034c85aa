"""Which device runs the networks of a service: one setting for all of them, tried out, and told.

Nothing of a vendor is imported here before it is chosen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from services.chassis.engine import SeriesEngine
from services.chassis.engine.networks import Network
from services.chassis.errors import InternalError, MeshError, Reason
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore
from services.chassis.telemetry import Event, LogLine, Telemetry

PACKAGES_MISSING: Final = "the packages of the extra 'gpu' or NVIDIA's driver are not installed"
"""Their import needs the driver's library too."""

TFLITE: Final = ".tflite"
"""Networks in files of this kind can't be read from memory."""


class EngineRoom(Protocol):
    """Loads networks for one device."""

    device: Device
    """Never `auto`."""

    def require(self, network: Network) -> None:
        """Look whether a network of the model lock can be loaded, without loading it.

        Raises:
            InternalError: the model or its plan is missing or differs from its digest.
        """
        ...

    def load(self, network: Network) -> SeriesEngine:
        """Load a network of the model lock.

        Raises:
            InternalError: as `require`, or the device does not take it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """The networks of a service, all on one device.

    Attributes:
        device: never `auto`.
        loaded: by name in the model lock.
    """

    device: Device
    loaded: Mapping[str, SeriesEngine]

    @classmethod
    def of(cls, room: EngineRoom, networks: Sequence[Network]) -> Self:
        """Load networks for a room's device.

        Raises:
            InternalError: one of them can't be had there.
        """
        for network in networks:
            # Before any takes memory of a device that is not used then.
            room.require(network)
        loaded = {network.name: room.load(network) for network in networks}
        return cls(device=room.device, loaded=loaded)

    def __getitem__(self, network: Network) -> SeriesEngine:
        """Return what runs a network that was loaded."""
        return self.loaded[network.name]


class CpuRoom:
    """Loads networks for the CPU."""

    device = Device.CPU

    def __init__(self, store: ModelStore, threads: int) -> None:
        """Load from a store; each run has so many threads."""
        self._store = store
        self._threads = threads

    def require(self, network: Network) -> None:
        """See `EngineRoom`."""
        self._store.path(network.name)

    def load(self, network: Network) -> SeriesEngine:
        """See `EngineRoom`."""
        from services.chassis.engine.openvino import OpenVinoEngine  # noqa: PLC0415

        file = self._store.path(network.name)
        return OpenVinoEngine(
            file if file.suffix == TFLITE else self._store.open(network.name),
            threads=self._threads,
            picture_inputs=network.picture_inputs,
            picture_outputs=network.picture_outputs,
            exact=network.exact,
        )


def load_engines(
    settings: Settings,
    store: ModelStore,
    networks: Sequence[Network],
    fall_back: Callable[[str], None],
    open_cuda: Callable[[Settings, ModelStore], EngineRoom] | None = None,
) -> Engines:
    """Load all networks of a service on the device of `settings.device`.

    `auto` takes the GPU if all of them can be had there as it stands, and the CPU for all of them
    otherwise.

    Args:
        fall_back: hears why `auto` takes the CPU.
        open_cuda: opens the GPU; default the real one.

    Raises:
        InternalError: `cuda` was asked for and can't be had; the message says what is missing.
    """
    if settings.device is not Device.CPU:
        try:
            return Engines.of((open_cuda or open_gpu)(settings, store), networks)
        except MeshError as error:
            if settings.device is Device.CUDA:
                message = f"BATCHPIX_DEVICE=cuda, but {error.message}"
                raise InternalError(error.reason, message) from None
            fall_back(error.message)
    return Engines.of(CpuRoom(store, settings.threads), networks)


def tell_fallback(feature: str) -> Callable[[str], None]:
    """Log that a feature's networks run on the CPU though a GPU would have been taken."""

    def tell(why: str) -> None:
        line = LogLine(event=Event.DEVICE_FALLBACK, feature=feature, missing=why)
        Telemetry(feature).log(line)

    return tell


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
