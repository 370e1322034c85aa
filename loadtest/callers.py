"""A caller that measures: one connection, one token, and the moment of the first byte."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import grpc
from google.protobuf.message import Message

from batchpix_client.catalogue import ask_moves, ask_styles
from batchpix_client.channels import Endpoint, Line
from batchpix_client.statuses import translated
from batchpix_client.uploads import Upload
from loadtest.loads import OK, Load
from loadtest.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one call ended.

    Attributes:
        code: "OK", or the error's code and reason.
        first_byte: moment of the first byte of a result on the clock of `time.monotonic`, None
            if none came; of a clip it comes with the first frame.
        end: moment of the end, on the same clock.
        received_bytes: bytes of all results.
    """

    code: str
    first_byte: float | None
    end: float
    received_bytes: int


class Caller:
    """One caller of the mesh; a context manager that disconnects."""

    def __init__(self, target: Target, number: int) -> None:
        endpoint = Endpoint(
            address=target.address, ca=target.authority, token=target.tokens[number]
        )
        options = [
            *endpoint.options(),
            # Otherwise all callers of this process would share one connection.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        channel = grpc.secure_channel(target.address, endpoint.credentials(), options)
        self._line = Line(endpoint=endpoint, channel=channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._line.channel.close()

    def names(self, features: tuple[str, ...]) -> Mapping[str, str]:
        """Find a style and a move that the mesh knows, for those of the features that need one.

        Raises:
            BatchpixError: a call failed.
        """
        found = {}
        if "stylize" in features:
            found["stylize"] = ask_styles(self._line)[0].name
        if "dance" in features:
            found["dance"] = ask_moves(self._line)[0].name
        return found

    def call(self, load: Load) -> Ending:
        """Make one call and see it through; a failure is an ending like any other."""
        first_byte, received_bytes, code = None, 0, OK
        answers = load.job.wire.method(self._line.channel)(
            messages(load),
            timeout=load.job.deadline_seconds,
            metadata=self._line.endpoint.metadata(),
        )
        try:
            for answer in answers:
                if answer.WhichOneof("message") == "chunk":
                    first_byte = first_byte or time.monotonic()
                    received_bytes += len(answer.chunk.data)
        except grpc.RpcError as error:
            failure = translated(error)
            code = f"{failure.code} {failure.reason}".strip()
        return Ending(
            code=code,
            first_byte=first_byte,
            end=time.monotonic(),
            received_bytes=received_bytes,
        )


def messages(load: Load) -> Iterator[Message]:
    """Write all that is sent in a call; unlike the SDK, without waiting to be let in."""
    upload = Upload(load.job)
    yield upload.opening()
    yield from upload.media(load.photos)
