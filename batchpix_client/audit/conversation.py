"""One call, message by message, so that it can be broken off or broken at any point."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c
import grpc
from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.audit.canaries import Canary
from batchpix_client.profile import Profile
from batchpix_client.receipts import Receipt
from batchpix_client.statuses import trailing_receipt, translated
from batchpix_client.wire import STYLIZE, Stream, Wire
from gateway.settings import SERVICES

CHUNK_BYTES = 1 << 20
DEADLINE_SECONDS = 60.0
HELD_SECONDS_MAX = 300.0
Request = stylize_pb2.StylizeRequest
Metadata = tuple[tuple[str, str], ...]


@dataclass(slots=True, kw_only=True)
class Reply:
    """How a call went.

    Attributes:
        outcome: name of its gRPC status code.
        results: (media type, encoded bytes) of each finished picture.
        failures: pictures that were refused.
        policy_version: as told when the call was let in, empty if it was not.
        receipt: what the service says that it wiped.
        seconds: from the start to the status.
    """

    outcome: str = "OK"
    results: list[tuple[str, bytes]] = field(default_factory=list)
    failures: int = 0
    policy_version: str = ""
    receipt: Receipt | None = None
    seconds: float = 0.0


class Caller:
    """Makes calls, through the gateway with a token or straight to the service by mutual TLS."""

    def __init__(self, channels: Mapping[str, grpc.Channel], metadata: Metadata = ()) -> None:
        """Keep the channel of each feature; they may be one."""
        self._channels = channels
        self._metadata = metadata

    def close(self) -> None:
        """Disconnect."""
        for channel in set(self._channels.values()):
            channel.close()

    def converse(
        self,
        requests: Iterable[Message],
        *,
        wire: Wire = STYLIZE,
        deadline_seconds: float = DEADLINE_SECONDS,
        cancel_seconds: float | None = None,
        metadata: Metadata = (),
    ) -> Reply:
        """Make a call and see it through.

        Args:
            requests: the caller's half.
            wire: the feature that is called.
            deadline_seconds: of the call.
            cancel_seconds: when to cancel, None = never.
            metadata: headers beside the token.
        """
        started = time.perf_counter()
        stream = wire.method(self._channels[wire.feature])(
            iter(requests), timeout=deadline_seconds, metadata=(*self._metadata, *metadata)
        )
        timer = threading.Timer(cancel_seconds or 0.0, stream.cancel)
        if cancel_seconds is not None:
            timer.start()
        reply = Reply()
        try:
            read_answers(stream, reply)
        except grpc.RpcError as error:
            reply.outcome = translated(error).code
            reply.receipt = trailing_receipt(error)
        finally:
            timer.cancel()
        reply.seconds = time.perf_counter() - started
        return reply

    def begin(self, requests: Iterable[Message], wire: Wire = STYLIZE) -> Stream:
        """Start a call and leave it to the caller of this, for as long as a look may take."""
        return wire.method(self._channels[wire.feature])(
            iter(requests), timeout=HELD_SECONDS_MAX, metadata=self._metadata
        )


def read_answers(stream: Stream, reply: Reply) -> None:
    """Collect the service's half."""
    media_type, parts = "", list[bytes]()
    for answer in stream:
        match answer.WhichOneof("message"):
            case "accepted":
                reply.policy_version = answer.accepted.policy_version
            case "media_start":
                media_type, parts = answer.media_start.media_type, []
            case "chunk":
                parts.append(answer.chunk.data)
            case "media_end":
                reply.results.append((media_type, b"".join(parts)))
            case "failure":
                reply.failures += 1
            case "receipt":
                reply.receipt = Receipt.from_message(answer.receipt)


def through_gateway(profile: Profile, token: str) -> Caller:
    """Call as a stranger does: TLS and a bearer token."""
    assert profile.ca is not None
    credentials = grpc.ssl_channel_credentials(profile.ca.read_bytes())
    channel = grpc.secure_channel(profile.address, credentials, CHANNEL_OPTIONS)
    return Caller(dict.fromkeys(SERVICES, channel), (("authorization", f"Bearer {token}"),))


def straight(profile: Profile) -> Caller:
    """Call as an internal client does: mutual TLS to each service, no gateway."""
    folder = profile.client_certificates
    assert folder is not None
    names = ("ca.crt", "tls.key", "tls.crt")
    authority, key, certificate = ((folder / name).read_bytes() for name in names)
    credentials = grpc.ssl_channel_credentials(authority, key, certificate)
    return Caller(
        {
            feature: grpc.secure_channel(address, credentials, CHANNEL_OPTIONS)
            for feature, address in profile.internal.items()
        }
    )


def options(**values: object) -> Request:
    """Make the first message of a call."""
    return Request(options=stylize_pb2.StylizeOptions(**values))  # type: ignore[arg-type]


def style(name: str) -> Sequence[stylize_pb2.StyleWeight]:
    """Name a style."""
    return [stylize_pb2.StyleWeight(name=name)]


def medium(
    index: int,
    canary: Canary,
    kind: media_pb2.MediaKind.ValueType = media_pb2.MEDIA_KIND_IMAGE,
    *,
    belongs_to: int | None = None,
    media_type: str | None = None,
    size_bytes: int | None = None,
) -> Iterator[Request]:
    """Make the messages of one medium; what it declares can be made a lie."""
    yield Request(
        media_start=media_pb2.MediaStart(
            index=index,
            kind=kind,
            media_type=canary.media_type if media_type is None else media_type,
            size_bytes=len(canary.content) if size_bytes is None else size_bytes,
            belongs_to=belongs_to,
        )
    )
    for start in range(0, len(canary.content), CHUNK_BYTES):
        yield chunk(canary.content[start : start + CHUNK_BYTES])


def chunk(data: bytes, *, crc32c: int | None = None) -> Request:
    """Make the message of one chunk, with a checksum that fits unless one is given."""
    checksum = google_crc32c.value(data) if crc32c is None else crc32c
    return Request(chunk=media_pb2.Chunk(data=data, crc32c=checksum))


def receipt_keys(profile: Profile) -> list[bytes]:
    """Read the public keys that receipts of a local mesh are verified with."""
    return [Path(key).read_bytes() for key in profile.receipt_keys]


CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", 2 * CHUNK_BYTES),
    ("grpc.enable_retries", 0),
    # Channels to the same address would share one connection otherwise.
    ("grpc.use_local_subchannel_pool", 1),
]
