"""The blocking client."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar, Unpack

import grpc
from google.protobuf.message import Message

from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix_client.catalogue import NamedStyle, Policy, read_policy, read_styles
from batchpix_client.channels import Endpoint
from batchpix_client.interface import ClientBase, ConnectionOptions
from batchpix_client.jobs import QUESTION_SECONDS, StylizeJob
from batchpix_client.pictures import Source
from batchpix_client.retries import attempts
from batchpix_client.statuses import translated
from batchpix_client.stylization import Stylization

AnswerT = TypeVar("AnswerT")


class Client(ClientBase[Iterable[Source], Stylization]):
    """Calls the mesh and blocks; may be shared by threads. Use it with `with`, or close it.

    Example:
        with Client("localhost:8443", ca=Path("ca.crt"), token=token) as client:
            for result in client.stylize([Path("photo.jpg")], "starry_night"):
                ...
    """

    def __init__(self, address: str, **options: Unpack[ConnectionOptions]) -> None:
        """Set up; nothing is connected before the first call.

        Args:
            address: host and port, "localhost:8443".
            options: see `ConnectionOptions`.

        Raises:
            BatchpixError: a certificate without its key, or a file that cannot be read.
        """
        self._endpoint = Endpoint(address=address, **options)
        self._channel = grpc.secure_channel(
            address, self._endpoint.credentials(), self._endpoint.options()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; calls that still run are cancelled."""
        self._channel.close()

    def styles(self) -> tuple[NamedStyle, ...]:
        """Name the styles that the service knows.

        Raises:
            BatchpixError: the call failed.
        """
        method = stylize_pb2_grpc.StylizeServiceStub(self._channel).ListStyles
        return read_styles(self._ask(method, stylize_pb2.ListStylesRequest()))

    def policy(self) -> Policy:
        """Fetch the privacy policy in force, with the keys that receipts are signed with.

        Raises:
            BatchpixError: the call failed.
        """
        method = policy_pb2_grpc.PolicyServiceStub(self._channel).GetPolicy
        return read_policy(self._ask(method, policy_pb2.GetPolicyRequest()))

    def begin(self, job: StylizeJob, pictures: Iterable[Source]) -> Stylization:
        """Make the call's object for a job; it sends nothing before it is iterated over."""
        stub = stylize_pb2_grpc.StylizeServiceStub(self._channel)
        return Stylization(self._endpoint, stub, job, pictures)

    def _ask(self, method: Callable[..., AnswerT], question: Message) -> AnswerT:
        deadline = time.monotonic() + QUESTION_SECONDS
        for attempt in attempts(QUESTION_SECONDS):
            with attempt:
                try:
                    return method(
                        question,
                        timeout=deadline - time.monotonic(),
                        metadata=self._endpoint.metadata(),
                    )
                except grpc.RpcError as error:
                    raise translated(error) from None
        raise AssertionError("the attempts ended without an answer or an error")
