"""Channels to the mesh: TLS, the proof of who calls, and bounds on what the transport holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from batchpix_client.errors import BatchpixError

MESSAGE_BYTES_MAX = 2 << 20  # twice the largest chunk of 1 MiB
CONNECT_PAUSE_MS_FIRST = 100  # so that a retry finds a new attempt to connect, not the old failure
CONNECT_PAUSE_MS_MAX = 2_000
DEVICE_HEADER = "x-batchpix-device"

Pem = str | Path | bytes
"""PEM text as bytes, or the path of a file with it."""
Token = str | Callable[[], str]
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a client calls and how it proves who it is.

    Attributes:
        address: host and port, "localhost:8443".
        ca: authority (PEM) that must have signed the server's certificate; None = the system's.
        token: bearer token for the gateway, or a function that fetches a fresh one for each call.
        certificate: own certificate chain (PEM) of an internal caller (mTLS).
        key: private key (PEM) of `certificate`.
        server_name: name that the server's certificate must hold where the address has another.
        device: coarse device model, counted by the service in buckets that name no single device.
    """

    address: str
    ca: Pem | None = None
    token: Token | None = None
    certificate: Pem | None = None
    key: Pem | None = None
    server_name: str = ""
    device: str = ""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise configuration_error("a certificate and its key go together", "certificate")

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files and make TLS credentials; there are no plaintext channels.

        Raises:
            BatchpixError: a file cannot be read.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=read_pem(self.ca, "ca"),
            private_key=read_pem(self.key, "key"),
            certificate_chain=read_pem(self.certificate, "certificate"),
        )

    def options(self) -> Sequence[tuple[str, str | int]]:
        """List the channel's options."""
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            # gRPC's own retries keep a copy of what was sent; the SDK retries before sending.
            ("grpc.enable_retries", 0),
            # Channelz keeps traces of calls in memory.
            ("grpc.enable_channelz", 0),
            ("grpc.max_channel_trace_event_memory_per_node", 0),
            ("grpc.initial_reconnect_backoff_ms", CONNECT_PAUSE_MS_FIRST),
            ("grpc.min_reconnect_backoff_ms", CONNECT_PAUSE_MS_FIRST),
            ("grpc.max_reconnect_backoff_ms", CONNECT_PAUSE_MS_MAX),
        ]
        if self.server_name:
            options.append(("grpc.ssl_target_name_override", self.server_name))
        return options

    def metadata(self) -> Metadata:
        """Make the headers of one call."""
        token = self.token() if callable(self.token) else self.token
        # A token read from a file may end in a newline, which no header can hold.
        headers = [("authorization", f"Bearer {token.strip()}")] if token else []
        if self.device:
            headers.append((DEVICE_HEADER, self.device))
        return tuple(headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An open line to the mesh.

    Attributes:
        endpoint: who is called, and as whom.
        channel: connects when it is needed.
    """

    endpoint: Endpoint
    channel: grpc.Channel


def open_line(endpoint: Endpoint) -> Line:
    """Set up a channel; nothing is connected before the first call.

    Raises:
        BatchpixError: a file of certificates cannot be read.
    """
    credentials = endpoint.credentials()
    channel = grpc.secure_channel(endpoint.address, credentials, endpoint.options())
    return Line(endpoint=endpoint, channel=channel)


def read_pem(source: Pem | None, name: str) -> bytes | None:
    """Read a PEM file; bytes pass through.

    Raises:
        BatchpixError: the file cannot be read.
    """
    if source is None or isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise configuration_error(f"cannot read {source}: {error.strerror}", name) from None


def configuration_error(message: str, field: str) -> BatchpixError:
    """Make the error of a client that is set up wrongly."""
    return BatchpixError("INVALID_ARGUMENT", "CONFIGURATION_INVALID", message, field=field)
