"""Recording a stream's work: in which order the driver is asked, and what becomes of failures."""

import gc
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from services.chassis.errors import InternalError, Reason
from tests.gpu.fake_bindings import FakeBindings, installed

STREAM = 7


@pytest.fixture
def bindings() -> FakeBindings:
    """Make a driver."""
    return FakeBindings()


@pytest.fixture
def graph(bindings: FakeBindings) -> Iterator[Any]:
    """Import the graphs over the fake driver."""
    with installed(bindings):
        yield importlib.import_module("services.chassis.memory.graph")


def test_work_is_recorded_once_and_started_often(graph: Any, bindings: FakeBindings) -> None:  # noqa: ANN401
    """The recording forbids nothing to other threads, and is on the device before it is started."""
    made = graph.CudaGraph.record(STREAM, lambda: bindings.log.append("work"))
    for _ in range(2):
        made.launch()

    assert bindings.log == [
        "begin THREAD_LOCAL",
        "work",
        "end",
        "instantiate template 0",
        "upload graph 7",
        "destroy template",
        "launch graph 7",
        "launch graph 7",
    ]
    assert bindings.alive == {"graph"}


def test_a_graph_that_is_let_go_is_forgotten(graph: Any, bindings: FakeBindings) -> None:  # noqa: ANN401
    """The driver keeps no graph that nobody can start."""
    made = graph.CudaGraph.record(STREAM, lambda: None)
    del made
    gc.collect()

    assert bindings.log[-1] == "forget graph"
    assert bindings.alive == set()


def fail() -> None:
    """Fail as a network does that can't be recorded."""
    raise InternalError(Reason.ENGINE_FAILED, "the inference engine refused a step")


def test_work_that_fails_ends_the_recording(graph: Any, bindings: FakeBindings) -> None:  # noqa: ANN401
    """The stream is out of its recording again, and nothing is left of it."""
    assert graph.CudaGraph.record(STREAM, fail) is None

    assert bindings.log == ["begin THREAD_LOCAL", "end", "destroy template"]
    assert bindings.alive == set()


@pytest.mark.parametrize("call", ["end", "instantiate", "upload"])
def test_a_device_that_refuses_gives_none(graph: Any, bindings: FakeBindings, call: str) -> None:  # noqa: ANN401
    """Whichever step the driver refuses, the caller gets no graph, and may go on."""
    bindings.failing = {call}

    assert graph.CudaGraph.record(STREAM, lambda: None) is None

    assert "template" not in bindings.alive


def test_a_stream_that_cannot_record_gives_none(graph: Any, bindings: FakeBindings) -> None:  # noqa: ANN401
    """Nothing is started in a stream that does not record."""
    bindings.failing = {"begin"}

    assert graph.CudaGraph.record(STREAM, lambda: bindings.log.append("work")) is None

    assert "work" not in bindings.log


def test_a_fault_of_ours_ends_the_recording_too(graph: Any, bindings: FakeBindings) -> None:  # noqa: ANN401
    """A bug goes its way, but leaves the stream usable."""
    with pytest.raises(ZeroDivisionError):
        graph.CudaGraph.record(STREAM, lambda: 1 // 0)

    assert bindings.log == ["begin THREAD_LOCAL", "end"]


def test_a_start_that_fails_is_told(graph: Any, bindings: FakeBindings) -> None:  # noqa: ANN401
    """A launch that the device refuses is an error of ours."""
    made = graph.CudaGraph.record(STREAM, lambda: None)
    bindings.failing = {"launch"}

    with pytest.raises(InternalError):
        made.launch()
