"""Tests of engines whose cleaning up is put off to the end of a call."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.engine import TensorSpec
from services.chassis.engine.sittings import sitting

Arrays = Mapping[str, NDArray[Any]]


class Diary:
    """An engine that notes what happens to it."""

    description = "diary"
    inputs = (TensorSpec(name="given", shape=(1,), dtype="float32"),)
    outputs = (TensorSpec(name="made", shape=(1,), dtype="float32"),)

    def __init__(self) -> None:
        """Start with an empty page."""
        self.notes: list[str] = []

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """See `Engine`."""
        with self.series() as run:
            run(inputs, outputs)

    @contextmanager
    def series(self) -> Iterator[Callable[[Arrays, Arrays], None]]:
        """See `SeriesEngine`."""

        def run(inputs: Arrays, outputs: Arrays) -> None:
            outputs["made"][:] = inputs["given"] + 1
            self.notes.append("run")

        yield run
        self.notes.append("clean")


def test_runs_and_series_in_a_sitting_clean_up_once_at_its_end() -> None:
    """Nobody waits for cleaning up between the runs of one call."""
    diary, given, made = Diary(), np.ones(1, np.float32), np.zeros(1, np.float32)
    with sitting(diary) as engine:
        engine.run({"given": given}, {"made": made})
        with engine.series() as run:
            run({"given": made.copy()}, {"made": made})

        assert diary.notes == ["run", "run"]
    assert diary.notes == ["run", "run", "clean"]
    assert made[0] == 3.0


def test_a_sitting_tells_what_its_engine_does() -> None:
    """Whoever asks it for inputs and outputs gets the engine's answers."""
    diary = Diary()
    with sitting(diary) as engine:
        assert (engine.inputs, engine.outputs) == (diary.inputs, diary.outputs)
        assert engine.description == "diary"
