"""Running networks: what an engine promises, whatever it runs on."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from services.chassis.memory.reporters import silence_reporters

__all__ = ["Engine", "SeriesEngine", "TensorSpec"]

# Sealed services have done so already; tools and tests that load an engine have not.
silence_reporters()


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """What a network says of one of its inputs or outputs.

    Attributes:
        name: as in the network.
        shape: extents, None where any is taken.
        dtype: numpy's name, for example "float32" or "uint8".
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class Engine(Protocol):
    """A loaded network. Calls may run it at the same time."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` has to be given."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` writes."""
        ...

    @property
    def description(self) -> str:
        """Device and precision, for a service's start line."""
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """Read the input arrays in place and write the output arrays in place.

        All arrays are C-contiguous, of the dtypes of their specs, and belong to the caller.
        The engine keeps nothing of them: neither values nor activations outlive the call.

        Raises:
            InternalError: the engine failed; the arrays hold nothing of use.
        """
        ...


class SeriesEngine(Engine, Protocol):
    """An engine that can put off cleaning up until a call's results are on their way."""

    def series(
        self,
    ) -> AbstractContextManager[
        Callable[[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]], None]
    ]:
        """Give a `run` whose traces are gone when the block has been left, however it is left.

        Leaving may take as long as a run for each shape that was run, or nothing: what a later
        run of the same shape has gone over needs no cleaning. Other calls may run in between.
        """
        ...
