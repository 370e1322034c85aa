"""Telemetry: nothing off the allow-list leaves, and rare device models stay hidden."""

import io
import json

from prometheus_client import generate_latest

from services.chassis.telemetry import (
    DEVICE_MODEL_COUNT_MIN,
    DEVICE_WINDOW_SECONDS,
    Stage,
    Telemetry,
)

CANARY = "canary-5f1d"


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def page(telemetry: Telemetry) -> str:
    """Render the metrics as Prometheus reads them."""
    return generate_latest(telemetry.registry).decode()


def test_unknown_values_are_dropped_and_counted() -> None:
    """A value that a caller controls can reach neither the metrics nor the log."""
    stream, clock = io.StringIO(), Clock()
    telemetry = Telemetry("stylize", stream=stream, clock=clock)
    telemetry.device(CANARY)
    telemetry.call_ended(CANARY, 0.2)
    telemetry.fault(ValueError(CANARY), "pipeline.py:1")
    clock.now = DEVICE_WINDOW_SECONDS
    telemetry.device(None)

    assert CANARY not in page(telemetry)
    assert CANARY not in stream.getvalue()
    assert 'batchpix_telemetry_dropped_total{kind="device_model"} 1.0' in page(telemetry)
    assert 'batchpix_telemetry_dropped_total{kind="outcome"} 1.0' in page(telemetry)
    assert 'batchpix_calls_total{outcome="UNKNOWN"} 1.0' in page(telemetry)


def test_device_models_are_told_only_when_enough_calls_share_one() -> None:
    """A window publishes a model at the threshold and folds a rarer one into `other`."""
    clock = Clock()
    telemetry = Telemetry("stylize", stream=io.StringIO(), clock=clock)
    for _ in range(DEVICE_MODEL_COUNT_MIN):
        telemetry.device("iphone")
    for _ in range(DEVICE_MODEL_COUNT_MIN - 1):
        telemetry.device("ipad")
    before = page(telemetry)
    clock.now = DEVICE_WINDOW_SECONDS
    telemetry.device("web")

    assert "iphone" not in before
    assert f'device="iphone"}} {DEVICE_MODEL_COUNT_MIN}.0' in page(telemetry)
    assert f'device="other"}} {DEVICE_MODEL_COUNT_MIN - 1}.0' in page(telemetry)
    assert "ipad" not in page(telemetry)


def test_log_lines_are_json_of_buckets() -> None:
    """A call's duration is told as a bucket's bound, never as itself."""
    stream = io.StringIO()
    Telemetry("stylize", stream=stream, clock=Clock()).call_ended("OK", 0.0731)
    line = json.loads(stream.getvalue())

    assert line.pop("time") > 0
    assert line == {
        "event": "call_ended",
        "feature": "stylize",
        "outcome": "OK",
        "seconds_bucket": 0.1,
    }


def test_stages_are_measured() -> None:
    """Each stage has its own histogram."""
    telemetry = Telemetry("stylize", stream=io.StringIO(), clock=Clock())
    telemetry.stage(Stage.DECODE, 0.004)

    assert 'batchpix_stage_seconds_bucket{le="0.01",stage="decode"} 1.0' in page(telemetry)


def test_what_the_networks_run_on_is_told_at_the_start() -> None:
    """The start line and the metrics page name device and precision."""
    stream = io.StringIO()
    telemetry = Telemetry("stylize", stream=stream, clock=Clock())
    telemetry.started("cpu openvino bf16 2 threads")

    line = json.loads(stream.getvalue())
    assert (line["event"], line["engine"]) == ("started", "cpu openvino bf16 2 threads")
    assert 'batchpix_engine{engine="cpu openvino bf16 2 threads"} 1.0' in page(telemetry)
