"""How a gateway starts, changes its certificates and keys, drains and ends."""

import os
import queue
import signal
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.certs import LEAF_LIFETIME, make_development_certificates
from gateway.tokens import KEY_SET_FILE, make_token, write_key_set
from tests.gateway.door import (
    LIST_STYLES,
    Door,
    make_credentials,
    open_door,
    settings_for,
    stylize,
    until,
    with_limits,
)
from tests.gateway.echo import EchoService


def test_certificates_rotate_without_breaking_a_stream(tmp_path: Path) -> None:
    """New connections see the renewed certificate while a stream begun before goes on."""
    almost_expired = datetime.now(UTC) - LEAF_LIFETIME + timedelta(hours=12)
    credentials = make_credentials(tmp_path, now=almost_expired)
    outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with EchoService(credentials.certificates.services["stylize"]) as echo:
        settings = settings_for(credentials, {"stylize": echo.port})
        with open_door(settings, credentials) as door, door.channel() as channel:
            call = stylize(channel, iter(outbox.get, None), credentials.token())
            outbox.put(b"before")
            before = next(call)
            serial = shown_serial(door)
            make_development_certificates(tmp_path, ["stylize", "video"])
            until(lambda: shown_serial(door) != serial)
            outbox.put(b"after")
            after = next(call)
            outbox.put(None)
            fresh = door.call(LIST_STYLES, credentials.token())

    assert (b"before", b"after", LIST_STYLES.encode()) == (before, after, fresh)


def test_token_keys_rotate(tmp_path: Path) -> None:
    """A key that is added to the key set counts from then on, one that is removed no more."""
    credentials = make_credentials(tmp_path)
    successor = ec.generate_private_key(ec.SECP256R1())
    token = make_token(successor, "someone", ["stylize"])
    key_set = tmp_path / "tokens" / KEY_SET_FILE
    with EchoService(credentials.certificates.services["stylize"]) as echo:
        settings = settings_for(credentials, {"stylize": echo.port})
        with open_door(settings, credentials) as door:
            before = code(door, token)
            write_key_set(key_set, [credentials.key.public_key(), successor.public_key()])
            door.process.send_signal(signal.SIGHUP)
            until(lambda: code(door, token) is grpc.StatusCode.OK)
            both = code(door, credentials.token())
            write_key_set(key_set, [successor.public_key()])
            door.process.send_signal(signal.SIGHUP)
            until(lambda: code(door, credentials.token()) is not grpc.StatusCode.OK)

    assert (before, both) == (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.OK)


def test_stop_waits_for_running_calls(door: Door, echo: EchoService) -> None:
    """After SIGTERM a running stream ends as it would have, and the process with it."""
    credentials = door.credentials
    outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    settings = settings_for(credentials, {"stylize": echo.port})
    with open_door(settings, credentials) as other, other.channel() as channel:
        call = stylize(channel, iter(outbox.get, None), credentials.token())
        outbox.put(b"before")
        before = next(call)
        other.process.send_signal(signal.SIGTERM)
        until(lambda: "draining" in other.log.read_text())
        outbox.put(b"after")
        after = next(call)
        outbox.put(None)
        rest = list(call)
        status = other.process.wait(10)

    assert (before, after, rest, status) == (b"before", b"after", [], 0)


def test_stop_is_bounded(door: Door, echo: EchoService) -> None:
    """A call that does not end by itself is ended when the time to drain is over."""
    credentials = door.credentials
    outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    settings = settings_for(credentials, {"stylize": echo.port}, drain_seconds=1)
    with open_door(settings, credentials) as other, other.channel() as channel:
        call = stylize(channel, iter(outbox.get, None), credentials.token())
        outbox.put(b"before")
        next(call)
        other.process.send_signal(signal.SIGTERM)
        status = other.process.wait(8)
        with pytest.raises(grpc.RpcError):
            next(call)
        outbox.put(None)

    assert status == 0


def test_envoy_ends_with_its_starter(door: Door, echo: EchoService) -> None:
    """When the starting process is killed outright, its Envoy does not stay behind."""
    settings = settings_for(door.credentials, {"stylize": echo.port})
    with open_door(settings, door.credentials) as other:
        other.process.kill()
        other.process.wait()
        until(lambda: not listens(settings.listen_port))

    assert not listens(settings.listen_port)


def test_dead_envoy_is_reported(door: Door, echo: EchoService) -> None:
    """An Envoy that ends by itself ends its starter, with a status that says so."""
    settings = settings_for(door.credentials, {"stylize": echo.port})
    with open_door(settings, door.credentials) as other:
        children = Path(f"/proc/{other.process.pid}/task/{other.process.pid}/children")
        os.kill(int(children.read_text()), signal.SIGKILL)
        status = other.process.wait(5)

    assert status != 0


def test_flood_of_one_caller_is_refused(door: Door, echo: EchoService) -> None:
    """A caller over its rate is told to slow down; another caller is not."""
    credentials = door.credentials
    settings = with_limits(
        settings_for(credentials, {"stylize": echo.port}),
        caller_calls_per_second=1,
        caller_calls_burst=3,
    )
    with open_door(settings, credentials) as other:
        greedy = [code(other, credentials.token(subject="greedy")) for _ in range(6)]
        modest = code(other, credentials.token(subject="modest"))

    assert greedy[:3] == [grpc.StatusCode.OK] * 3
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in greedy[3:]
    assert modest == grpc.StatusCode.OK


def test_flood_without_tokens_is_refused(door: Door, echo: EchoService) -> None:
    """A route over its rate is closed before tokens are looked at."""
    credentials = door.credentials
    settings = with_limits(
        settings_for(credentials, {"stylize": echo.port}),
        route_calls_per_second=1,
        route_calls_burst=2,
    )
    with open_door(settings, credentials) as other:
        codes = [code(other, "rubbish") for _ in range(5)]

    assert codes[:2] == [grpc.StatusCode.UNAUTHENTICATED] * 2
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes[2:]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(door: Door, version: ssl.TLSVersion) -> None:
    """A caller that offers nothing newer than TLS 1.1 gets no connection."""
    context = trusting(door)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError), dial(door, context):
        pass


def test_weak_cipher_is_refused(door: Door) -> None:
    """A caller without forward secrecy gets no connection."""
    context = trusting(door)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError), dial(door, context):
        pass


def test_admin_shows_little(door: Door) -> None:
    """Of the admin pages only those that tell state and numbers answer."""
    statuses = {
        path: door.admin("GET", path)[0]
        for path in ("/ready", "/stats?filter=nothing", "/config_dump", "/certs", "/clusters")
    }

    assert statuses == {
        "/ready": 200,
        "/stats?filter=nothing": 200,
        "/config_dump": 403,
        "/certs": 403,
        "/clusters": 403,
    }


def code(door: Door, token: str) -> grpc.StatusCode:
    """Make a call; return how it ended."""
    try:
        door.call(LIST_STYLES, token)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def trusting(door: Door) -> ssl.SSLContext:
    """Trust the development authority."""
    return ssl.create_default_context(cafile=door.credentials.certificates.authority)


def dial(door: Door, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Open a TLS connection."""
    raw = socket.create_connection(("127.0.0.1", door.settings.listen_port), timeout=5)
    return context.wrap_socket(raw, server_hostname="localhost")


def shown_serial(door: Door) -> object:
    """Read the serial number of the certificate that a new connection is shown."""
    with dial(door, trusting(door)) as connection:
        certificate = connection.getpeercert()
    return certificate["serialNumber"] if certificate else None


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
