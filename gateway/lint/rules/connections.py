"""Rules on connections from outside: the HTTP connection manager and its limits."""

from collections.abc import Iterator

from gateway.lint.edge import (
    DOWNSTREAM_TLS,
    FILTER_CHAIN,
    GRPC_WEB,
    MANAGER,
    chains,
    edge_listeners,
    edge_managers,
)
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

STREAMS_MAX = 100
WINDOW_BYTES_MAX = 1 << 20
CONNECTION_WINDOW_BYTES_MAX = 16 << 20
HEADER_KIBIBYTES_MAX = 32

FLOOD_LIMITS = (
    "max_outbound_frames",
    "max_outbound_control_frames",
    "max_consecutive_inbound_frames_with_empty_payload",
)


def missing(message: Message, path: str, said: str = "") -> Iterator[Problem]:
    """Report a field that is not set."""
    if message.get(path) is None:
        yield Problem(position=message.place(path), message=said or f"{path} is not set")


def check_remote_address(reading: Reading) -> Iterator[Problem]:
    """E06: who calls is told by the connection, not by the caller."""
    for manager in edge_managers(reading.bootstrap):
        if not manager.truth("use_remote_address"):
            place = manager.place("use_remote_address")
            yield Problem(position=place, message="use_remote_address must be true")
        yield from missing(manager, "xff_num_trusted_hops")
        yield from missing(manager, "skip_xff_append")


def check_protocols(reading: Reading) -> Iterator[Problem]:
    """E07: the codec and the protocols offered agree."""
    for manager in edge_managers(reading.bootstrap):
        codec = manager.text("codec_type") or "AUTO"
        if codec == "HTTP1":
            message = "gRPC needs HTTP/2, codec_type is HTTP1"
            yield Problem(position=manager.place("codec_type"), message=message)
        chain = manager.around(FILTER_CHAIN)
        has_web = any(True for _ in manager.within(GRPC_WEB))
        # HTTP/3 is offered by its transport itself.
        for context in chain.within(DOWNSTREAM_TLS) if chain and codec != "HTTP3" else ():
            offered = context.texts("common_tls_context.alpn_protocols")
            place = context.place("common_tls_context")
            if "h2" not in offered:
                yield Problem(position=place, message="alpn_protocols does not offer h2")
            if "http/1.1" in offered and (codec == "HTTP2" or not has_web):
                message = "http/1.1 is offered, but nothing here needs it"
                yield Problem(position=place, message=message)


def check_http2(reading: Reading) -> Iterator[Problem]:
    """E08: bounded streams, windows and frames."""
    for manager in edge_managers(reading.bootstrap):
        if manager.text("codec_type") == "HTTP3":
            yield from _check_http3(manager)
            continue
        options = manager.message("http2_protocol_options")
        if options is None:
            message = "http2_protocol_options is not set"
            yield Problem(position=manager.position, message=message)
            continue
        yield from _bounded(options)
        for name in FLOOD_LIMITS:
            yield from missing(options, name)
        for name in ("interval", "timeout"):
            yield from missing(options, f"connection_keepalive.{name}")
        for name in (
            "override_stream_error_on_invalid_http_message",
            "allow_connect",
            "allow_metadata",
        ):
            if options.truth(name):
                message = f"{name} must not be true at the edge"
                yield Problem(position=options.place(name), message=message)


def _check_http3(manager: Message) -> Iterator[Problem]:
    """Hold streams and windows of a manager that speaks HTTP/3 alone to the same bounds."""
    options = manager.message("http3_protocol_options.quic_protocol_options")
    if options is None:
        message = "http3_protocol_options.quic_protocol_options is not set"
        yield Problem(position=manager.position, message=message)
        return
    yield from _bounded(options)


def _bounded(options: Message) -> Iterator[Problem]:
    """Hold what HTTP/2 and HTTP/3 name alike to its bounds."""
    yield from _at_most(options, "max_concurrent_streams", STREAMS_MAX)
    yield from _at_most(options, "initial_stream_window_size", WINDOW_BYTES_MAX)
    yield from _at_most(options, "initial_connection_window_size", CONNECTION_WINDOW_BYTES_MAX)


