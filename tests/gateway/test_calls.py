"""What passes through a running gateway, and what is turned away."""

import queue
import time
from datetime import UTC, datetime

import grpc
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.certs import new_authority
from tests.gateway.door import (
    GET_POLICY,
    LIST_STYLES,
    Door,
    open_door,
    settings_for,
    stylize,
    unary,
)
from tests.gateway.echo import EchoProcess, EchoService


def test_valid_token_reaches_the_service(door: Door) -> None:
    """A token with the feature's scope is let through."""
    assert LIST_STYLES.encode() == door.call(LIST_STYLES, door.credentials.token())


def test_policy_needs_a_token_but_no_scope(door: Door) -> None:
    """Any valid token may read the policy, also while one of the services is down."""
    assert GET_POLICY.encode() == door.call(GET_POLICY, door.credentials.token("dance"))


@pytest.mark.parametrize(
    "method",
    [
        "/batchpix.stylize.v2.StylizeService/Stylize",
        "/batchpix.dance.v1.DanceService/Dance",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/batchpix.stylize.v1.StylizeService/../../grpc.health.v1.Health/Check",
    ],
)
def test_unknown_method_is_unimplemented(door: Door, method: str) -> None:
    """What has no route, a service's health and reflection included, does not exist outside."""
    refusal = door.refusal(method, door.credentials.token())

    assert refusal == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_UNKNOWN")


def test_service_that_is_down_is_unavailable(door: Door) -> None:
    """Callers of a service that can't be reached are told so, and when to come back."""
    token = door.credentials.token("video")
    with pytest.raises(grpc.RpcError) as caught:
        door.call("/batchpix.video.v1.VideoService/Animate", token)
    retry = error_details_pb2.RetryInfo()
    rpc_status.from_call(caught.value).details[1].Unpack(retry)

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert retry.retry_delay.seconds == 1


def test_service_with_another_identity_is_unavailable(door: Door) -> None:
    """A server whose certificate names another service gets no call."""
    credentials = door.credentials
    with EchoService(credentials.certificates.services["video"]) as impostor:
        settings = settings_for(credentials, {"stylize": impostor.port})
        with open_door(settings, credentials) as other:
            code, _ = other.refusal(LIST_STYLES, credentials.token())

    assert code == grpc.StatusCode.UNAVAILABLE
    assert impostor.handler.seen == []


def test_plaintext_caller_is_refused(door: Door) -> None:
    """A caller without TLS gets nowhere."""
    with grpc.insecure_channel(door.address) as channel, pytest.raises(grpc.RpcError) as caught:
        unary(channel, LIST_STYLES)(b"", timeout=5)

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_caller_with_another_authority_refuses(door: Door) -> None:
    """A caller that trusts someone else does not talk to this gateway."""
    stranger = new_authority(datetime.now(UTC)).certificate.public_bytes(Encoding.PEM)
    with door.channel(stranger) as channel, pytest.raises(grpc.RpcError) as caught:
        unary(channel, LIST_STYLES)(b"", timeout=5)

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_stream_is_not_buffered(door: Door) -> None:
    """The first message comes back before the second is sent."""
    outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with door.channel() as channel:
        call = stylize(channel, iter(outbox.get, None), door.credentials.token())
        outbox.put(b"first")
        first = next(call)
        outbox.put(b"second")
        second = next(call)
        outbox.put(None)
        rest = list(call)

    assert (first, second, rest) == (b"first", b"second", [])


def test_large_messages_pass(door: Door) -> None:
    """Chunks of 1 MiB, more in all than any window or buffer, come back whole."""
    chunks = [bytes([number]) * (1 << 20) for number in range(24)]
    with door.channel() as channel:
        replies = list(stylize(channel, iter(chunks), door.credentials.token()))

    assert chunks == replies


def test_service_that_dies_ends_its_calls_at_once(door: Door) -> None:
    """A running call ends with its service, and the next one is told to come back.

    Once an answer has begun Envoy can only reset the stream, which gRPC reads as INTERNAL.
    """
    credentials = door.credentials
    outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with EchoProcess(credentials.certificates.services["stylize"]) as service:
        settings = settings_for(credentials, {"stylize": service.port})
        with open_door(settings, credentials) as other, other.channel() as channel:
            call = stylize(channel, iter(outbox.get, None), credentials.token())
            outbox.put(b"first")
            next(call)
            service.kill()
            with pytest.raises(grpc.RpcError) as caught:
                next(call)
            outbox.put(None)
            killed = time.monotonic()
            refusal = other.refusal(LIST_STYLES, credentials.token())
            seconds = time.monotonic() - killed

    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert "RST_STREAM" in str(caught.value.details())
    assert refusal == (grpc.StatusCode.UNAVAILABLE, "SERVICE_UNREACHABLE")
    assert seconds < 1
