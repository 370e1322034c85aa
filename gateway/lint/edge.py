"""Where strangers come in and where calls go out: the parts that most rules look at."""

from collections.abc import Iterator
from ipaddress import ip_address

from gateway.lint.model import Message

EXTENSIONS = "envoy.extensions"
HTTP = f"{EXTENSIONS}.filters.http"
LISTENER = "envoy.config.listener.v3.Listener"
FILTER_CHAIN = "envoy.config.listener.v3.FilterChain"
CLUSTER = "envoy.config.cluster.v3.Cluster"
ROUTE = "envoy.config.route.v3.Route"
ROUTE_ACTION = "envoy.config.route.v3.RouteAction"
VIRTUAL_HOST = "envoy.config.route.v3.VirtualHost"
MANAGER = f"{EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"
DOWNSTREAM_TLS = f"{EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext"
UPSTREAM_TLS = f"{EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext"
GRPC_WEB = f"{HTTP}.grpc_web.v3.GrpcWeb"


def edge_listeners(bootstrap: Message) -> Iterator[Message]:
    """Find listeners that strangers can reach.

    A plaintext listener on loopback or on a path is a page for the machine itself, and no edge.
    """
    for listener in bootstrap.messages("static_resources.listeners"):
        is_inner = listener.get("internal_listener") or listener.get("api_listener")
        has_tls = any(True for _ in listener.within(DOWNSTREAM_TLS))
        further = listener.messages("additional_addresses")
        addresses = [listener.message("address"), *(each.message("address") for each in further)]
        if not is_inner and (has_tls or not all(is_local(address) for address in addresses)):
            yield listener


def chains(listener: Message) -> list[Message]:
    """List a listener's filter chains, the default one included."""
    default = listener.message("default_filter_chain")
    return listener.messages("filter_chains") + ([default] if default else [])


def edge_managers(bootstrap: Message) -> Iterator[Message]:
    """Find the HTTP connection managers behind edge listeners."""
    for listener in edge_listeners(bootstrap):
        yield from listener.within(MANAGER)


def clusters(bootstrap: Message) -> list[Message]:
    """List clusters that have endpoints of their own; one made of others has none."""
    found = bootstrap.messages("static_resources.clusters")
    return [cluster for cluster in found if cluster.text("lb_policy") != "CLUSTER_PROVIDED"]


def is_local(address: Message | None) -> bool:
    """Tell whether an address can't be reached from another machine."""
    if address is None:
        return False
    if address.get("pipe") or address.get("envoy_internal_address"):
        return True
    host = address.text("socket_address.address")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
