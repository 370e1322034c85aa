"""Rules on the form: only what Envoy's API knows, and no configuration from just anywhere."""

from collections.abc import Iterator

from gateway.lint.edge import UPSTREAM_TLS
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

API_SOURCE = "envoy.config.core.v3.ApiConfigSource"


def check_schema(reading: Reading) -> Iterator[Problem]:
    """E28: every field and type is known and current; servers of configuration prove themselves."""
    for fault in reading.faults:
        yield Problem(position=fault.position, message=fault.message)
    for source in reading.bootstrap.within(API_SOURCE):
        yield from _check_servers(source, reading.bootstrap)


def _check_servers(source: Message, bootstrap: Message) -> Iterator[Problem]:
    if source.text("transport_api_version") != "V3":
        place = source.place("transport_api_version")
        yield Problem(position=place, message="transport_api_version must be V3")
    clusters = {
        cluster.text("name"): cluster for cluster in bootstrap.messages("static_resources.clusters")
    }
    for service in source.messages("grpc_services"):
        cluster = clusters.get(service.text("envoy_grpc.cluster_name"))
        if service.get("envoy_grpc") and not (cluster and _is_mutual(cluster)):
            message = "configuration comes from a server without mutual TLS"
            yield Problem(position=service.position, message=message)
        google = service.message("google_grpc")
        if google and not google.get("channel_credentials.ssl_credentials.private_key"):
            message = "configuration comes from a server without mutual TLS"
            yield Problem(position=service.position, message=message)


def _is_mutual(cluster: Message) -> bool:
    """Tell whether a cluster is reached with TLS and a certificate of our own."""
    return any(
        context.get("common_tls_context.tls_certificate_sds_secret_configs")
        or context.get("common_tls_context.tls_certificates")
        for context in cluster.within(UPSTREAM_TLS)
    )


RULES = (
    Rule(
        id="E28",
        title="Every field and type is known and current",
        severity=Severity.ERROR,
        why="A misspelt limit is no limit, and what is deprecated goes away.",
        mend="Use the names and types of Envoy's v3 API; serve configuration over mutual TLS.",
        check=check_schema,
    ),
)
