"""Runs of one network, one at a time in each slot: memory, copies, and work recorded ahead.

A run is copied in, computed, copied out and wiped. What is computed is a few hundred kernels, and
of a small network starting them one by one takes longer than the work. So runs of sizes that come
often are recorded when a service starts, and a call's run starts all of it at once.

A recording is tied to addresses. Its slot keeps the memory at these addresses, wipes it after each
run like any other, and gives it to nobody else. All other runs lease theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine.binding import Bindings, Place
from services.chassis.errors import BusyError
from services.chassis.memory.device import DeviceArena, DeviceArray, Recording, Stream, padded
from services.chassis.memory.device_budget import DeviceBudget, KeptMemory
from services.chassis.raster.cuda import CudaRaster

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

RECORDED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Runs that need more are long: what starting their kernels costs is lost in them, and memory that
is kept for them would be missed elsewhere."""


class Context(Protocol):
    """A network's state of a run. It owns no memory that values pass through."""

    def take(self, bindings: Bindings) -> int:
        """Take the extents of a run.

        Returns:
            Bytes that the layers need to pass values in.

        Raises:
            InternalError: extents that the network does not take, or does not answer with.
        """
        ...

    def place(self, tensors: Mapping[str, int], work: DeviceArray) -> None:
        """Take the addresses of all tensors, and the memory that the layers need."""
        ...

    def start(self, stream: int) -> None:
        """Start the network's work in the stream of this handle."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where everything of a run lies, and whose run it is."""

    context: Context
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A run that was recorded: a recording lives as long as the context that it was made with."""

    desk: Desk
    memory: KeptMemory
    recording: Recording


class Slot:
    """What one run at a time works with."""

    def __init__(self, context: Context, stream: Stream, budget: DeviceBudget) -> None:
        """Take over a context and a stream; memory comes from the budget."""
        self._context = context
        self._stream = stream
        self._raster = CudaRaster(stream)
        self._budget = budget
        self._ahead: dict[Bindings, Ahead] = {}

    @property
    def recorded(self) -> int:
        """How many sizes of runs are recorded."""
        return len(self._ahead)

    def record(self, wanted: Sequence[Bindings], make_context: Callable[[], Context]) -> None:
        """Record runs ahead, as far as the device, the network and the budget allow it.

        Args:
            wanted: the runs.
            make_context: makes a context; each recording needs one of its own.
        """
        contexts = [(bindings, make_context()) for bindings in wanted]
        needs = [
            (bindings, context, padded(context.take(bindings)) + bindings.lease_bytes)
            for bindings, context in contexts
        ]
        small = [need for need in needs if need[2] <= RECORDED_BYTES_MAX]
        if not small:
            return
        try:
            memory = self._budget.keep(max(need[2] for need in small), self._stream)
        except BusyError:
            return
        for bindings, context, lease_bytes in small:
            work_bytes = lease_bytes - bindings.lease_bytes
            with memory.lease() as arena:
                desk = lay(context, bindings, work_bytes, arena)
                # The first run after new extents does what later ones need not do.
                self._compute(desk)
                self._stream.synchronise()
                recording = self._stream.record(lambda desk=desk: self._compute(desk))  # type: ignore[misc]
            if recording is not None:
                self._ahead[bindings] = Ahead(desk=desk, memory=memory, recording=recording)
        if not self._ahead:
            self._budget.drop(memory)

    def run(self, bindings: Bindings, inputs: Arrays, outputs: Arrays) -> None:
        """Run once; nothing of it is left on the device afterwards."""
        ahead = self._ahead.get(bindings)
        if ahead is None or ahead.memory.is_lost:
            self._run_eagerly(bindings, inputs, outputs)
            return
        with ahead.memory.lease():
            self._upload(ahead.desk, inputs)
            ahead.recording.launch()
            self._download(ahead.desk, outputs)

    def _run_eagerly(self, bindings: Bindings, inputs: Arrays, outputs: Arrays) -> None:
        """Measure, lease, copy in, compute, copy out; leaving the lease wipes it."""
        work_bytes = padded(self._context.take(bindings))
        with self._budget.lease(work_bytes + bindings.lease_bytes, self._stream) as arena:
            desk = lay(self._context, bindings, work_bytes, arena)
            self._upload(desk, inputs)
            self._compute(desk)
            self._download(desk, outputs)

    def _compute(self, desk: Desk) -> None:
        """Start all work of a run that is done on the device alone."""
        for place in desk.inputs:
            place.spread(self._raster)
        desk.context.start(self._stream.handle)
        for place in desk.outputs:
            place.gather(self._raster)

    def _upload(self, desk: Desk, arrays: Arrays) -> None:
        for place in desk.inputs:
            self._stream.upload(arrays[place.binding.name], place.travelling.address)

    def _download(self, desk: Desk, arrays: Arrays) -> None:
        for place in desk.outputs:
            self._stream.download(place.travelling.address, arrays[place.binding.name])


def lay(context: Context, bindings: Bindings, work_bytes: int, arena: DeviceArena) -> Desk:
    """Carve all that a run needs; in an arena at the same address it lies at the same places."""
    work = arena.array((work_bytes,), np.uint8)
    inputs = tuple(binding.place(arena) for binding in bindings.inputs)
    outputs = tuple(binding.place(arena) for binding in bindings.outputs)
    tensors = {place.binding.name: place.tensor.address for place in (*inputs, *outputs)}
    context.place(tensors, work)
    return Desk(context=context, inputs=inputs, outputs=outputs)
