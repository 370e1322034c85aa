"""An engine for one call: what its runs leave behind is cleaned up when the call's sitting ends."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from services.chassis.engine import SeriesEngine, TensorSpec

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Run: TypeAlias = Callable[[Arrays, Arrays], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SittingEngine:
    """A `SeriesEngine` of which every run is a part of one series. Made by `sitting`."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    description: str
    run: Run

    @contextmanager
    def series(self) -> Iterator[Run]:
        """See `SeriesEngine`; the traces stay until the sitting ends."""
        yield self.run


@contextmanager
def sitting(engine: SeriesEngine) -> Iterator[SittingEngine]:
    """Put off cleaning up after runs to the end of the block, so that no caller waits for it."""
    with engine.series() as run:
        yield SittingEngine(
            inputs=engine.inputs,
            outputs=engine.outputs,
            description=engine.description,
            run=run,
        )
