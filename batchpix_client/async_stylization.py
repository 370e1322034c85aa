"""One awaiting stylize call: what the caller iterates over."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self

import grpc

from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix_client.answers import Answers, Progress, Result
from batchpix_client.channels import Endpoint
from batchpix_client.errors import BatchpixError, protocol_error
from batchpix_client.jobs import StylizeJob
from batchpix_client.pictures import Source
from batchpix_client.receipts import Receipt
from batchpix_client.retries import attempts_async
from batchpix_client.statuses import trailing_receipt, translated
from batchpix_client.uploads import Upload

Pictures = Iterable[Source] | AsyncIterable[Source]


class AsyncStream(Protocol):
    """What grpc.aio hands back for a running call."""

    def __aiter__(self) -> AsyncIterator[stylize_pb2.StylizeResponse]: ...

    def cancel(self) -> bool:
        """End the call."""


class AsyncStylization(AsyncIterator[Result]):
    """One call of `AsyncClient.stylize`: iterate to get each result as it arrives.

    Nothing is sent before the first step. Iterate to the end, or use it as a context manager, or
    `close` it: a call that is left open runs until its deadline.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        stub: "stylize_pb2_grpc.StylizeServiceAsyncStub",  # known to the type checker only
        job: StylizeJob,
        pictures: Pictures,
    ) -> None:
        self._endpoint = endpoint
        self._stub = stub
        self._job = job
        self._pictures = pictures
        self._upload = Upload(job)
        self._answers = Answers(self._upload)
        self._stream: AsyncStream | None = None
        self._responses: AsyncIterator[stylize_pb2.StylizeResponse] | None = None
        self._upload_error: Exception | None = None
        self._ended = False

    async def __anext__(self) -> Result:
        """Return the next result.

        Raises:
            BatchpixError: the call as a whole failed.
            OSError: a picture's file cannot be read; the call is cancelled.
            StopAsyncIteration: every picture is answered.
        """
        if self._ended:
            raise StopAsyncIteration
        try:
            result = await self._step()
        except grpc.RpcError as error:
            self._ended = True
            raise self._upload_error or self._failure(error) from None
        except asyncio.CancelledError:
            self.close()
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # The stream was cancelled, not this task: by the upload, or by `close`.
            closed = BatchpixError("CANCELLED", "", "the call was closed")
            raise self._upload_error or closed from None
        except BaseException:
            self.close()
            raise
        if result is None:
            raise StopAsyncIteration
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is still running, upon which the service wipes."""
        self._ended = True
        if self._stream is not None:
            self._stream.cancel()

    @property
    def call_id(self) -> str:
        """Name that the service gave the call, empty before it was let in."""
        return self._answers.call_id

    @property
    def progress(self) -> Progress | None:
        """How far the service has come, None before it says so."""
        return self._answers.progress

    @property
    def receipt(self) -> Receipt | None:
        """What was wiped, once a call that was let in has ended, well or not; None before."""
        return self._answers.receipt

    async def _step(self) -> Result | None:
        """Read until a result is whole; None = the call has ended well."""
        if self._responses is None:
            self._responses = await self._begin()
        async for response in self._responses:
            result = self._answers.receive(response)
            if result is not None:
                return result
        self._ended = True
        self._answers.close()
        return None

    async def _begin(self) -> AsyncIterator[stylize_pb2.StylizeResponse]:
        """Open the stream, trying again while the service does not let the call in."""
        deadline = time.monotonic() + self._job.deadline_seconds
        async for attempt in attempts_async(self._job.deadline_seconds):
            with attempt:
                return await self._attempt(deadline - time.monotonic())
        raise AssertionError("the attempts ended without a result or an error")

    async def _attempt(self, timeout_seconds: float) -> AsyncIterator[stylize_pb2.StylizeResponse]:
        # True lets the upload go on, False ends it before it began.
        admitted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._stream = stream = self._stub.Stylize(
            self._requests(self._upload.opening(), admitted),
            timeout=timeout_seconds,
            metadata=self._endpoint.metadata(),
        )
        responses = aiter(stream)
        try:
            self._answers.receive(await anext(responses))
        except grpc.RpcError as error:
            raise self._failure(error) from None
        except StopAsyncIteration:
            raise protocol_error("the service ended the call unanswered") from None
        finally:
            if not admitted.done():
                admitted.set_result(bool(self._answers.call_id))
        return responses

    async def _requests(
        self, opening: stylize_pb2.StylizeRequest, admitted: asyncio.Future[bool]
    ) -> AsyncIterator[stylize_pb2.StylizeRequest]:
        """Feed gRPC's sending task."""
        yield opening
        if not await admitted:
            return
        try:
            async for request in in_thread(self._upload.styles()):
                yield request
            async for picture in each(self._pictures):
                async for request in in_thread(self._upload.picture(picture)):
                    yield request
            self._upload.close()
        except Exception as error:  # the pictures are the caller's, so is the error
            # Raised here it would end in the log of gRPC's task; the reading side raises it.
            self._upload_error = error
            if self._stream is not None:
                self._stream.cancel()

    def _failure(self, error: grpc.RpcError) -> BatchpixError:
        """Translate the end of a failed call and keep the receipt that came with it."""
        self._answers.receipt = trailing_receipt(error)
        return translated(error)


async def each(pictures: Pictures) -> AsyncIterator[Source]:
    """Take pictures from either kind of iterable."""
    if isinstance(pictures, AsyncIterable):
        async for picture in pictures:
            yield picture
    else:
        for picture in pictures:
            yield picture


async def in_thread(
    requests: Iterator[stylize_pb2.StylizeRequest],
) -> AsyncIterator[stylize_pb2.StylizeRequest]:
    """Step through messages off the event loop: each step may read a file."""
    while (request := await asyncio.to_thread(next, requests, None)) is not None:
        yield request
