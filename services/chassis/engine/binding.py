"""How callers' arrays become tensors on the device, and answers arrays again.

Pictures travel as bytes and are spread to floats on the device: a quarter of the copying.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine.networks import Network
from services.chassis.memory.device import DeviceArena, DeviceArray, padded
from services.chassis.raster.cuda import CudaRaster

Shape: TypeAlias = tuple[int, ...]

FLOAT = np.dtype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """An array of a run and the tensor that it is bound to.

    Attributes:
        name: of the tensor.
        array_shape: extents of the array on the host.
        dtype: of the array.
        is_picture: [N,H,W,3] uint8 for a tensor [N,3,H,W] float32 in 0..1.
    """

    name: str
    array_shape: Shape
    dtype: np.dtype[Any]
    is_picture: bool

    @classmethod
    def of_array(cls, network: Network, name: str, array: NDArray[Any]) -> Self:
        """Bind a caller's array to the tensor of its name."""
        return cls(
            name=name,
            array_shape=array.shape,
            dtype=array.dtype,
            is_picture=is_picture(network, name),
        )

    @classmethod
    def of_tensor(cls, network: Network, name: str, shape: Shape, dtype: np.dtype[Any]) -> Self:
        """Describe the array that callers bind to a tensor of these extents and this type."""
        if not is_picture(network, name):
            return cls(name=name, array_shape=shape, dtype=dtype, is_picture=False)
        count, channels, height, width = shape
        return cls(
            name=name,
            array_shape=(count, height, width, channels),
            dtype=np.dtype(np.uint8),
            is_picture=True,
        )

    @property
    def shape(self) -> Shape:
        """The tensor's extents."""
        if not self.is_picture:
            return self.array_shape
        count, height, width, channels = self.array_shape
        return count, channels, height, width

    @property
    def lease_bytes(self) -> int:
        """Device memory for the array as it travels and, of a picture, for its tensor too."""
        count = prod(self.array_shape)
        tensor_bytes = count * FLOAT.itemsize if self.is_picture else 0
        return padded(count * self.dtype.itemsize) + padded(tensor_bytes)

    def place(self, arena: DeviceArena) -> "Place":
        """Carve what the binding needs."""
        travelling = arena.array(self.array_shape, self.dtype.name)
        tensor = arena.array(self.shape, FLOAT.name) if self.is_picture else travelling
        return Place(binding=self, travelling=travelling, tensor=tensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an array and its tensor lie on the device.

    Attributes:
        binding: whose place it is.
        travelling: the array as it is copied from or to the host.
        tensor: the same unless it is a picture.
    """

    binding: Binding
    travelling: DeviceArray
    tensor: DeviceArray

    def spread(self, raster: CudaRaster) -> None:
        """Make the tensor of the array that came."""
        for index in range(self.pictures):
            raster.to_tensor(part(self.travelling, index), part(self.tensor, index))

    def gather(self, raster: CudaRaster) -> None:
        """Make the array that goes of the tensor."""
        for index in range(self.pictures):
            raster.to_picture(part(self.tensor, index), part(self.travelling, index))

    @property
    def pictures(self) -> int:
        """How many pictures the array holds."""
        return self.binding.array_shape[0] if self.binding.is_picture else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """All arrays of a run. Runs with equal bindings do the same work on other values."""

    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]

    @property
    def lease_bytes(self) -> int:
        """Device memory for all of them."""
        return sum(each.lease_bytes for each in (*self.inputs, *self.outputs))


def is_picture(network: Network, name: str) -> bool:
    """Tell whether a tensor is given or written as a picture."""
    return name in network.picture_inputs or name in network.picture_outputs


def part(array: DeviceArray, index: int) -> DeviceArray:
    """View one picture of a batch."""
    shape = array.shape[1:]
    size_bytes = prod(shape) * array.dtype.itemsize
    return DeviceArray(address=array.address + index * size_bytes, shape=shape, dtype=array.dtype)
