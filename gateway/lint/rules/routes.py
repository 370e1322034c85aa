"""Rules on routes: time limits, retries, and what is not routed."""

from collections.abc import Iterator

from gateway.lint.edge import ROUTE_ACTION, VIRTUAL_HOST, edge_managers
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

# Causes of failure that are known before the service saw anything.
RETRY_CAUSES = {
    "connect-failure",
    "refused-stream",
    "reset-before-request",
    "retriable-status-codes",
    "unavailable",
}
RETRIES_MAX = 2
NOT_FOUND = ("403", "404")


def check_streams(reading: Reading) -> Iterator[Problem]:
    """E12: a route without a timeout is bounded otherwise."""
    for manager in edge_managers(reading.bootstrap):
        if manager.number("stream_idle_timeout") == 0:
            message = "stream_idle_timeout must not be 0"
            yield Problem(position=manager.place("stream_idle_timeout"), message=message)
        for action in manager.within(ROUTE_ACTION):
            for name in ("max_grpc_timeout", "grpc_timeout_offset"):
                if action.get(name):
                    message = f"{name} is replaced by max_stream_duration"
                    yield Problem(position=action.place(name), message=message)
            if action.number("timeout") == 0:
                yield from _check_stream(action, manager)


def _check_stream(action: Message, manager: Message) -> Iterator[Problem]:
    duration = action.number("max_stream_duration.max_stream_duration") or 0
    by_header = action.number("max_stream_duration.grpc_timeout_header_max")
    if by_header == 0:
        message = "grpc_timeout_header_max: 0s lets a caller choose any duration"
        yield Problem(position=action.place("max_stream_duration"), message=message)
    if not duration > 0 and not (by_header or 0) > 0:
        message = "timeout is 0s and max_stream_duration is not set"
        yield Problem(position=action.place("timeout"), message=message)
    idle = action.number("idle_timeout")
    idle = manager.number("stream_idle_timeout") if idle is None else idle
    if not (idle or 0) > 0:
        message = "timeout is 0s and no idle_timeout is set"
        yield Problem(position=action.place("idle_timeout"), message=message)


def check_retries(reading: Reading) -> Iterator[Problem]:
    """E20: nothing that may have begun is done again, and nothing is copied."""
    for manager in edge_managers(reading.bootstrap):
        for place in (*manager.within(ROUTE_ACTION), *manager.within(VIRTUAL_HOST)):
            for name in ("request_mirror_policies", "hedge_policy"):
                if place.get(name):
                    message = f"{name} sends a caller's data to further replicas"
                    yield Problem(position=place.place(name), message=message)
            policy = place.message("retry_policy")
            if policy:
                yield from _check_retry(place, policy)


def _check_retry(place: Message, policy: Message) -> Iterator[Problem]:
    if place.number("timeout") == 0:
        message = "a streaming route must not retry: Envoy would have to keep what was sent"
        yield Problem(position=policy.position, message=message)
    causes = {cause.strip() for cause in policy.text("retry_on").split(",")} - {""}
    if causes - RETRY_CAUSES:
        message = f"retry_on names {', '.join(sorted(causes - RETRY_CAUSES))}"
        yield Problem(position=policy.place("retry_on"), message=message)
    if (policy.number("num_retries") or 1) > RETRIES_MAX:
        message = f"num_retries must be at most {RETRIES_MAX}"
        yield Problem(position=policy.place("num_retries"), message=message)
    if not policy.get("retry_back_off"):
        yield Problem(position=policy.position, message="retry_back_off is not set")


def check_hosts(reading: Reading) -> Iterator[Problem]:
    """E27: what is not named is not routed, and answers tell nothing of the inside."""
    for manager in edge_managers(reading.bootstrap):
        for host in manager.within(VIRTUAL_HOST):
            yield from _check_host(host)
        yield from _check_answers(manager)


def _check_host(host: Message) -> Iterator[Problem]:
    if "*" in host.texts("domains"):
        message = "the virtual host answers to any name"
        yield Problem(position=host.position, message=message)
    for action in host.within(ROUTE_ACTION):
        if action.get("cluster_header"):
            message = "cluster_header lets the caller choose the cluster"
            yield Problem(position=action.place("cluster_header"), message=message)
    routes = host.messages("routes")
    if routes and not _is_refusal(routes[-1]):
        message = "the last route does not refuse what no other route takes"
        yield Problem(position=routes[-1].position, message=message)


def _is_refusal(route: Message) -> bool:
    match = route.message("match")
    takes_all = match is not None and match.text("prefix") == "/" and len(match.fields) == 1
    return takes_all and route.text("direct_response.status") in NOT_FOUND


def _check_answers(manager: Message) -> Iterator[Problem]:
    name = "server_header_transformation"
    hides = manager.text(name) in ("PASS_THROUGH", "APPEND_IF_ABSENT")
    if not hides and not manager.text("server_name"):
        message = "answers name Envoy as the server"
        yield Problem(position=manager.place(name), message=message)
    if any(character.isdigit() for character in manager.text("server_name")):
        message = "server_name tells a version"
        yield Problem(position=manager.place("server_name"), message=message)
    reply = manager.message("local_reply_config")
    if reply is None:
        message = "local_reply_config is not set: Envoy's own texts tell addresses and causes"
        yield Problem(position=manager.position, message=message)
        return
    for part in reply.walk():
        for value in part.fields:
            text = part.text(value)
            if "%RESPONSE_CODE_DETAILS%" in text or "%LOCAL_REPLY_BODY%" in text:
                message = "a local reply tells details of the inside"
                yield Problem(position=part.place(value), message=message)


RULES = (
    Rule(
        id="E12",
        title="Streams without a timeout are bounded otherwise",
        severity=Severity.ERROR,
        why="With timeout 0s alone a stream may stand open for ever.",
        mend="Beside timeout: 0s set max_stream_duration.max_stream_duration, a "
        "grpc_timeout_header_max above 0s, and idle_timeout.",
        check=check_streams,
    ),
    Rule(
        id="E20",
        title="Nothing is sent twice",
        severity=Severity.ERROR,
        why="A retry of a stream keeps a caller's data in memory; mirrors and hedges copy it.",
        mend="Remove request_mirror_policies and hedge_policy; retry unary routes only, on "
        + ", ".join(sorted(RETRY_CAUSES))
        + f", at most {RETRIES_MAX} times, with retry_back_off.",
        check=check_retries,
    ),
    Rule(
        id="E27",
        title="Only named hosts and paths are routed",
        severity=Severity.ERROR,
        why="A host for any name, a missing refusal or Envoy's own texts show the inside.",
        mend="Name domains, end with prefix / and direct_response 404, remove cluster_header, "
        "set server_header_transformation: PASS_THROUGH and local_reply_config.",
        check=check_hosts,
    ),
)
