"""The messages of each feature's stream, and the RPC that carries them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import grpc
from google.protobuf.message import Message

from batchpix.dance.v1 import dance_pb2, dance_pb2_grpc
from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix.tryon.v1 import tryon_pb2, tryon_pb2_grpc
from batchpix.video.v1 import video_pb2, video_pb2_grpc


class RequestType(Protocol):
    """A feature's request message: each has these members in its oneof."""

    def __call__(
        self,
        *,
        media_start: media_pb2.MediaStart | None = None,
        chunk: media_pb2.Chunk | None = None,
    ) -> Message:
        """Build the message around its one member."""
        ...


class Response(Protocol):
    """A feature's response message: each has these members in its oneof."""

    @property
    def accepted(self) -> media_pb2.Accepted:
        """The call was let in."""
        ...

    @property
    def progress(self) -> media_pb2.Progress:
        """How far the call has come."""
        ...

    @property
    def media_start(self) -> media_pb2.MediaStart:
        """Opening of a result."""
        ...

    @property
    def chunk(self) -> media_pb2.Chunk:
        """Bytes of the open result."""
        ...

    @property
    def media_end(self) -> media_pb2.MediaEnd:
        """Close of the open result."""
        ...

    @property
    def failure(self) -> media_pb2.Failure:
        """Stands in place of a result."""
        ...

    @property
    def receipt(self) -> media_pb2.ErasureReceipt:
        """What was wiped."""
        ...

    def WhichOneof(self, oneof_group: Literal["message"], /) -> str | None:  # noqa: N802  # protobuf's name
        """Name the set member."""
        ...


class Stream(Protocol):
    """What gRPC hands back for a running call."""

    def __iter__(self) -> Iterator[Response]: ...
    def __next__(self) -> Response: ...

    def cancel(self) -> bool:
        """End the call."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Be told of the call's end; False = it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How one feature is called.

    Attributes:
        feature: its name, as in scopes of tokens and in receipts.
        request: its request message.
        method: finds its streaming RPC on a channel.
    """

    feature: str
    request: RequestType
    method: Callable[[grpc.Channel], Callable[..., Stream]]


STYLIZE = Wire(
    feature="stylize",
    request=stylize_pb2.StylizeRequest,
    method=lambda channel: stylize_pb2_grpc.StylizeServiceStub(channel).Stylize,
)
VIDEO = Wire(
    feature="video",
    request=video_pb2.AnimateRequest,
    method=lambda channel: video_pb2_grpc.VideoServiceStub(channel).Animate,
)
DANCE = Wire(
    feature="dance",
    request=dance_pb2.DanceRequest,
    method=lambda channel: dance_pb2_grpc.DanceServiceStub(channel).Dance,
)
TRYON = Wire(
    feature="tryon",
    request=tryon_pb2.TryOnRequest,
    method=lambda channel: tryon_pb2_grpc.TryonServiceStub(channel).TryOn,
)
