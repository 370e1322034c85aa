"""`build-engines`: what serving on a GPU needs, made ahead on that GPU's machine."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from services.chassis.engine import Engine
from services.chassis.engine.accuracy import mean_error
from services.chassis.engine.choice import PACKAGES_MISSING, CpuRoom
from services.chassis.engine.networks import Network
from services.chassis.errors import MeshError
from services.chassis.settings import Settings, SettingsError
from services.chassis.store import ModelStore

EXIT_FAILED = 2


def build(networks: Sequence[Network]) -> None:
    """Build what is missing, show progress and how far half precision is off; exit on failure."""
    try:
        settings = Settings.from_env(os.environ)
        # Named here alone: the packages behind it are installed where there is a GPU.
        from services.chassis.engine.gpu import build_engines  # noqa: PLC0415

        build_engines(settings, networks, lambda *pair: compared(settings, *pair), show)
    except ImportError:
        sys.stderr.write(f"{PACKAGES_MISSING}\n")
        sys.exit(EXIT_FAILED)
    except (MeshError, SettingsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_FAILED)


def compared(settings: Settings, network: Network, engine: Engine) -> float:
    """Measure an engine against the CPU's in full precision, and show the figure."""
    store = ModelStore(settings.models)
    reference = CpuRoom(store, settings.threads).load(replace(network, exact=True))
    error = mean_error(engine, reference, network)
    sys.stderr.write(f"\n{network.name}: mean error {error:.4f} ({network.mean_error_max} max)\n")
    return error


def show(phase: str, done: int, total: int) -> None:
    """Rewrite the line of progress."""
    sys.stderr.write(f"\r\x1b[K{phase}: {done} of {total}")
    sys.stderr.flush()
