"""The gateway sets all that Envoy's own API marks as needed where strangers call."""

from collections.abc import Iterator

from udpa.annotations import security_pb2

from gateway.lint.document import parse
from gateway.lint.model import Message
from gateway.lint.protos import find_type
from gateway.lint.schema import read
from gateway.render import render_bootstrap
from tests.gateway.door import Credentials, settings_for

# What the API marks, by message and field. A newer API may mark more: then this list is read anew.
MARKED = {
    "envoy.config.bootstrap.v3.Bootstrap.overload_manager",
    "envoy.config.cluster.v3.Cluster.http2_protocol_options",
    "envoy.config.cluster.v3.Cluster.per_connection_buffer_limit_bytes",
    "envoy.config.listener.v3.Listener.per_connection_buffer_limit_bytes",
    *(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager." + name
        for name in (
            "common_http_protocol_options",
            "http2_protocol_options",
            "request_headers_timeout",
            "request_timeout",
            "stream_idle_timeout",
            "use_remote_address",
        )
    ),
}
# The mark is on the old place of these options, which is deprecated; the new one stands for it.
HTTP2_OF_CLUSTERS = "envoy.config.cluster.v3.Cluster.http2_protocol_options"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def bootstrap(credentials: Credentials) -> Message:
    """Read the gateway's own configuration."""
    settings = settings_for(credentials, {"stylize": 1, "video": 2})
    return read(parse(render_bootstrap(settings))).bootstrap


def marked(message: Message) -> Iterator[str]:
    """Name the fields of a message that the API marks."""
    descriptor = find_type(message.type)
    for field in descriptor.fields if descriptor else ():
        if field.GetOptions().HasExtension(security_pb2.security):
            yield field.name


def test_every_marked_field_is_set(credentials: Credentials) -> None:
    """Of each listener, manager and cluster of strangers' calls no marked field is left out."""
    seen, left_out = set(), []
    for message in bootstrap(credentials).walk():
        if message.text("lb_policy") == "CLUSTER_PROVIDED":
            continue  # made of other clusters: it has no connections of its own
        for name in marked(message):
            seen.add(f"{message.type}.{name}")
            if name not in message.fields:
                left_out.append(f"{message.type}.{name}")

    assert seen == MARKED
    assert set(left_out) == {HTTP2_OF_CLUSTERS}


def test_http2_of_clusters_is_set_in_its_new_place(credentials: Credentials) -> None:
    """Each feature's cluster bounds streams and windows of HTTP/2."""
    options = list(bootstrap(credentials).within(HTTP_OPTIONS))

    assert len(options) == 2
    for each in options:
        http2 = each.message("explicit_http_config.http2_protocol_options")
        assert http2 is not None
        assert {
            "max_concurrent_streams",
            "initial_stream_window_size",
            "initial_connection_window_size",
        } <= set(http2.fields)
