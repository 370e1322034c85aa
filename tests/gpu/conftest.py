"""What tests without a GPU share: the kernels as this machine's own code."""

import ctypes
import shutil

import pytest

from tests.gpu.emulated import EmulatedDriver, compile_for_host


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
