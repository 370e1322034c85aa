"""A device that is none: host memory under device addresses, and the real kernels' own source."""

import ctypes
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import MeshError
from services.chassis.memory.device import (
    ALIGNMENT_BYTES,
    DeviceArena,
    DeviceArray,
    Extents,
    Stream,
)
from services.chassis.raster.kernels import NAMES, SOURCE

EMULATION = Path(__file__).with_name("emulation.cpp")
# What a device hands out holds what was there before.
STALE = 0xA5


class EmulatedDriver:
    """A `Driver` that writes down what is asked of it, in order.

    Attributes:
        log: names of the operations.
        memory: what is allocated now, by address.
        released: what was given back, as it was then.
        room_bytes: what all allocations together may take.
    """

    def __init__(self, library: ctypes.CDLL | None = None, room_bytes: int = 1 << 30) -> None:
        self.library = library
        self.log: list[str] = []
        self.memory: dict[int, NDArray[np.uint8]] = {}
        self.released: list[NDArray[np.uint8]] = []
        self.room_bytes = room_bytes
        self.is_current = False
        # What a real device tells of itself.
        self.name, self.architecture = "an emulated device", "sm_90"
        self.processors = 1
        self.image = b""
        # A kernel or copy that stands here fails.
        self.failing: set[str] = set()
        # What is started while a stream records, None while it does not.
        self.recorded: list[tuple[str, Callable[[], None]]] | None = None

    def allocate(self, size_bytes: int) -> int:
        """See `Driver`."""
        self.note("allocate")
        if sum(block.size for block in self.memory.values()) + size_bytes > self.room_bytes:
            raise MemoryError
        block = np.full(size_bytes + ALIGNMENT_BYTES, STALE, np.uint8)
        address = -(-block.ctypes.data // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        self.memory[address] = block
        return address

    def release(self, address: int) -> None:
        """See `Driver`."""
        self.note("release")
        block = self.memory.pop(address)
        start = address - block.ctypes.data
        self.released.append(block[start : start + block.size - ALIGNMENT_BYTES])

    def load(self, image: bytes, names: Sequence[str]) -> None:
        """Take compiled kernels, which this device has by itself."""
        assert list(names) == list(NAMES)
        self.image = image

    def free_bytes(self) -> int:
        """Tell how much memory nobody holds."""
        return 1 << 24

    def stream(self) -> "EmulatedStream":
        """See `Driver`."""
        return EmulatedStream(self)

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Driver`."""
        self.is_current = True
        try:
            yield
        finally:
            self.is_current = False

    def note(self, operation: str) -> None:
        """Write down an operation, and fail it if it is to fail, or can't be recorded."""
        assert self.is_current, "the thread does not have the device"
        self.log.append(operation)
        if operation in self.failing or self.recorded is not None:
            raise RuntimeError(operation)

    def start(self, kernel: str, work: Callable[[], None]) -> None:
        """Do the work of a kernel, or record it."""
        if self.recorded is not None:
            assert self.is_current, "the thread does not have the device"
            self.recorded.append((kernel, work))
            return
        self.note(kernel)
        work()

    def bytes_at(self, address: int, size_bytes: int) -> NDArray[np.uint8]:
        """View device memory; all of it must be of one allocation."""
        for start, block in self.memory.items():
            if start <= address and address + size_bytes <= start + block.size - ALIGNMENT_BYTES:
                offset = address - block.ctypes.data
                return block[offset : offset + size_bytes]
        raise AssertionError("memory that nobody leased")


class EmulatedStream:
    """A `Stream` whose work is done at once."""

    def __init__(self, driver: EmulatedDriver) -> None:
        self._driver = driver
        self.handle = 7

    def upload(self, source: NDArray[Any], target: int) -> None:
        """See `Stream`."""
        self._driver.note("upload")
        flat = source.reshape(-1).view(np.uint8)
        self._driver.bytes_at(target, flat.size)[:] = flat

    def download(self, source: int, target: NDArray[Any]) -> None:
        """See `Stream`."""
        self._driver.note("download")
        flat = target.reshape(-1).view(np.uint8)
        flat[:] = self._driver.bytes_at(source, flat.size)

    def wipe(self, address: int, size_bytes: int) -> None:
        """See `Stream`."""
        self._driver.note("wipe")
        self._driver.bytes_at(address, size_bytes)[:] = 0

    def launch(
        self, kernel: str, grid: Extents, block: Extents, arguments: Sequence[np.generic]
    ) -> None:
        """See `Stream`."""
        assert self._driver.library, "this test compiled no kernels"
        cells = [np.array(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * len(cells))(*(cell.ctypes.data for cell in cells))
        extents = [(ctypes.c_uint * 3)(*numbers) for numbers in (grid, block)]
        run = getattr(self._driver.library, f"emulate_{kernel}")

        def work() -> None:
            assert run(*extents, pointers, len(cells)) == 0, "another number of arguments"

        self._driver.start(kernel, work)

    def record(self, work: Callable[[], None]) -> "EmulatedRecording | None":
        """See `Stream`."""
        self._driver.log.append("record")
        self._driver.recorded = started = []
        try:
            work()
        except (MeshError, RuntimeError):
            return None
        finally:
            self._driver.recorded = None
        return EmulatedRecording(self._driver, started)

    def synchronise(self) -> None:
        """See `Stream`."""
        self._driver.note("synchronise")


class EmulatedRecording:
    """A `Recording`: what was started, with the addresses that it was started on."""

    def __init__(
        self, driver: EmulatedDriver, started: list[tuple[str, Callable[[], None]]]
    ) -> None:
        self._driver = driver
        self.started = started

    def launch(self) -> None:
        """See `Recording`."""
        self._driver.note("launch")
        for kernel, work in self.started:
            if kernel in self._driver.failing:
                raise RuntimeError(kernel)
            work()


def compile_for_host(
    folder: Path, source: Path = SOURCE, names: Sequence[str] = NAMES
) -> ctypes.CDLL:
    """Compile kernels as C++; warnings are errors."""
    library = folder / f"{source.stem}.so"
    entries = " ".join(f"ENTRY({name})" for name in names)
    defines = [f'-DKERNELS="{source}"', f"-DENTRIES={entries}"]
    flags = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["c++", *flags, *defines, "-o", library, EMULATION], check=True)
    return ctypes.CDLL(str(library))


def put(arena: DeviceArena, stream: Stream, values: NDArray[Any]) -> DeviceArray:
    """Lay an array into device memory."""
    array = arena.array(values.shape, values.dtype.name)
    stream.upload(values, array.address)
    return array


def get(stream: Stream, array: DeviceArray) -> NDArray[Any]:
    """Read an array of device memory."""
    values = np.empty(array.shape, array.dtype)
    stream.download(array.address, values)
    return values
