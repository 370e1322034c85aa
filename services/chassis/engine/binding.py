"""How callers' arrays become tensors on the device, and answers arrays again.

Pictures travel as bytes and are spread to floats on the device: a quarter of the copying.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine.networks import Network
from services.chassis.memory.device import DeviceArena, DeviceArray, Stream, padded
from services.chassis.raster.cuda import CudaRaster

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One array of a run, bound to a tensor of the network.

    Attributes:
        name: of the tensor.
        array: the caller's, on the host.
        is_picture: [N,H,W,3] uint8 for a tensor [N,3,H,W] float32 in 0..1.
    """

    name: str
    array: NDArray[Any]
    is_picture: bool

    @property
    def shape(self) -> Shape:
        """The tensor's extents."""
        if not self.is_picture:
            return self.array.shape
        count, height, width, channels = self.array.shape
        return count, channels, height, width

    @property
    def lease_bytes(self) -> int:
        """Device memory for the array as it travels and, of a picture, for its tensor too."""
        tensor_bytes = self.array.size * np.dtype(np.float32).itemsize if self.is_picture else 0
        return padded(self.array.nbytes) + padded(tensor_bytes)

    def upload(self, arena: DeviceArena, stream: Stream) -> DeviceArray:
        """Copy the array to the device and make its tensor."""
        given = arena.array(self.array.shape, self.array.dtype.name)
        stream.upload(self.array, given.address)
        if not self.is_picture:
            return given
        tensor = self.make(arena)
        for index in range(self.array.shape[0]):
            CudaRaster(stream).to_tensor(part(given, index), part(tensor, index))
        return tensor

    def make(self, arena: DeviceArena) -> DeviceArray:
        """Carve the tensor."""
        return arena.array(self.shape, "float32" if self.is_picture else self.array.dtype.name)

    def download(self, tensor: DeviceArray, arena: DeviceArena, stream: Stream) -> None:
        """Make an answer of the tensor and copy it to the array."""
        answer = tensor
        if self.is_picture:
            answer = arena.array(self.array.shape, self.array.dtype.name)
            for index in range(self.array.shape[0]):
                CudaRaster(stream).to_picture(part(tensor, index), part(answer, index))
        stream.download(answer.address, self.array)


def bind(network: Network, name: str, array: NDArray[Any]) -> Binding:
    """Bind an array to the tensor of its name."""
    return Binding(name=name, array=array, is_picture=is_picture(network, name))


def is_picture(network: Network, name: str) -> bool:
    """Tell whether a tensor is given or written as a picture."""
    return name in network.picture_inputs or name in network.picture_outputs


def part(array: DeviceArray, index: int) -> DeviceArray:
    """View one picture of a batch."""
    shape = array.shape[1:]
    size_bytes = prod(shape) * array.dtype.itemsize
    return DeviceArray(address=array.address + index * size_bytes, shape=shape, dtype=array.dtype)