def check_http(reading: Reading) -> Iterator[Problem]:
    """E09: bounded connections and headers."""
    for manager in edge_managers(reading.bootstrap):
        yield from _at_most(manager, "max_request_headers_kb", HEADER_KIBIBYTES_MAX)
        common = "common_http_protocol_options"
        for name in (
            "idle_timeout",
            "max_connection_duration",
            "max_headers_count",
            "max_requests_per_connection",
        ):
            if not (manager.number(f"{common}.{name}") or 0) > 0:
                message = f"{name} must be set and more than 0"
                yield Problem(position=manager.place(f"{common}.{name}"), message=message)
        action = f"{common}.headers_with_underscores_action"
        if manager.text(action) != "REJECT_REQUEST":
            message = "headers_with_underscores_action must be REJECT_REQUEST"
            yield Problem(position=manager.place(action), message=message)


def check_paths(reading: Reading) -> Iterator[Problem]:
    """E10: one path has one spelling."""
    for manager in edge_managers(reading.bootstrap):
        for name in ("normalize_path", "merge_slashes"):
            if not manager.truth(name):
                yield Problem(position=manager.place(name), message=f"{name} must be true")
        name = "path_with_escaped_slashes_action"
        if manager.text(name) != "REJECT_REQUEST":
            yield Problem(position=manager.place(name), message=f"{name} must be REJECT_REQUEST")


def check_timeouts(reading: Reading) -> Iterator[Problem]:
    """E11: nobody may take for ever to begin or to end."""
    for listener in edge_listeners(reading.bootstrap):
        for chain in chains(listener):
            if any(True for _ in chain.within(DOWNSTREAM_TLS)):
                yield from _positive(chain, "transport_socket_connect_timeout")
        for manager in listener.within(MANAGER):
            yield from _positive(manager, "request_headers_timeout")
            yield from _positive(manager, "request_timeout")
            yield from missing(manager, "stream_idle_timeout")
            yield from _positive(manager, "stream_flush_timeout")
            if manager.number("delayed_close_timeout") == 0:
                message = "delayed_close_timeout must not be 0"
                yield Problem(position=manager.place("delayed_close_timeout"), message=message)


def _positive(message: Message, name: str) -> Iterator[Problem]:
    if not (message.number(name) or 0) > 0:
        said = f"{name} must be set and more than 0"
        yield Problem(position=message.place(name), message=said)


def _at_most(message: Message, name: str, limit: int) -> Iterator[Problem]:
    value = message.number(name)
    if value is None:
        yield Problem(position=message.position, message=f"{name} is not set")
    elif not 0 < value <= limit:
        yield Problem(position=message.place(name), message=f"{name} must be 1 to {limit}")


RULES = (
    Rule(
        id="E06",
        title="The caller's address comes from the connection",
        severity=Severity.ERROR,
        why="Otherwise a caller writes its own address, and x-envoy-* headers of a stranger are "
        "obeyed.",
        mend="Set use_remote_address: true, xff_num_trusted_hops and skip_xff_append.",
        check=check_remote_address,
    ),
    Rule(
        id="E07",
        title="Codec and offered protocols agree",
        severity=Severity.ERROR,
        why="gRPC needs h2; an HTTP/1.1 that nothing needs only adds ways to smuggle.",
        mend="Offer h2 in alpn_protocols, and http/1.1 only for gRPC-Web with codec_type AUTO.",
        check=check_protocols,
    ),
    Rule(
        id="E08",
        title="HTTP/2 is bounded",
        severity=Severity.ERROR,
        why="The defaults let one connection hold 24 MiB and 1024 streams.",
        mend="Set max_concurrent_streams, both window sizes, the frame limits and "
        "connection_keepalive in http2_protocol_options; of HTTP/3 alone, the first three in "
        "quic_protocol_options.",
        check=check_http2,
    ),
    Rule(
        id="E09",
        title="Connections and headers are bounded",
        severity=Severity.ERROR,
        why="A connection that never ends is never balanced anew; a service may take x_a for x-a.",
        mend="Set idle_timeout, max_connection_duration, max_headers_count, "
        "max_requests_per_connection, headers_with_underscores_action: REJECT_REQUEST and "
        "max_request_headers_kb.",
        check=check_http,
    ),
    Rule(
        id="E10",
        title="Paths are normal",
        severity=Severity.ERROR,
        why="A path that the filters read otherwise than the service does evades them.",
        mend="Set normalize_path and merge_slashes to true and path_with_escaped_slashes_action "
        "to REJECT_REQUEST.",
        check=check_paths,
    ),
    Rule(
        id="E11",
        title="Beginning and end have a time limit",
        severity=Severity.ERROR,
        why="A caller that sends one byte a minute keeps its place for ever.",
        mend="Set request_headers_timeout, request_timeout, stream_idle_timeout, "
        "stream_flush_timeout and, where there is TLS, transport_socket_connect_timeout.",
        check=check_timeouts,
    ),
)
