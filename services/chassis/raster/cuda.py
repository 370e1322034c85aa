"""Pixel work on the device, by the kernels of kernels.cu.

It does what `CpuRaster` does, within one level of 255, on arrays of a `DeviceArena`, so that
pictures and frames stay on the device between the steps. Nothing waits: work is in the stream's
order.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.device import DeviceArray, Stream

BLOCK: Final = (32, 8, 1)
"""A warp reads neighbours of one row."""

Argument: TypeAlias = DeviceArray | int | float | None


class CudaRaster:
    """Pixel work of one run, in its stream; pictures are uint8 RGB, HxWx3, sources read only."""

    def __init__(self, stream: Stream) -> None:
        """Work in a stream."""
        self._stream = stream

    def resize(self, source: DeviceArray, target: DeviceArray) -> None:
        """Scale HxW or HxWxC uint8 to the target's size.

        By area where both sides shrink or stay, bicubic otherwise.
        """
        shrinks = target.shape[0] <= source.shape[0] and target.shape[1] <= source.shape[1]
        kernel = "shrink" if shrinks else "enlarge"
        sizes = (*source.shape[:2], *target.shape[:2], channels(target))
        self._launch(kernel, target.shape, source, target, *sizes)

    def mirror(self, source: DeviceArray, target: DeviceArray, top: int, left: int) -> None:
        """See `Raster`."""
        sizes = (*source.shape[:2], *target.shape[:2])
        self._launch("mirror", target.shape, source, target, *sizes, top, left)

    def blend(
        self,
        base: DeviceArray,
        over: DeviceArray,
        mask: DeviceArray | None,
        opacity: float,
        target: DeviceArray,
    ) -> None:
        """See `Raster`."""
        size = target.shape[:2]
        self._launch("blend", size, base, over, mask, opacity, target, *size)

    def keep_colour(self, photo: DeviceArray, painted: DeviceArray, target: DeviceArray) -> None:
        """See `Raster`."""
        size = target.shape[:2]
        self._launch("keep_colour", size, photo, painted, target, *size)

    def add_detail(
        self, photo: DeviceArray, small: DeviceArray, gain: float, target: DeviceArray
    ) -> None:
        """See `Raster`."""
        sizes = (*target.shape[:2], *small.shape[:2])
        self._launch("add_detail", target.shape, photo, small, target, *sizes, gain)

    def warp(self, source: DeviceArray, matrix: NDArray[np.float64], target: DeviceArray) -> None:
        """See `Lens`."""
        sizes = (*source.shape[:2], *target.shape[:2], channels(target))
        numbers = [float(number) for number in matrix.ravel()]
        self._launch("warp", target.shape, source, target, *sizes, *numbers)

    def remap(
        self, source: DeviceArray, map_x: DeviceArray, map_y: DeviceArray, target: DeviceArray
    ) -> None:
        """See `Raster`."""
        sizes = (*source.shape[:2], *target.shape[:2], channels(target))
        self._launch("remap", target.shape, source, map_x, map_y, target, *sizes)

    def to_tensor(self, picture: DeviceArray, tensor: DeviceArray) -> None:
        """Write HxWx3 uint8 as 3xHxW float32 in 0..1."""
        size = picture.shape[:2]
        self._launch("picture_to_tensor", size, picture, tensor, *size)

    def to_picture(self, tensor: DeviceArray, picture: DeviceArray) -> None:
        """Write 3xHxW float32 in 0..1 as HxWx3 uint8, rounded and limited."""
        size = picture.shape[:2]
        self._launch("tensor_to_picture", size, tensor, picture, *size)

    def to_nv12(self, picture: DeviceArray, frame: DeviceArray) -> None:
        """Write HxWx3 RGB as a frame of 3H/2 x W: BT.709, limited range; H and W are even."""
        height, width = picture.shape[:2]
        self._launch("picture_to_nv12", (height // 2, width // 2), picture, frame, height, width)

    def from_nv12(self, frame: DeviceArray, picture: DeviceArray) -> None:
        """Read what `to_nv12` writes, or a decoder of video."""
        size = picture.shape[:2]
        self._launch("nv12_to_picture", size, frame, picture, *size)

    def _launch(self, kernel: str, shape: tuple[int, ...], *arguments: Argument) -> None:
        """Start one thread for each place of the first two extents."""
        grid = (-(-shape[1] // BLOCK[0]), -(-shape[0] // BLOCK[1]), 1)
        self._stream.launch(kernel, grid, BLOCK, [passed(argument) for argument in arguments])


def channels(array: DeviceArray) -> int:
    """Count the channels of HxW or HxWxC."""
    return array.shape[2] if len(array.shape) > 2 else 1


def passed(argument: Argument) -> np.generic:
    """Give an argument as kernels take it: addresses as 64 bits, numbers as 32."""
    if isinstance(argument, DeviceArray):
        return np.uint64(argument.address)
    if argument is None:
        return np.uint64(0)
    return np.int32(argument) if isinstance(argument, int) else np.float32(argument)
