"""Telemetry by allow-list: every name and value that may leave a service stands in this file.

Nothing else can be recorded: metrics take enumeration members only, log lines are built from a
typed record, and a device model becomes visible only once `DEVICE_MODEL_COUNT_MIN` calls of one
window share it (k-anonymity). What does not fit is dropped and counted.
"""

import json
import sys
import time
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from threading import Lock
from typing import TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DEVICE_MODEL_HEADER = "x-batchpix-device"
DEVICE_MODEL_COUNT_MIN = 20
DEVICE_WINDOW_SECONDS = 3600.0
SECONDS_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Event(StrEnum):
    """What a log line can tell."""

    STARTED = "started"
    SERVING = "serving"
    CALL_ENDED = "call_ended"
    CALL_FAULT = "call_fault"
    DRAINING = "draining"
    STOPPED = "stopped"
    GUARD_INCOMPLETE = "guard_incomplete"
    DEVICE_FALLBACK = "device_fallback"


class DeviceModel(StrEnum):
    """Coarse device models that a caller's app may name."""

    IPHONE = "iphone"
    IPAD = "ipad"
    ANDROID_PHONE = "android-phone"
    ANDROID_TABLET = "android-tablet"
    WEB = "web"
    SERVER = "server"
    OTHER = "other"


class Outcome(StrEnum):
    """How a call ended: the names of gRPC's status codes."""

    OK = "OK"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    UNAUTHENTICATED = "UNAUTHENTICATED"


class Stage(StrEnum):
    """Parts of a call whose time is measured."""

    UPLOAD = "upload"
    DECODE = "decode"
    ANALYSE = "analyse"
    RENDER = "render"
    ENCODE = "encode"
    SEND = "send"
    WIPE = "wipe"


DEVICE_MODELS = {model.value: model for model in DeviceModel}
OUTCOMES = {outcome.value: outcome for outcome in Outcome}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """The only fields that a log line can have; what is None is left out.

    Attributes:
        event: what happened.
        feature: the service that tells it.
        outcome: how a call ended.
        seconds_bucket: upper bound of a call's duration, one of SECONDS_BUCKETS.
        fault: class name of an unexpected error and the place in our code, never its text.
        engine: device and precision that the networks run on.
        missing: parts of the retention guard that are not there, or of a GPU's outfit.
    """

    event: Event
    feature: str
    outcome: Outcome | None = None
    seconds_bucket: float | None = None
    fault: str | None = None
    engine: str | None = None
    missing: str | None = None


class Telemetry:
    """Counts and logs of one service process."""

    def __init__(
        self,
        feature: str,
        *,
        stream: TextIO = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = CollectorRegistry()
        self._feature = feature
        self._stream = stream
        self._devices = DeviceWindow(self._publish_device, clock)
        self._calls = self._counter("calls", "Calls that ended.", ["outcome"])
        self._device_calls = self._counter("device_calls", "Calls by device model.", ["device"])
        self._dropped = self._counter("telemetry_dropped", "Values off the allow-list.", ["kind"])
        self._wiped = self._counter("wiped_bytes", "Bytes of call memory overwritten.", [])
        self._stages = self._histogram("stage_seconds", "Time of a stage of a call.", ["stage"])
        self._seconds = self._histogram("call_seconds", "Time of a whole call.", [])
        self._first = self._histogram("first_result_seconds", "Time to the first result.", [])
        self.in_flight = self._gauge("calls_in_flight", "Calls let in and not ended.")
        self.leased_bytes = self._gauge("leased_bytes", "Call memory leased now.")
        self.guard_complete = self._gauge("guard_complete", "1 if the whole guard holds.")
        self._engine = Gauge(
            "batchpix_engine",
            "1 for what the networks run on.",
            ["engine"],
            registry=self.registry,
        )

    def started(self, engine: str) -> None:
        """Tell that the service is loaded, and the device and precision of its networks."""
        self._engine.labels(engine).set(1)
        self.log(LogLine(event=Event.STARTED, feature=self._feature, engine=engine))

    def call_ended(self, outcome: str, seconds: float) -> None:
        """Record the end of a call, refused ones included."""
        known = self._outcome(outcome)
        self._calls.labels(known.value).inc()
        self._seconds.observe(seconds)
        bucket = next((limit for limit in SECONDS_BUCKETS if seconds <= limit), float("inf"))
        self.log(
            LogLine(
                event=Event.CALL_ENDED,
                feature=self._feature,
                outcome=known,
                seconds_bucket=bucket,
            )
        )

    def wiped(self, size_bytes: int) -> None:
        """Record that call memory was overwritten."""
        self._wiped.inc(size_bytes)

    def stage(self, stage: Stage, seconds: float) -> None:
        """Record the time of one stage."""
        self._stages.labels(stage.value).observe(seconds)

    def first_result(self, seconds: float) -> None:
        """Record the time from acceptance to the first result's first byte."""
        self._first.observe(seconds)

    def device(self, header: str | None) -> None:
        """Count the device model that a caller's app named; anything unknown is `other`."""
        model = DEVICE_MODELS.get(header or "")
        if header and model is None:
            self._dropped.labels("device_model").inc()
        self._devices.count(model or DeviceModel.OTHER)

    def fault(self, error: BaseException, place: str) -> None:
        """Record an unexpected error by its class and place; its text may hold caller data."""
        fault = f"{type(error).__name__} {place}"
        self.log(LogLine(event=Event.CALL_FAULT, feature=self._feature, fault=fault))

    def log(self, line: LogLine) -> None:
        """Write one JSON line."""
        values = {key: value for key, value in asdict(line).items() if value is not None}
        self._stream.write(json.dumps({"time": int(time.time()), **values}) + "\n")
        self._stream.flush()

    def _outcome(self, name: str) -> Outcome:
        outcome = OUTCOMES.get(name)
        if outcome is None:
            self._dropped.labels("outcome").inc()
            return Outcome.UNKNOWN
        return outcome

    def _publish_device(self, model: DeviceModel, calls: int) -> None:
        self._device_calls.labels(model.value).inc(calls)

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"batchpix_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, labels: list[str]) -> Histogram:
        return Histogram(
            f"batchpix_{name}", text, labels, registry=self.registry, buckets=SECONDS_BUCKETS
        )

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"batchpix_{name}", text, registry=self.registry)


class DeviceWindow:
    """Counts device models in windows and publishes only what enough calls share."""

    def __init__(
        self, publish: Callable[[DeviceModel, int], None], clock: Callable[[], float]
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._started = clock()
        self._tally: Tally[DeviceModel] = Tally()
        self._lock = Lock()

    def count(self, model: DeviceModel) -> None:
        """Add one call; the first call after a window's end publishes that window."""
        with self._lock:
            if self._clock() - self._started >= DEVICE_WINDOW_SECONDS:
                self._close()
            self._tally[model] += 1

    def _close(self) -> None:
        rare = 0
        for model, calls in self._tally.items():
            if calls < DEVICE_MODEL_COUNT_MIN or model is DeviceModel.OTHER:
                rare += calls
            else:
                self._publish(model, calls)
        if rare:
            self._publish(DeviceModel.OTHER, rare)
        self._tally.clear()
        self._started = self._clock()
