"""NVIDIA's devices by PyCUDA: memory without a pool, one stream for each run at a time.

The driver keeps buffers of its own for copies from ordinary host memory, out of reach of any wipe.
So copies go through a staging buffer of ours that the device reads itself, wiped after each. In
confidential-computing mode devices can't read host memory; there the driver's buffers hold nothing
but ciphertext, and the staging buffer is ordinary, locked memory.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import numpy as np
import pycuda.driver as cuda
from numpy.typing import NDArray

from services.chassis.errors import InternalError, Reason, translate
from services.chassis.memory.device import Extents, Recording, Stream
from services.chassis.memory.graph import CudaGraph
from services.chassis.memory.reservation import Reservation, whole_pages

STAGING_BYTES: Final = 8 * 1024 * 1024
"""Copies go in pieces of this size: enough that starting them costs nothing beside them."""

STREAM_NON_BLOCKING: Final = 1
"""CU_STREAM_NON_BLOCKING of the driver, which PyCUDA has no name for: a stream of its own that does
not wait for the default stream, nor makes others wait while it records."""

Piece: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8], int]
"""Bytes of a host array, their place in the staging buffer, their offset in the array."""

FAILED: Final = {
    cuda.Error: (InternalError, Reason.ENGINE_FAILED, "the CUDA device failed"),
}
ABSENT: Final = {
    cuda.Error: (InternalError, Reason.ENGINE_FAILED, "no CUDA device can be opened"),
}


class CudaDriver:
    """The first device that this process can see, in its primary context. Safe for threads.

    Attributes:
        name: the device's, as its maker has it.
        architecture: for example "sm_90".
        processors: multiprocessors; in a slice of a device, the slice's.
    """

    def __init__(self, *, pinned: bool) -> None:
        """Open the device.

        Args:
            pinned: whether the device reads host memory itself.

        Raises:
            InternalError: there is no device, or none that can be opened.
        """
        with translate(ABSENT):
            cuda.init()
            device: cuda.Device = cuda.Device(0)
            self._context: cuda.Context = device.retain_primary_context()
            self.name = str(device.name())
            major, minor = device.compute_capability()
            count = cuda.device_attribute.MULTIPROCESSOR_COUNT
            self.processors = int(device.get_attribute(count))
        self.architecture = f"sm_{major}{minor}"
        self._pinned = pinned
        self._allocations: dict[int, cuda.DeviceAllocation] = {}
        self._kernels: dict[str, cuda.Function] = {}

    @contextmanager
    def current(self) -> Iterator[None]:
        """See `Driver`."""
        with translate(FAILED):
            self._context.push()
        try:
            yield
        finally:
            cuda.Context.pop()

    def load(self, image: bytes, names: Sequence[str]) -> None:
        """Load compiled kernels, all of them now: later nothing is to be allocated for them.

        Raises:
            InternalError: the image is not for this device or lacks a kernel.
        """
        with self.current(), translate(FAILED):
            module: cuda.Module = cuda.module_from_buffer(image)
            self._kernels = {name: module.get_function(name) for name in names}

    def free_bytes(self) -> int:
        """Tell how much memory of the device nobody holds."""
        with self.current(), translate(FAILED):
            free_bytes, _ = cuda.mem_get_info()
            return int(free_bytes)

    def allocate(self, size_bytes: int) -> int:
        """See `Driver`."""
        with translate(FAILED):
            try:
                allocation: cuda.DeviceAllocation = cuda.mem_alloc(size_bytes)
            except cuda.MemoryError:
                raise MemoryError from None
        address = int(allocation)
        self._allocations[address] = allocation
        return address

    def release(self, address: int) -> None:
        """See `Driver`."""
        allocation: cuda.DeviceAllocation = self._allocations.pop(address)
        with translate(FAILED):
            allocation.free()

    def stream(self) -> Stream:
        """See `Driver`."""
        with self.current(), translate(FAILED):
            if self._pinned:
                staging = cuda.pagelocked_empty(STAGING_BYTES, np.uint8)
            else:
                staging = locked_memory(STAGING_BYTES)
            return CudaStream(cuda.Stream(STREAM_NON_BLOCKING), staging, self._kernels)


class CudaStream:
    """A `Stream` with its staging buffer."""

    def __init__(
        self, stream: cuda.Stream, staging: NDArray[np.uint8], kernels: dict[str, cuda.Function]
    ) -> None:
        self._stream: cuda.Stream = stream
        self._staging = staging
        self._kernels = kernels

    @property
    def handle(self) -> int:
        """See `Stream`."""
        return int(self._stream.handle)

    def upload(self, source: NDArray[Any], target: int) -> None:
        """See `Stream`."""
        with translate(FAILED), self._staged(source) as pieces:
            for host, staged, offset in pieces:
                staged[:] = host
                cuda.memcpy_htod_async(target + offset, staged, self._stream)
                self._stream.synchronize()

    def download(self, source: int, target: NDArray[Any]) -> None:
        """See `Stream`."""
        with translate(FAILED), self._staged(target) as pieces:
            for host, staged, offset in pieces:
                cuda.memcpy_dtoh_async(staged, source + offset, self._stream)
                self._stream.synchronize()
                host[:] = staged

    def wipe(self, address: int, size_bytes: int) -> None:
        """See `Stream`."""
        with translate(FAILED):
            cuda.memset_d8_async(address, 0, size_bytes, self._stream)

    def launch(
        self, kernel: str, grid: Extents, block: Extents, arguments: Sequence[np.generic]
    ) -> None:
        """See `Stream`."""
        function: cuda.Function = self._kernels[kernel]
        with translate(FAILED):
            function(*arguments, grid=grid, block=block, stream=self._stream)

    def record(self, work: Callable[[], None]) -> Recording | None:
        """See `Stream`."""
        return CudaGraph.record(self.handle, work)

    def synchronise(self) -> None:
        """See `Stream`."""
        with translate(FAILED):
            self._stream.synchronize()

    @contextmanager
    def _staged(self, array: NDArray[Any]) -> Iterator[list[Piece]]:
        """Cut an array into pieces for the staging buffer, which is wiped after the block."""
        assert array.flags.c_contiguous, "only whole arrays are copied"
        flat = array.reshape(-1).view(np.uint8)
        starts = range(0, flat.size, STAGING_BYTES)
        hosts = [(flat[start : start + STAGING_BYTES], start) for start in starts]
        try:
            yield [(host, self._staging[: host.size], start) for host, start in hosts]
        finally:
            self._staging[: flat.size] = 0


def locked_memory(size_bytes: int) -> NDArray[np.uint8]:
    """Make host memory that is neither swapped nor dumped."""
    reservation = Reservation(whole_pages(size_bytes))
    reservation.lock(0, whole_pages(size_bytes))
    return np.frombuffer(reservation.buffer, np.uint8, size_bytes)
