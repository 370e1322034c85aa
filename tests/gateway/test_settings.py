"""Settings read from the environment, and written back."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings, SettingError, Upstream, from_mapping, to_mapping

VALID = {
    "BATCHPIX_GATEWAY_UPSTREAMS": "stylize=localhost:50051,video=[::1]:50052",
    "BATCHPIX_GATEWAY_CERTIFICATE_FOLDER": "/a",
    "BATCHPIX_GATEWAY_CLIENT_CERTIFICATE_FOLDER": "/b",
    "BATCHPIX_GATEWAY_WATCHED_FOLDER": "/c",
    "BATCHPIX_GATEWAY_KEY_SET_FILE": "/d",
}


def test_environment_is_read() -> None:
    """Features, places and limits come from variables; what else is there is ignored."""
    extra = {"BATCHPIX_GATEWAY_CALLS_MAX": "7", "BATCHPIX_OTHER": "x", "HOME": "/"}
    settings = from_mapping({**VALID, **extra})

    assert settings.upstreams == {
        "stylize": Upstream(host="localhost", port=50051),
        "video": Upstream(host="::1", port=50052),
    }
    assert settings.key_set_file == Path("/d")
    assert settings.limits.calls_max == 7


def test_replicas_without_a_common_name_are_listed() -> None:
    """Several hosts of one feature share its port, and survive the way back."""
    text = "stylize=10.0.0.1+10.0.0.2+[::1]:50051"
    settings = from_mapping({**VALID, "BATCHPIX_GATEWAY_UPSTREAMS": text})

    expected = Upstream(host="10.0.0.1", port=50051, more_hosts=("10.0.0.2", "::1"))
    assert settings.upstreams == {"stylize": expected}
    assert from_mapping(to_mapping(settings)) == settings


def test_written_settings_are_read_back() -> None:
    """Every field survives the way through an environment."""
    settings = replace(
        from_mapping({**VALID, "BATCHPIX_GATEWAY_UPSTREAMS": "dance=dance.example:1"}),
        listen_port=1,
        server_names=("a.example", "b.example"),
        web_origins=("https://app.example",),
        drain_seconds=3,
    )

    assert from_mapping(to_mapping(settings)) == settings


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"BATCHPIX_GATEWAY_LISTEN_POTR": "1"}, "BATCHPIX_GATEWAY_LISTEN_POTR"),
        ({"BATCHPIX_GATEWAY_LISTEN_PORT": "eight"}, "BATCHPIX_GATEWAY_LISTEN_PORT"),
        ({"BATCHPIX_GATEWAY_LISTEN_PORT": "70000"}, "BATCHPIX_GATEWAY_LISTEN_PORT"),
        ({"BATCHPIX_GATEWAY_CALLS_MAX": "0"}, "BATCHPIX_GATEWAY_CALLS_MAX"),
        ({"BATCHPIX_GATEWAY_UPSTREAMS": "stylize"}, "BATCHPIX_GATEWAY_UPSTREAMS"),
        ({"BATCHPIX_GATEWAY_UPSTREAMS": "paint=localhost:1"}, "paint"),
        ({"BATCHPIX_GATEWAY_UPSTREAMS": ""}, "BATCHPIX_GATEWAY_UPSTREAMS"),
        ({"BATCHPIX_GATEWAY_SERVER_NAMES": "*"}, "BATCHPIX_GATEWAY_SERVER_NAMES"),
        ({"BATCHPIX_GATEWAY_WEB_ORIGINS": "*"}, "BATCHPIX_GATEWAY_WEB_ORIGINS"),
    ],
)
def test_wrong_variable_is_named(changes: dict[str, str], named: str) -> None:
    """A variable that is unknown, unreadable or out of range is refused by name."""
    with pytest.raises(SettingError, match=named):
        from_mapping({**VALID, **changes})


def test_missing_variable_is_named() -> None:
    """Every required variable that is missing is listed."""
    with pytest.raises(SettingError, match=r"CERTIFICATE_FOLDER.*KEY_SET_FILE.*UPSTREAMS"):
        from_mapping({})


def test_memory_of_windows_fits_the_heap() -> None:
    """As many connections as are admitted, each with its window full, stay within the heap."""
    limits = GatewaySettings(
        upstreams={"stylize": Upstream(host="a", port=1)},
        certificate_folder=Path(),
        client_certificate_folder=Path(),
        watched_folder=Path(),
        key_set_file=Path(),
    ).limits
    per_connection = limits.connection_window_bytes + limits.buffer_bytes_max

    assert limits.connections_max * per_connection < limits.heap_bytes_max
