"""What services and gateway tell: log lines and metrics, held to the list of what they may."""

import json
import re
import urllib.request
from collections.abc import Iterable, Mapping

from gateway.settings import DEVICE_MODELS

FETCH_SECONDS_MAX = 5.0
SERVICE_LOG_FIELDS = frozenset(
    {"time", "event", "feature", "outcome", "seconds_bucket", "fault", "engine", "missing"}
)
GATEWAY_LOG_FIELDS = frozenset(
    {"minute", "route", "grpc_status", "http_status", "flags", "duration_ms"}
)
METRIC = re.compile(r"(batchpix_[a-z_]+)(?:\{(.*)\})? \S+")
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
CODE = r"[A-Z_]+"
# Label names, and what their values look like; anything else should not be there.
LABELS: Mapping[str, str] = {
    "outcome": CODE,
    "stage": r"[a-z]+",
    "device": "|".join(DEVICE_MODELS),
    "kind": r"[a-z_]+",
    "engine": r"cpu openvino (f32|bf16) \d+ threads|cuda tensorrt [\w .-]+",
    "le": r"[0-9.]+|\+Inf",
}


def surprising_log_lines(name: str, lines: Iterable[str]) -> list[str]:
    """List log lines that are not on the list, cut short; empty is what it should be.

    The gateway's program writes lines of its own, which are no records; they are looked through
    for canaries like everything else.
    """
    surprising = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if name == "gateway":
            if isinstance(record, dict) and record.keys() - GATEWAY_LOG_FIELDS:
                surprising.append(line[:120])
        elif not isinstance(record, dict) or record.keys() - SERVICE_LOG_FIELDS:
            surprising.append(line[:120])
    return surprising


def surprising_metrics(page: str) -> list[str]:
    """List metrics and labels that are not on the list; empty is what it should be."""
    surprising = []
    for line in page.splitlines():
        if not line or line.startswith("#"):
            continue
        match = METRIC.fullmatch(line)
        labels = LABEL.findall(match[2] or "") if match else [("", "")]
        if not all(name in LABELS and re.fullmatch(LABELS[name], value) for name, value in labels):
            surprising.append(line[:120])
    return surprising


def reading(page: str, name: str) -> float:
    """Read one number off a page of metrics; 0 if it is not there."""
    lines = (line for line in page.splitlines() if line.startswith(name))
    return float(next(lines, "0").rpartition(" ")[2])


def fetch(address: str, path: str) -> str:
    """Fetch a page of a local service."""
    with urllib.request.urlopen(f"http://{address}/{path}", timeout=FETCH_SECONDS_MAX) as answer:
        text: str = answer.read().decode()
        return text
