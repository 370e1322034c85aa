"""Rules on clusters: replicas that are dead, slow or new."""

from collections.abc import Iterator

from gateway.lint.edge import EXTENSIONS, clusters
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

DNS = f"{EXTENSIONS}.clusters.dns.v3.DnsCluster"
OPTIONS = f"{EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions"
WEIGHTED = f"{EXTENSIONS}.load_balancing_policies.client_side_weighted_round_robin.v3"
BALANCERS = (
    f"{EXTENSIONS}.load_balancing_policies.least_request.v3.LeastRequest",
    f"{WEIGHTED}.ClientSideWeightedRoundRobin",
)
CONNECT_SECONDS_MAX = 10
# Either lets a connection end, so that a later one can go to another replica.
RENEWALS = ("max_connection_duration", "max_requests_per_connection")
HTTP2_FIELDS = (
    "explicit_http_config.http2_protocol_options",
    "use_downstream_protocol_config.http2_protocol_options",
    "auto_config.http2_protocol_options",
)


def check_clusters(reading: Reading) -> Iterator[Problem]:
    """E22: calls go to live replicas, evenly, and not without end."""
    for cluster in clusters(reading.bootstrap):
        yield from _check_discovery(cluster)
        yield from _check_health(cluster)
        yield from _check_breakers(cluster)
        yield from _check_protocol(cluster)


def _check_discovery(cluster: Message) -> Iterator[Problem]:
    is_single = any(dns.truth("all_addresses_in_single_endpoint") for dns in cluster.within(DNS))
    if cluster.text("type") == "LOGICAL_DNS" or is_single:
        message = "replicas behind the name are taken for one endpoint"
        yield Problem(position=cluster.position, message=message)
    policy = cluster.text("lb_policy") or "ROUND_ROBIN"
    types = {message.type for message in cluster.walk()}
    if policy != "LEAST_REQUEST" and not types & set(BALANCERS):
        message = "lb_policy is not LEAST_REQUEST: a busy replica gets as much as an idle one"
        yield Problem(position=cluster.place("lb_policy"), message=message)
    seconds = cluster.number("connect_timeout")
    if seconds is None or not 0 < seconds <= CONNECT_SECONDS_MAX:
        message = f"connect_timeout must be set, at most {CONNECT_SECONDS_MAX}s"
        yield Problem(position=cluster.place("connect_timeout"), message=message)


def _check_health(cluster: Message) -> Iterator[Problem]:
    if not cluster.get("health_checks"):
        yield Problem(position=cluster.position, message="health_checks is not set")
    outliers = cluster.message("outlier_detection")
    if outliers is None:
        yield Problem(position=cluster.position, message="outlier_detection is not set")
    else:
        for name in ("max_ejection_percent", "max_ejection_time"):
            if not outliers.get(name):
                yield Problem(position=outliers.position, message=f"{name} is not set")
    if not cluster.get("common_lb_config.healthy_panic_threshold"):
        message = "healthy_panic_threshold is not set: at 50 % down calls go to dead replicas too"
        yield Problem(position=cluster.place("common_lb_config"), message=message)


def _check_breakers(cluster: Message) -> Iterator[Problem]:
    thresholds = cluster.messages("circuit_breakers.thresholds")
    if not thresholds:
        yield Problem(position=cluster.position, message="circuit_breakers is not set")
    for threshold in thresholds:
        for name in ("max_connections", "max_pending_requests", "max_requests"):
            if not threshold.get(name):
                yield Problem(position=threshold.position, message=f"{name} is not set")


def _check_protocol(cluster: Message) -> Iterator[Problem]:
    options = [
        message
        for message in cluster.messages("typed_extension_protocol_options")
        if message.type == OPTIONS
    ]
    http2 = [option.message(name) for option in options for name in HTTP2_FIELDS]
    chosen = [message for message in http2 if message is not None]
    if not chosen:
        message = "HTTP/2 is not chosen in typed_extension_protocol_options"
        yield Problem(position=cluster.position, message=message)
    for protocol in chosen:
        if not protocol.get("connection_keepalive"):
            yield Problem(position=protocol.position, message="connection_keepalive is not set")
    for option in options:
        if not any(option.get(f"common_http_protocol_options.{name}") for name in RENEWALS):
            message = f"neither {' nor '.join(RENEWALS)} is set: new replicas get no calls"
            yield Problem(position=option.position, message=message)


RULES = (
    Rule(
        id="E22",
        title="Calls go to live replicas",
        severity=Severity.WARNING,
        why="Without health checks and bounds a dead replica keeps getting calls.",
        mend="Set STRICT_DNS, LEAST_REQUEST, connect_timeout, health_checks, outlier_detection, "
        "circuit_breakers, healthy_panic_threshold, and HTTP/2 with connection_keepalive and "
        "max_connection_duration or max_requests_per_connection.",
        check=check_clusters,
    ),
)
