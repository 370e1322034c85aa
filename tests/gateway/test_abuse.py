"""Callers that mean ill are refused, and the others are served meanwhile."""

import queue
import selectors
import socket
import ssl
import time

import grpc
import pytest

from tests.gateway.door import (
    HANG,
    LIST_STYLES,
    Door,
    bearer,
    open_door,
    settings_for,
    stylize,
    unary,
    until,
    with_limits,
)
from tests.gateway.echo import EchoService


@pytest.mark.parametrize(
    "metadata",
    [
        (("a", "x" * 20_000),),
        tuple((f"header-{number}", "x") for number in range(80)),
    ],
    ids=["one too long", "too many"],
)
def test_oversized_headers_are_refused(
    door: Door, echo: EchoService, metadata: tuple[tuple[str, str], ...]
) -> None:
    """Headers over their limit end the call before any service sees it."""
    before = len(echo.handler.seen)
    with pytest.raises(grpc.RpcError):
        door.call(LIST_STYLES, door.credentials.token(), metadata)

    assert len(echo.handler.seen) == before


@pytest.mark.parametrize(
    "head",
    [
        "POST {path} HTTP/1.1|host: localhost|content-length: 5|transfer-encoding: chunked",
        "POST {path} HTTP/1.1|host: localhost|content-length: 5|content-length: 6",
        "POST {path} HTTP/1.1|host: localhost|host: other",
        "POST {path} HTTP/1.0",
        "POST /batchpix.stylize.v1.StylizeService%2fStylize HTTP/1.1|host: localhost",
        "POST {path} HTTP/1.1|host: localhost|a\x00b: c",
        "CONNECT localhost:443 HTTP/1.1|host: localhost",
        "POST {path} HTTP/1.1|host: elsewhere.example",
    ],
    ids=["lengths", "two lengths", "two hosts", "old", "escaped", "nul", "connect", "other host"],
)
def test_smuggling_is_refused(door: Door, echo: EchoService, head: str) -> None:
    """A request that two readers could take in two ways reaches no service, token or not."""
    before = len(echo.handler.seen)
    lines = [
        *head.format(path=LIST_STYLES).split("|"),
        f"authorization: Bearer {door.credentials.token()}",
        "content-type: application/grpc-web+proto",
    ]
    status = exchange(door, "\r\n".join([*lines, "", ""]))

    assert status in (b"400", b"403", b"404", b"426")
    assert len(echo.handler.seen) == before


def test_connections_are_limited(door: Door, echo: EchoService) -> None:
    """Connections over the limit are closed at once; when others end there is room again."""
    credentials = door.credentials
    settings = with_limits(settings_for(credentials, {"stylize": echo.port}), connections_max=4)
    with open_door(settings, credentials) as other:
        taken = [socket.create_connection(("127.0.0.1", settings.listen_port)) for _ in range(8)]
        closed = wait_for_closed(taken, 4)
        for each in taken:
            each.close()
        served = other.call(LIST_STYLES, credentials.token())

    assert 4 <= len(closed) < 8
    assert served == LIST_STYLES.encode()


def test_rapid_resets_close_the_connection(door: Door, echo: EchoService) -> None:
    """A caller that resets what it begins loses its connection; another is served."""
    credentials = door.credentials
    token = credentials.token(subject="resetter")
    settings = with_limits(settings_for(credentials, {"stylize": echo.port}), early_resets_max=20)
    with open_door(settings, credentials) as other, other.channel() as channel:
        for _ in range(60):
            arrived = len(echo.handler.seen)
            call = unary(channel, HANG).future(b"", metadata=bearer(token), timeout=5)
            until(lambda: len(echo.handler.seen) > arrived or call.done())  # noqa: B023
            call.cancel()
        served = other.call(LIST_STYLES, credentials.token())
        text = other.admin("GET", "/stats?filter=too_many_premature_resets")[1]

    assert served == LIST_STYLES.encode()
    assert int(text.rpartition(":")[2]) > 0


def test_streams_of_a_connection_are_limited(door: Door) -> None:
    """Streams over the limit of one connection wait outside; another connection is served."""
    credentials = door.credentials
    waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with EchoService(credentials.certificates.services["stylize"]) as echo:
        settings = with_limits(
            settings_for(credentials, {"stylize": echo.port}), streams_per_connection_max=3
        )
        with open_door(settings, credentials) as other, other.channel() as channel:
            calls = [
                stylize(channel, iter(waiting.get, None), credentials.token()) for _ in range(12)
            ]
            # Which of them go first is for gRPC to choose; the others wait behind them for ever.
            until(lambda: len(echo.handler.seen) >= 3)
            served = other.call(LIST_STYLES, credentials.token())
            reached = len(echo.handler.seen) - 1
            for call in calls:
                call.cancel()
            for _ in calls:
                waiting.put(None)

    assert reached == 3
    assert served == LIST_STYLES.encode()


def test_slow_callers_end(door: Door, echo: EchoService) -> None:
    """Who never finishes greeting or headers, or asks nothing, is closed and holds nobody up."""
    credentials = door.credentials
    settings = with_limits(
        settings_for(credentials, {"stylize": echo.port}),
        greeting_seconds_max=1,
        header_seconds_max=1,
        connection_idle_seconds_max=1,
    )
    with (
        open_door(settings, credentials) as other,
        dial(other) as idle,
        dial(other) as half,
        plain(other) as mute,
    ):
        mute.sendall(b"\x16\x03\x01\x02\x00")
        half.sendall(b"POST / HTTP/1.1\r\nhost: localhost\r\n")
        served = other.call(LIST_STYLES, credentials.token())
        closed = wait_for_closed([half, mute, idle], 3)

    assert served == LIST_STYLES.encode()
    assert set(closed) == {half, mute, idle}


def plain(door: Door) -> socket.socket:
    """Open a connection without TLS."""
    return socket.create_connection(("127.0.0.1", door.settings.listen_port), timeout=5)


def dial(door: Door) -> ssl.SSLSocket:
    """Open a connection with TLS and HTTP/1.1."""
    context = ssl.create_default_context(cafile=door.credentials.certificates.authority)
    return context.wrap_socket(plain(door), server_hostname="localhost")


def exchange(door: Door, text: str) -> bytes:
    """Send a request as it is; return the status of the answer."""
    with dial(door) as connection:
        connection.sendall(text.encode("latin-1"))
        return connection.recv(4096).split(b" ")[1]


def wait_for_closed(connections: list[socket.socket], count: int) -> list[socket.socket]:
    """Wait, ten seconds at most, until so many connections were closed by the other side."""
    closed: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        for each in connections:
            selector.register(each, selectors.EVENT_READ)
        deadline = time.monotonic() + 10
        while len(closed) < count and time.monotonic() < deadline:
            for key, _ in selector.select(0.5):
                connection = next(each for each in connections if each.fileno() == key.fd)
                selector.unregister(connection)
                closed.append(connection)
    return closed
