"""Devices for tests: the kernels as this machine's own code, and the GPU where there is one."""

import ctypes
import importlib
import shutil
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from services.chassis.errors import InternalError
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.raster.kernels import NAMES, compile_kernels
from tests.gpu.emulated import EmulatedDriver, compile_for_host
from tests.gpu.fake_tensorrt import installed

if TYPE_CHECKING:
    from services.chassis.memory.cuda import CudaDriver


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compile the kernels' source for this machine."""
    if shutil.which("c++") is None:
        pytest.skip("no C++ compiler to run the kernels' source with")
    return compile_for_host(tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def driver(kernels: ctypes.CDLL) -> EmulatedDriver:
    """Make a device that runs the kernels."""
    return EmulatedDriver(kernels)


@pytest.fixture
def tensorrt(driver: EmulatedDriver) -> Iterator[ModuleType]:
    """Import the engine over the fake runtime."""
    with installed(driver):
        yield importlib.import_module("services.chassis.engine.tensorrt")


@pytest.fixture
def budget(driver: EmulatedDriver) -> DeviceBudget:
    """Make a budget that has to be zero after each run."""
    return DeviceBudget(driver, 1 << 20, patience_seconds=0.0)


@pytest.fixture(scope="session")
def gpu() -> "CudaDriver":
    """Open this machine's GPU with freshly compiled kernels."""
    try:
        from services.chassis.memory.cuda import CudaDriver  # noqa: PLC0415

        device = CudaDriver(pinned=True)
    except (ImportError, InternalError):
        pytest.skip("no CUDA device, or no PyCUDA, on this machine")
    device.load(compile_kernels((device.architecture,)), NAMES)
    return device


@pytest.fixture(params=["emulated", "gpu"])
def any_driver(request: pytest.FixtureRequest) -> "EmulatedDriver | CudaDriver":
    """Run a test on both kinds of devices."""
    name = {"emulated": "driver", "gpu": "gpu"}[request.param]
    device: EmulatedDriver | CudaDriver = request.getfixturevalue(name)
    return device
