"""CUDA graphs: work of a stream recorded once and started again as a whole.

PyCUDA has none, so they are made by NVIDIA's own bindings of the driver, on PyCUDA's streams.
"""

from collections.abc import Callable
from typing import Any, Final, Self

from cuda.bindings import driver

from services.chassis.errors import InternalError, MeshError, Reason

NO_FLAGS: Final = 0


class CudaGraph:
    """A `Recording`: kernels, their arguments and their order."""

    def __init__(self, stream: int, graph: driver.CUgraphExec) -> None:
        """Take over a graph that is ready to start; `record` calls this."""
        self._stream = driver.CUstream(stream)
        self._graph: driver.CUgraphExec = graph

    @classmethod
    def record(cls, stream: int, work: Callable[[], None]) -> Self | None:
        """Record what `work` starts in a stream; see `Stream.record`.

        Args:
            stream: its handle. Other threads may use the device meanwhile, as they like.
        """
        handle = driver.CUstream(stream)
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        if driver.cuStreamBeginCapture(handle, mode)[0] != driver.CUresult.CUDA_SUCCESS:
            return None
        try:
            work()
            is_whole = True
        except MeshError:
            is_whole = False
        finally:
            # Also ends a recording that was spoilt: the stream would refuse all work after it.
            status, template = driver.cuStreamEndCapture(handle)
        if status != driver.CUresult.CUDA_SUCCESS:
            return None
        try:
            return cls(stream, ready(template, handle)) if is_whole else None
        except InternalError:
            return None
        finally:
            checked(driver.cuGraphDestroy(template))

    def launch(self) -> None:
        """See `Recording`."""
        checked(driver.cuGraphLaunch(self._graph, self._stream))

    def __del__(self) -> None:
        """Let the driver forget it."""
        driver.cuGraphExecDestroy(self._graph)


def ready(template: driver.CUgraph, stream: driver.CUstream) -> driver.CUgraphExec:
    """Get a graph ready now, so that starting it allocates nothing.

    Raises:
        InternalError: the driver can't.
    """
    graph: driver.CUgraphExec = checked(driver.cuGraphInstantiate(template, NO_FLAGS))
    try:
        checked(driver.cuGraphUpload(graph, stream))
    except InternalError:
        driver.cuGraphExecDestroy(graph)
        raise
    return graph


def checked(answer: tuple[Any, ...]) -> Any:  # noqa: ANN401  # the driver's types are its own
    """Take the driver's answer: its value, if there is one.

    Raises:
        InternalError: it failed.
    """
    status, *value = answer
    if status != driver.CUresult.CUDA_SUCCESS:
        raise InternalError(Reason.ENGINE_FAILED, "the CUDA device failed")
    return value[0] if value else None
