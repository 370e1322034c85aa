"""From a bare interpreter to a sealed, serving process, in the only order that is safe."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from services.chassis.errors import MeshError
from services.chassis.memory.guard import ensure_guard
from services.chassis.memory.report import GuardReport, inspect_process, require_guard
from services.chassis.memory.seal import narrow_reads, seal_process
from services.chassis.settings import Device, Settings, SettingsError

if TYPE_CHECKING:
    from services.chassis.server import Feature

EXIT_USAGE = 2
DEVICE_FOLDER = Path("/dev")
# NVIDIA's GPUs, their control and their unified memory.
DEVICE_FILES = "nvidia*"


def launch(load: Callable[[Settings], "Feature"]) -> None:
    """Guard, seal, load, serve; returns when the service has drained.

    Args:
        load: imports and builds the feature. It is called under the seal, since the libraries it
            imports start threads, and the kernel seals only threads that are started later.
    """
    try:
        settings = Settings.from_env(os.environ)
        ensure_guard(os.environ, settings.retention)
        seal_process(readable_paths(settings), bind_ports(settings), devices(settings))
        # As for `load`: gRPC starts threads of its own.
        from services.chassis.server import run  # noqa: PLC0415

        run(settings, load(settings), lambda: finish_seal(settings))
    except (MeshError, SettingsError, OSError) as error:
        # An operator's matter: a missing certificate, a port that is taken, a kernel too old.
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_USAGE)


def finish_seal(settings: Settings) -> GuardReport:
    """Give up what only loading needed, and measure what holds.

    Raises:
        InternalError: a part of the guard is missing and retention is strict.
    """
    narrow_reads(readable_paths(settings), bind_ports(settings), devices(settings))
    report = inspect_process(settings.call_memory_bytes_max)
    require_guard(report, settings.retention)
    return report


def readable_paths(settings: Settings) -> list[Path]:
    """List the models and certificates, which stay readable for the life of the service."""
    return [settings.models, settings.certificates, settings.receipt_key.parent]


def devices(settings: Settings) -> list[Path]:
    """List the accelerators that the service may use: none if the CPU was asked for."""
    if settings.device is Device.CPU:
        return []
    return sorted(DEVICE_FOLDER.glob(DEVICE_FILES))


def bind_ports(settings: Settings) -> list[int]:
    """List the ports that the service listens on."""
    addresses = (settings.listen, settings.health_listen, settings.metrics_listen)
    return [int(address.rpartition(":")[2]) for address in addresses if address]
