"""The driver of NVIDIA's devices on a PyCUDA that copies within this process."""

import ctypes
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.errors import InternalError
from services.chassis.memory.device_budget import DeviceBudget
from tests.gpu.fake_bindings import FakeBindings, installed

NAME = "services.chassis.memory.cuda"
STAGING_BYTES = 4096


class Error(Exception):
    """PyCUDA's root of errors."""


class OutOfMemoryError(Error):
    """PyCUDA's own MemoryError, which is not Python's."""


class Allocation:
    """Device memory, at home in the host's."""

    def __init__(self, size_bytes: int) -> None:
        if size_bytes > 1 << 20:
            raise OutOfMemoryError
        self.block = np.full(size_bytes, 0xA5, np.uint8)
        self.is_free = False

    def __int__(self) -> int:
        return int(self.block.ctypes.data)

    def free(self) -> None:
        """Give it back."""
        self.is_free = True


class Context:
    """Counts who has the device."""

    depth = 0

    def push(self) -> None:
        """Take the device."""
        Context.depth += 1

    @staticmethod
    def pop() -> None:
        """Leave the device."""
        Context.depth -= 1


def memory_at(address: int, size_bytes: int) -> NDArray[np.uint8]:
    """View host memory by its address."""
    buffer = (ctypes.c_ubyte * size_bytes).from_address(address)
    return np.frombuffer(buffer, np.uint8)


@pytest.fixture
def seen() -> dict[str, Any]:
    """Note what the driver hands to PyCUDA."""
    return {"pinned": [], "pieces": [], "launched": [], "flags": []}


