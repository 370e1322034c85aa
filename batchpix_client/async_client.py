"""The awaiting client."""

import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

import grpc
from google.protobuf.message import Message

from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix_client.async_stylization import AsyncStylization, Pictures
from batchpix_client.catalogue import NamedStyle, Policy, read_policy, read_styles
from batchpix_client.interface import ClientBase
from batchpix_client.jobs import QUESTION_SECONDS, StylizeJob
from batchpix_client.retries import attempts_async
from batchpix_client.statuses import translated

AnswerT = TypeVar("AnswerT")


class AsyncClient(ClientBase[Pictures, AsyncStylization]):
    """Calls the mesh and awaits; belongs to one event loop. Use it with `async with`, or close it.

    Example:
        async with AsyncClient("localhost:8443", ca=Path("ca.crt"), token=token) as client:
            async for result in client.stylize([Path("photo.jpg")], "starry_night"):
                ...
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect; calls that still run are cancelled."""
        await self._channel.close()

    async def styles(self) -> tuple[NamedStyle, ...]:
        """Name the styles that the service knows.

        Raises:
            BatchpixError: the call failed.
        """
        method = stylize_pb2_grpc.StylizeServiceStub(self._channel).ListStyles
        return read_styles(await self._ask(method, stylize_pb2.ListStylesRequest()))

    async def policy(self) -> Policy:
        """Fetch the privacy policy in force, with the keys that receipts are signed with.

        Raises:
            BatchpixError: the call failed.
        """
        method = policy_pb2_grpc.PolicyServiceStub(self._channel).GetPolicy
        return read_policy(await self._ask(method, policy_pb2.GetPolicyRequest()))

    def _stylization(self, job: StylizeJob, pictures: Pictures) -> AsyncStylization:
        stub = stylize_pb2_grpc.StylizeServiceStub(self._channel)
        return AsyncStylization(self._endpoint, stub, job, pictures)

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        # Made at the first call, since it binds to the event loop that runs.
        endpoint = self._endpoint
        return grpc.aio.secure_channel(endpoint.address, self._credentials, endpoint.options())

    async def _ask(self, method: Callable[..., Awaitable[AnswerT]], question: Message) -> AnswerT:
        deadline = time.monotonic() + QUESTION_SECONDS
        async for attempt in attempts_async(QUESTION_SECONDS):
            with attempt:
                try:
                    return await method(
                        question,
                        timeout=deadline - time.monotonic(),
                        metadata=self._endpoint.metadata(),
                    )
                except grpc.RpcError as error:
                    raise translated(error) from None
        raise AssertionError("the attempts ended without an answer or an error")
