"""Rules on what Envoy writes down: access logs and traces."""

import re
from collections.abc import Iterator

from gateway.lint.document import Scalar
from gateway.lint.edge import EXTENSIONS, MANAGER
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

ACCESS_LOG = "envoy.config.accesslog.v3.AccessLog"
LOGGERS = f"{EXTENSIONS}.access_loggers"
STREAMS = (f"{LOGGERS}.stream.v3.StdoutAccessLog", f"{LOGGERS}.stream.v3.StderrAccessLog")
FILE = f"{LOGGERS}.file.v3.FileAccessLog"
STREAM_PATHS = ("/dev/stdout", "/dev/stderr")

# Operators that tell how a call went, and nothing of who made it.
OPERATORS = {
    "DURATION",
    "GRPC_STATUS",
    "GRPC_STATUS_NUMBER",
    "PROTOCOL",
    "RESPONSE_CODE",
    "RESPONSE_FLAGS",
    "RESPONSE_FLAGS_LONG",
    "ROUTE_NAME",
    "START_TIME",
    "UPSTREAM_CLUSTER",
    "UPSTREAM_CLUSTER_RAW",
}
_OPERATOR = re.compile(r"%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::\d+)?%")
# What in a time format is finer than a minute: seconds, fractions, and shorthands with seconds.
_SECONDS = re.compile(r"%[\dEO]*[sSfTcrX]|%\d")


def check_access_logs(reading: Reading) -> Iterator[Problem]:
    """E23: access logs go to the console and hold listed operators only."""
    for log in reading.bootstrap.within(ACCESS_LOG):
        config = log.message("typed_config")
        if config is None:
            continue
        if config.type not in (*STREAMS, FILE):
            yield Problem(position=log.position, message="the log leaves this machine")
            continue
        if config.type == FILE and config.text("path") not in STREAM_PATHS:
            yield Problem(position=config.place("path"), message="the log is written to a file")
        formats = list(_formats(config))
        if not formats:
            message = "the default format holds address, path and user agent"
            yield Problem(position=config.position, message=message)
        for scalar in formats:
            yield from _check_format(scalar)


def _formats(config: Message) -> Iterator[Scalar]:
    """Find every text in which operators may stand."""
    for message in config.walk():
        for name, value in message.fields.items():
            is_format = message is not config or name in ("format", "json_format")
            if is_format and isinstance(value, Scalar) and isinstance(value.value, str):
                yield value


def _check_format(scalar: Scalar) -> Iterator[Problem]:
    for operator, argument in _OPERATOR.findall(str(scalar.value)):
        if operator not in OPERATORS:
            message = f"%{operator}% is not on the list of harmless operators"
            yield Problem(position=scalar.position, message=message)
        elif operator == "START_TIME" and (not argument or _SECONDS.search(argument)):
            message = "START_TIME is finer than a minute"
            yield Problem(position=scalar.position, message=message)


def check_traces(reading: Reading) -> Iterator[Problem]:
    """E24: traces can't be tied to a caller."""
    for manager in reading.bootstrap.within(MANAGER):
        yield from _check_identifiers(manager)
        tracing = manager.message("tracing")
        if tracing is None:
            continue
        if tracing.number("random_sampling.value") is None:
            message = "random_sampling is not set: every call is traced"
            yield Problem(position=tracing.position, message=message)
        for tag in tracing.messages("custom_tags"):
            if tag.get("request_header"):
                message = "a request header becomes a tag of the trace"
                yield Problem(position=tag.position, message=message)


def _check_identifiers(manager: Message) -> Iterator[Problem]:
    for name in ("preserve_external_request_id", "always_set_request_id_in_response"):
        if manager.truth(name):
            message = f"{name} lets a call be followed from outside"
            yield Problem(position=manager.place(name), message=message)
    if manager.get("generate_request_id") is None:
        message = "generate_request_id is not decided; the default makes an id per call"
        yield Problem(position=manager.position, message=message)


RULES = (
    Rule(
        id="E23",
        title="Access logs hold nothing of the caller",
        severity=Severity.ERROR,
        why="Addresses, paths, identities and exact times lead back to a person.",
        mend="Log to stdout with a format of " + ", ".join(sorted(OPERATORS)) + "; START_TIME "
        "to the minute.",
        check=check_access_logs,
    ),
    Rule(
        id="E24",
        title="Traces can't be tied to a caller",
        severity=Severity.WARNING,
        why="Request headers and ids kept from outside join a trace to a person.",
        mend="Set random_sampling and generate_request_id, remove request_header tags and "
        "preserve_external_request_id.",
        check=check_traces,
    ),
)
