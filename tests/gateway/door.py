"""A running gateway and the callers in front of it."""

import http.client
import os
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from batchpix_client.ports import free_ports
from gateway.certs import CertificatePaths, make_development_certificates
from gateway.settings import GatewaySettings, Upstream, to_mapping
from gateway.tokens import KEY_SET_FILE, load_or_make_key, make_token

ROOT = Path(__file__).parents[2]
STYLIZE = "/batchpix.stylize.v1.StylizeService/Stylize"
LIST_STYLES = "/batchpix.stylize.v1.StylizeService/ListStyles"
HANG = "/batchpix.stylize.v1.StylizeService/Hang"
GET_POLICY = "/batchpix.policy.v1.PolicyService/GetPolicy"
FAST_RECONNECT = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a test may show or sign with."""

    certificates: CertificatePaths
    key: ec.EllipticCurvePrivateKey
    folder: Path

    def token(self, *scopes: str, subject: str = "someone") -> str:
        """Sign a token for some features, or for stylize."""
        return make_token(self.key, subject, scopes or ("stylize",))


def make_credentials(folder: Path, now: datetime | None = None) -> Credentials:
    """Make certificates for two features, a token key and its key set."""
    return Credentials(
        certificates=make_development_certificates(folder, ["stylize", "video"], now=now),
        key=load_or_make_key(folder / "tokens"),
        folder=folder,
    )


def settings_for(
    credentials: Credentials, ports: Mapping[str, int], drain_seconds: int = 5
) -> GatewaySettings:
    """Describe a gateway on free ports in front of local services."""
    listen_port, admin_port = free_ports(2)
    return GatewaySettings(
        upstreams={name: Upstream(host="127.0.0.1", port=port) for name, port in ports.items()},
        certificate_folder=credentials.certificates.gateway,
        client_certificate_folder=credentials.certificates.clients["gateway"],
        watched_folder=credentials.folder / f"watched-{listen_port}",
        key_set_file=credentials.folder / "tokens" / KEY_SET_FILE,
        listen_port=listen_port,
        admin_port=admin_port,
        web_origins=("https://app.example",),
        concurrency=1,
        drain_seconds=drain_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer over plain HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Door:
    """A running gateway, and ways to knock on it."""

    def __init__(
        self,
        settings: GatewaySettings,
        credentials: Credentials,
        log: Path,
        process: subprocess.Popen[bytes],
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.log = log
        self.process = process

    @property
    def address(self) -> str:
        """Host and port of the TLS listener."""
        return f"localhost:{self.settings.listen_port}"

    def channel(self, authority: bytes | None = None) -> grpc.Channel:
        """Open a TLS channel that trusts the development authority, or another."""
        trusted = authority or self.credentials.certificates.authority.read_bytes()
        options = [*FAST_RECONNECT, ("grpc.max_receive_message_length", 8 << 20)]
        return grpc.secure_channel(self.address, grpc.ssl_channel_credentials(trusted), options)

    def call(
        self, method: str, token: str | None, metadata: tuple[tuple[str, str], ...] = ()
    ) -> bytes:
        """Make one unary call with a fresh connection."""
        if token is not None:
            metadata = (*bearer(token), *metadata)
        with self.channel() as channel:
            return unary(channel, method)(b"", metadata=metadata, timeout=10)

    def refusal(self, method: str, token: str | None) -> tuple[grpc.StatusCode, str]:
        """Make a call that must fail; return its code and the reason in its details."""
        try:
            self.call(method, token)
        except grpc.RpcError as error:
            info = error_details_pb2.ErrorInfo()
            status = rpc_status.from_call(error)
            assert status.details[0].Unpack(info)
            return error.code(), info.reason
        raise AssertionError("the call was let through")

    def browse(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Page:
        """Make one HTTP/1.1 request over TLS, as a web page would."""
        context = ssl.create_default_context(cafile=self.credentials.certificates.authority)
        port = self.settings.listen_port
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            answered = {name.lower(): value for name, value in response.getheaders()}
            return Page(status=response.status, headers=answered, body=response.read())
        finally:
            connection.close()

    def admin(self, method: str, path: str) -> tuple[int, str]:
        """Ask the admin page; return status and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.admin_port, timeout=5)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@contextmanager
def open_door(settings: GatewaySettings, credentials: Credentials) -> Iterator[Door]:
    """Run the gateway as its own process until the block ends; it must end in time."""
    log = credentials.folder / f"gateway-{settings.listen_port}.log"
    environment = {"PATH": os.environ["PATH"], **to_mapping(settings)}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.run"],
            env=environment,
            cwd=ROOT,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    door = Door(settings, credentials, log, process)
    try:
        with door.channel() as channel:
            grpc.channel_ready_future(channel).result(20)
        yield door
    finally:
        process.terminate()
        process.wait(20)


def bearer(token: str) -> tuple[tuple[str, str]]:
    """Write the header that carries a token."""
    return (("authorization", f"Bearer {token}"),)


def unary(channel: grpc.Channel, method: str) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
    """Name a method whose messages are plain bytes."""
    return channel.unary_unary(method)


def stylize(
    channel: grpc.Channel, messages: Iterator[bytes], token: str
) -> "grpc._CallIterator[bytes]":
    """Begin a stream of plain bytes through the gateway."""
    method: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(STYLIZE)
    return method(messages, metadata=bearer(token), timeout=30)


def with_limits(settings: GatewaySettings, **limits: int) -> GatewaySettings:
    """Change some limits."""
    return replace(settings, limits=replace(settings.limits, **limits))


def until(condition: Callable[[], bool]) -> None:
    """Ask another process again and again, ten seconds at most, until it is so."""
    pause = threading.Event()
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.005)
