"""NVIDIA's bindings of the driver, as far as graphs go: they write down what they are asked."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import ModuleType
from typing import Any


class Result(IntEnum):
    """The driver's answers."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901


class Mode(IntEnum):
    """Whose other work a recording forbids."""

    CU_STREAM_CAPTURE_MODE_GLOBAL = 0
    CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1


class FakeBindings:
    """Graphs of streams.

    Attributes:
        log: what was asked, in order.
        failing: names of calls that fail.
    """

    def __init__(self) -> None:
        self.log: list[str] = []
        self.failing: set[str] = set()
        # Templates and graphs that exist now.
        self.alive: set[str] = set()

    def make_module(self) -> ModuleType:
        """Make the module, with the names that `memory/graph.py` uses and no others."""
        module = ModuleType("cuda.bindings.driver")
        names: dict[str, object] = {
            "CUresult": Result,
            "CUstreamCaptureMode": Mode,
            "CUstream": int,
            "CUgraph": str,
            "CUgraphExec": str,
            "cuStreamBeginCapture": lambda _stream, mode: self._answer("begin", mode.name[23:]),
            "cuStreamEndCapture": lambda _stream: self._made("end", "template"),
            "cuGraphInstantiate": lambda template, flags: self._made(
                "instantiate", "graph", template, flags
            ),
            "cuGraphUpload": lambda graph, stream: self._answer("upload", graph, stream),
            "cuGraphLaunch": lambda graph, stream: self._answer("launch", graph, stream),
            "cuGraphDestroy": lambda template: self._gone("destroy", template),
            "cuGraphExecDestroy": lambda graph: self._gone("forget", graph),
        }
        for name, value in names.items():
            setattr(module, name, value)
        return module

    def _status(self, call: str, *given: object) -> Result:
        self.log.append(" ".join([call, *map(str, given)]))
        return Result.CUDA_ERROR_OUT_OF_MEMORY if call in self.failing else Result.CUDA_SUCCESS

    def _answer(self, call: str, *given: object) -> tuple[Any, ...]:
        return (self._status(call, *given),)

    def _made(self, call: str, made: str, *given: object) -> tuple[Any, ...]:
        status = self._status(call, *given)
        if status:
            return status, None
        self.alive.add(made)
        return status, made

    def _gone(self, call: str, what: str) -> tuple[Any, ...]:
        self.alive.remove(what)
        return self._answer(call, what)


@contextmanager
def installed(bindings: FakeBindings) -> Iterator[None]:
    """Let `from cuda.bindings import driver` find the fake in the block; forget who imported it."""
    package, inner = ModuleType("cuda"), ModuleType("cuda.bindings")
    inner.driver = bindings.make_module()  # type: ignore[attr-defined]
    package.bindings = inner  # type: ignore[attr-defined]
    fakes = {"cuda": package, "cuda.bindings": inner, "cuda.bindings.driver": inner.driver}  # type: ignore[attr-defined]
    names = [*fakes, "services.chassis.memory.graph"]
    before = {name: sys.modules.pop(name, None) for name in names}
    sys.modules.update(fakes)
    try:
        yield
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
