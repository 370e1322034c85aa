"""The list of what services may tell."""

import json

import pytest

from batchpix_client.audit.telemetry import reading, surprising_log_lines, surprising_metrics

GOOD_LINE = json.dumps({"time": 1, "event": "call_ended", "feature": "stylize", "outcome": "OK"})


def test_listed_lines_are_no_surprise() -> None:
    """Shows that what services and gateway write is on the list."""
    gateway = json.dumps({"minute": "2026-11-23T18:00Z", "route": "stylize", "flags": "-"})

    assert surprising_log_lines("stylize", [GOOD_LINE]) == []
    assert surprising_log_lines("gateway", [gateway, "draining"]) == []


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"event": "call_ended", "peer": "10.0.0.1"}),
        json.dumps(["call_ended"]),
        "Traceback (most recent call last):",
    ],
)
def test_other_lines_are(line: str) -> None:
    """Shows that a field that is not listed, and a line that is no record, are told."""
    assert surprising_log_lines("stylize", [GOOD_LINE, line]) == [line]


def test_listed_metrics_are_no_surprise() -> None:
    """Shows what a page of metrics may hold."""
    page = (
        "# HELP batchpix_calls_total Calls that ended.\n"
        'batchpix_calls_total{outcome="OK"} 3.0\n'
        'batchpix_stage_seconds_bucket{le="0.01",stage="decode"} 2.0\n'
        "batchpix_leased_bytes 4096.0\n"
        'batchpix_engine{engine="cpu openvino bf16 2 threads"} 1.0\n'
    )

    assert surprising_metrics(page) == []
    assert reading(page, "batchpix_leased_bytes ") == 4096


@pytest.mark.parametrize(
    "line",
    [
        'batchpix_calls_total{caller="mobile"} 1.0',
        'batchpix_device_calls_total{device="Pixel 9 of Ann"} 1.0',
        'batchpix_engine{engine="of Ann"} 1.0',
        "python_info 1.0",
    ],
)
def test_other_metrics_are(line: str) -> None:
    """Shows that a label, a value and a metric that are not listed are told."""
    assert surprising_metrics(line) == [line]