@pytest.fixture
def cuda(seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the driver over the fake PyCUDA, with a small staging buffer."""

    def pinned(size_bytes: int, dtype: type[np.uint8]) -> NDArray[np.uint8]:
        seen["pinned"].append(np.full(size_bytes, 0xA5, dtype))
        found: NDArray[np.uint8] = seen["pinned"][-1]
        return found

    def up(target: int, source: NDArray[np.uint8], stream: object) -> None:
        del stream
        seen["pieces"].append(source.size)
        memory_at(target, source.size)[:] = source

    def down(target: NDArray[np.uint8], source: int, stream: object) -> None:
        del stream
        target[:] = memory_at(source, target.size)

    def stream(flags: int) -> SimpleNamespace:
        seen["flags"].append(flags)
        return SimpleNamespace(handle=7, synchronize=lambda: None)

    def launch(*arguments: object, **place: object) -> None:
        seen["launched"].append((arguments, place["grid"], place["block"]))

    def fill(address: int, value: int, size_bytes: int, stream: object) -> None:
        del stream
        memory_at(address, size_bytes)[:] = value

    device = SimpleNamespace(
        retain_primary_context=Context,
        name=lambda: "a device",
        compute_capability=lambda: (9, 0),
        get_attribute=lambda attribute: attribute,
    )
    names = {
        "Error": Error,
        "MemoryError": OutOfMemoryError,
        "Context": Context,
        "Device": lambda _: device,
        "Stream": stream,
        "DeviceAllocation": Allocation,
        "Function": object,
        "Module": object,
        "device_attribute": SimpleNamespace(MULTIPROCESSOR_COUNT=132),
        "init": lambda: None,
        "mem_alloc": Allocation,
        "mem_get_info": lambda: (1000, 2000),
        "module_from_buffer": lambda _: SimpleNamespace(get_function=lambda _: launch),
        "pagelocked_empty": pinned,
        "memcpy_htod_async": up,
        "memcpy_dtoh_async": down,
        "memset_d8_async": fill,
    }
    driver = ModuleType("pycuda.driver")
    for name, value in names.items():
        setattr(driver, name, value)
    package = ModuleType("pycuda")
    package.driver = driver  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", driver)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    with installed(FakeBindings()):
        module = importlib.import_module(NAME)
        monkeypatch.setattr(module, "STAGING_BYTES", STAGING_BYTES)
        yield module
    sys.modules.pop(NAME, None)
    assert Context.depth == 0, "a thread kept the device"


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("size", [1, STAGING_BYTES, 3 * STAGING_BYTES + 5])
def test_copies_go_through_the_staging_and_leave_it_zero(
    cuda: ModuleType, seen: dict[str, Any], pinned: bool, size: int
) -> None:
    """Arrays of any size go there and back, in pieces, with nothing left where they passed."""
    device = cuda.CudaDriver(pinned=pinned)
    stream = device.stream()
    sent = np.random.default_rng(size).integers(1, 256, size, np.uint8)
    back = np.zeros_like(sent)

    with device.current(), DeviceBudget(device, 1 << 20).lease(size, stream) as arena:
        place = arena.array((size,), np.uint8).address
        stream.upload(sent, place)
        assert not stream._staging[: min(size, STAGING_BYTES)].any()
        stream.download(place, back)

    assert np.array_equal(back, sent)
    assert not stream._staging[: min(size, STAGING_BYTES)].any()
    assert max(seen["pieces"]) <= STAGING_BYTES
    assert seen["flags"] == [1], "a stream that waits for nobody else's work"
    assert len(seen["pinned"]) == int(pinned)


def test_a_copy_that_fails_leaves_the_staging_zero(
    cuda: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the device is ours, and the bytes are not left on the way."""
    device = cuda.CudaDriver(pinned=True)
    stream = device.stream()

    def fail(*_: object) -> None:
        raise Error("the text of the driver")

    monkeypatch.setattr(cuda.cuda, "memcpy_htod_async", fail)

    with pytest.raises(InternalError, match=r"^the CUDA device failed$"):
        stream.upload(np.full(100, 9, np.uint8), 0)
    assert not stream._staging[:100].any()


def test_out_of_memory_is_told_as_such(cuda: ModuleType) -> None:
    """PyCUDA's out of memory is Python's, which budgets understand."""
    device = cuda.CudaDriver(pinned=True)

    with device.current(), pytest.raises(MemoryError):
        device.allocate(2 << 20)


def test_memory_is_freed_once_and_at_once(cuda: ModuleType) -> None:
    """Releasing frees the allocation now, not when a collector comes."""
    device = cuda.CudaDriver(pinned=True)
    with device.current():
        address = device.allocate(64)
        allocation = device._allocations[address]

        device.release(address)

    assert allocation.is_free
    assert device._allocations == {}


def test_kernels_are_loaded_at_once_and_launched_by_name(
    cuda: ModuleType, seen: dict[str, Any]
) -> None:
    """All kernels are there after `load`, and get their grid, block and arguments."""
    device = cuda.CudaDriver(pinned=True)
    device.load(b"image", ["mirror", "blend"])

    device.stream().launch("blend", (1, 2, 1), (32, 8, 1), [np.int32(3)])

    assert sorted(device._kernels) == ["blend", "mirror"]
    assert seen["launched"] == [((np.int32(3),), (1, 2, 1), (32, 8, 1))]


def test_a_stream_records_what_is_launched_in_it(cuda: ModuleType, seen: dict[str, Any]) -> None:
    """Work is recorded in the stream's own order, and started in it."""
    device = cuda.CudaDriver(pinned=True)
    device.load(b"image", ["mirror"])
    stream = device.stream()

    recording = stream.record(lambda: stream.launch("mirror", (1, 1, 1), (32, 8, 1), []))
    recording.launch()

    assert len(seen["launched"]) == 1


def test_a_machine_without_a_device_is_told(
    cuda: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the driver finds nothing the error says so, in our words."""

    def fail() -> None:
        raise Error("cuInit failed")

    monkeypatch.setattr(cuda.cuda, "init", fail)

    with pytest.raises(InternalError, match=r"^no CUDA device can be opened$"):
        cuda.CudaDriver(pinned=True)


def test_the_device_describes_itself(cuda: ModuleType) -> None:
    """Name, architecture and free memory are the device's own."""
    device = cuda.CudaDriver(pinned=True)

    assert (device.name, device.architecture) == ("a device", "sm_90")
    assert (device.processors, device.free_bytes()) == (132, 1000)
