"""What of a call's headers passes, what is dropped, and what the gateway writes of them."""

import grpc
import pytest

from gateway.settings import DEVICE_MODELS
from services.chassis.telemetry import DeviceModel
from tests.gateway.door import LIST_STYLES, STYLIZE, Door, bearer, open_door, settings_for
from tests.gateway.echo import EchoService

WEB = {"content-type": "application/grpc-web+proto", "origin": "https://app.example"}


def test_token_and_identity_end_at_the_gateway(door: Door, echo: EchoService) -> None:
    """Headers that tell who calls, or where from, do not reach the service."""
    private = {
        "cookie": "a=b",
        "from": "someone@app.example",
        "referer": "https://app.example/someone",
        "traceparent": "00-1-2-03",
        "x-envoy-max-retries": "5",
        "x-forwarded-for": "192.0.2.1",
        "x-request-id": "one",
    }
    door.call(LIST_STYLES, door.credentials.token(), tuple(private.items()))
    arrived = echo.handler.seen[-1].keys()

    assert set() == arrived & {*private, "authorization", "user-agent"}
    assert [name for name in arrived if name.startswith("x-")] == []


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        ("ipad", "ipad"),
        ("other", "other"),
        ("ipad-of-someone", None),
        ("ipad,web", None),
        ("", None),
        ("\xffsomeone", None),
        ("ipad\xff", None),
    ],
)
def test_device_is_one_of_a_few(
    door: Door, echo: EchoService, sent: str, arrived: str | None
) -> None:
    """Only a listed device model reaches the service."""
    # As a web page: gRPC's own callers can't send what is no ASCII.
    headers = {**WEB, "authorization": f"Bearer {door.credentials.token()}"}
    page = door.browse("POST", LIST_STYLES, {**headers, "x-batchpix-device": sent}, bytes(5))

    assert LIST_STYLES.encode() in page.body
    assert arrived == echo.handler.seen[-1].get("x-batchpix-device")


def test_device_models_are_those_that_services_count() -> None:
    """Gateway and services agree on the device models."""
    assert set(DEVICE_MODELS) == {model.value for model in DeviceModel}


def test_calls_of_one_token_share_a_lane(door: Door, echo: EchoService) -> None:
    """A service is told a letter of the token's signature, which no caller can choose."""
    credentials = door.credentials
    tokens = [credentials.token(subject=f"caller-{number}") for number in range(6)]
    chosen = (("x-batchpix-lane", "A"), ("x-batchpix-lane", "someone"))
    lanes = []
    for token in [*tokens, *tokens]:
        with door.channel() as channel:
            method = channel.stream_stream(STYLIZE)
            list(method(iter([b"x"]), metadata=(*bearer(token), *chosen), timeout=10))
        lanes.append(echo.handler.seen[-1]["x-batchpix-lane"])

    assert lanes == [token.rpartition(".")[2][20] for token in [*tokens, *tokens]]
    assert len(set(lanes)) > 1


@pytest.mark.parametrize("scheme", ["Bearer ", "xBearer ", "\xffBearer ", "Bearer  "])
def test_a_token_has_its_lane_however_it_is_written(
    door: Door, echo: EchoService, scheme: str
) -> None:
    """No spelling of the header that opens the door hides the lane, and none shows the token."""
    token = door.credentials.token()
    page = door.browse("POST", STYLIZE, {**WEB, "authorization": f"{scheme}{token}"}, bytes(5))

    if page.status == 200 and b"grpc-status:0" in page.body.replace(b" ", b""):
        assert echo.handler.seen[-1]["x-batchpix-lane"] == token.rpartition(".")[2][20]
    else:
        assert scheme != "Bearer "


def test_underscore_in_a_name_is_refused(door: Door) -> None:
    """A header that a service could mistake for another does not pass."""
    with pytest.raises(grpc.RpcError):
        door.call(LIST_STYLES, door.credentials.token(), (("x_forwarded_for", "192.0.2.1"),))


def test_answer_tells_nothing_of_the_inside(door: Door) -> None:
    """Neither server software nor upstream times stand in an answer."""
    page = door.browse("GET", "/", {})

    assert page.status == 404
    assert {"content-length", "content-type", "date", "grpc-status-details-bin"} >= set(
        page.headers
    )


def test_logs_hold_nothing_of_the_caller(door: Door, echo: EchoService) -> None:
    """No part of path, header, address or token of any call stands in what the gateway writes."""
    canary = "canary7f3a9c"
    credentials = door.credentials
    token = credentials.token(subject=canary)
    settings = settings_for(credentials, {"stylize": echo.port})
    with open_door(settings, credentials) as other:
        metadata = (("x-thing", canary), ("x-batchpix-device", canary), ("thing", canary))
        other.call(LIST_STYLES, token, metadata)
        other.refusal(f"/batchpix.{canary}/Method", token)
        other.refusal(LIST_STYLES, canary)
    written = other.log.read_text()

    assert written.count('"route":') == 3
    assert '"route":"stylize_list"' in written
    assert [word for word in (canary, token[:40], "127.0.0.1", "::1") if word in written] == []


def test_web_page_may_call_from_a_named_origin(door: Door) -> None:
    """A preflight from a named origin is answered, one from elsewhere is not."""
    asked = {"access-control-request-method": "POST"}
    name = "access-control-allow-origin"
    named = door.browse("OPTIONS", LIST_STYLES, {"origin": "https://app.example", **asked})
    other = door.browse("OPTIONS", LIST_STYLES, {"origin": "https://evil.example", **asked})

    assert named.headers.get(name) == "https://app.example"
    assert name not in other.headers


def test_grpc_web_is_translated(door: Door) -> None:
    """A gRPC-Web call over HTTP/1.1 reaches the service; its status comes back in the body."""
    headers = {
        "authorization": f"Bearer {door.credentials.token()}",
        "content-type": "application/grpc-web+proto",
        "origin": "https://app.example",
    }
    page = door.browse("POST", LIST_STYLES, headers, bytes(5))

    assert page.status == 200
    assert LIST_STYLES.encode() in page.body
    assert b"grpc-status:0" in page.body.replace(b" ", b"")
