"""Rules on TLS: towards strangers, towards services, and where certificates come from."""

from collections.abc import Iterator
from itertools import chain as joined

from gateway.lint.edge import (
    DOWNSTREAM_TLS,
    EXTENSIONS,
    MANAGER,
    UPSTREAM_TLS,
    chains,
    clusters,
    edge_listeners,
    is_local,
)
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

TLS = f"{EXTENSIONS}.transport_sockets.tls.v3"
SDS_CONFIG = f"{TLS}.SdsSecretConfig"
CERTIFICATE = f"{TLS}.TlsCertificate"
VALIDATION = f"{TLS}.CertificateValidationContext"
QUIC_DOWNSTREAM = f"{EXTENSIONS}.transport_sockets.quic.v3.QuicDownstreamTransport"

OLD_VERSIONS = ("TLSV1_0", "TLSV1_1")
FORWARDING = ("FORWARD_ONLY", "APPEND_FORWARD", "ALWAYS_FORWARD_ONLY")


def check_downstream(reading: Reading) -> Iterator[Problem]:
    """E13: callers are met with current TLS only."""
    for listener in edge_listeners(reading.bootstrap):
        for chain in chains(listener):
            if chain.message("transport_socket") is None:
                message = "strangers can reach this filter chain without TLS"
                yield Problem(position=chain.position, message=message)
        for context in listener.within(DOWNSTREAM_TLS):
            yield from _check_parameters(context)
            yield from _check_validation(context)
            yield from _check_resumption(context)


def _check_parameters(context: Message) -> Iterator[Problem]:
    path = "common_tls_context.tls_params"
    version = context.text(f"{path}.tls_minimum_protocol_version").upper()
    if version in OLD_VERSIONS:
        message = "TLS older than 1.2 is accepted"
        yield Problem(
            position=context.place(f"{path}.tls_minimum_protocol_version"), message=message
        )
    suites = context.texts(f"{path}.cipher_suites")
    if version != "TLSV1_3" and not suites:
        message = "cipher_suites is not set for TLS 1.2"
        yield Problem(position=context.place(path), message=message)
    weak = [
        suite
        for suite in joined(*(suite.strip("[]").split("|") for suite in suites))
        if not _is_strong(suite)
    ]
    if weak:
        message = f"weak ciphers: {len(weak)} lack forward secrecy or authenticated encryption"
        yield Problem(position=context.place(path), message=message)
    if context.get("common_tls_context.key_log"):
        message = "key_log writes down the keys of connections"
        yield Problem(position=context.place("common_tls_context.key_log"), message=message)


def _is_strong(suite: str) -> bool:
    return suite.startswith("ECDHE-") and ("GCM" in suite or "CHACHA20" in suite)


def _check_validation(context: Message) -> Iterator[Problem]:
    for validation in context.within(VALIDATION):
        if validation.truth("allow_expired_certificate"):
            message = "expired certificates are accepted"
            yield Problem(position=validation.place("allow_expired_certificate"), message=message)
        if validation.text("trust_chain_verification") == "ACCEPT_UNTRUSTED":
            message = "untrusted certificates are accepted"
            yield Problem(position=validation.place("trust_chain_verification"), message=message)


def _check_resumption(context: Message) -> Iterator[Problem]:
    if context.get("session_ticket_keys"):
        message = "session ticket keys stand in the configuration and are never changed"
        yield Problem(position=context.place("session_ticket_keys"), message=message)
    elif not context.truth("disable_stateless_session_resumption") and not context.get(
        "session_ticket_keys_sds_secret_config"
    ):
        message = "session tickets are on without keys that rotate"
        yield Problem(position=context.position, message=message)


def check_client_certificates(reading: Reading) -> Iterator[Problem]:
    """E14: client certificates, where asked for, are demanded and checked."""
    for listener in edge_listeners(reading.bootstrap):
        for context in listener.within(DOWNSTREAM_TLS):
            yield from _check_client(context)
        for manager in listener.within(MANAGER):
            if manager.text("forward_client_cert_details") in FORWARDING:
                message = "a caller's own x-forwarded-client-cert is passed on"
                place = manager.place("forward_client_cert_details")
                yield Problem(position=place, message=message)


def _check_client(context: Message) -> Iterator[Problem]:
    common = context.message("common_tls_context")
    asks = common is not None and _has_validation(common)
    requires = context.truth("require_client_certificate")
    if asks and not requires:
        message = "client certificates are checked only when a caller shows one"
        yield Problem(position=context.position, message=message)
    if requires and (common is None or not asks):
        message = "client certificates are required, but no trusted_ca checks them"
        yield Problem(position=context.position, message=message)
    elif requires and common is not None and not _names_peers(common):
        message = "any certificate of the authority is let in: no match_typed_subject_alt_names"
        yield Problem(position=common.position, message=message)


def _has_validation(common: Message) -> bool:
    names = (
        "validation_context",
        "validation_context_sds_secret_config",
        "combined_validation_context",
    )
    return any(common.get(name) for name in names)


def _names_peers(common: Message) -> bool:
    """Tell whether peers are matched by name; a context from elsewhere may well do so."""
    if common.get("validation_context_sds_secret_config"):
        return True
    return any(
        bool(context.get("match_typed_subject_alt_names") or context.get("custom_validator_config"))
        for context in common.within(VALIDATION)
    )


def check_upstream(reading: Reading) -> Iterator[Problem]:
    """E15: services are reached with TLS and recognised by name."""
    for cluster in clusters(reading.bootstrap):
        contexts = list(cluster.within(UPSTREAM_TLS))
        if not contexts and not _is_near(cluster):
            yield Problem(position=cluster.position, message="the cluster is reached without TLS")
        for context in contexts:
            yield from _check_service(context)
            yield from _check_validation(context)


def _is_near(cluster: Message) -> bool:
    """Tell whether all endpoints are on this machine."""
    endpoints = list(cluster.within("envoy.config.endpoint.v3.Endpoint"))
    return bool(endpoints) and all(is_local(endpoint.message("address")) for endpoint in endpoints)


def _check_service(context: Message) -> Iterator[Problem]:
    common = context.message("common_tls_context") or context
    if not _has_validation(common):
        message = "the service's certificate is not checked: no trusted_ca"
        yield Problem(position=common.position, message=message)
    elif not _names_peers(common) and not context.truth("auto_sni_san_validation"):
        message = "any certificate of the authority passes for the service"
        yield Problem(position=common.position, message=message)
    if not context.get("sni") and not context.truth("auto_host_sni"):
        yield Problem(position=context.position, message="neither sni nor auto_host_sni is set")
    name = "common_tls_context.tls_params.tls_maximum_protocol_version"
    if context.text(name).upper() != "TLSV1_3":
        message = "tls_maximum_protocol_version must be TLSv1_3, the default is TLSv1_2"
        yield Problem(position=context.place(name), message=message)
    if context.truth("allow_renegotiation"):
        message = "allow_renegotiation must be false"
        yield Problem(position=context.place("allow_renegotiation"), message=message)


def check_sources(reading: Reading) -> Iterator[Problem]:
    """E16: certificates come from watched files, so that they can rotate."""
    for message in reading.bootstrap.walk():
        if message.type == CERTIFICATE:
            yield from _check_certificate(message)
        elif message.type == VALIDATION and message.get("trusted_ca"):
            if not message.get("watched_directory"):
                said = "trusted_ca is read once: deliver it from a watched file"
                yield Problem(position=message.place("trusted_ca"), message=said)
        elif message.type == SDS_CONFIG:
            yield from _check_source(message)


def _check_certificate(certificate: Message) -> Iterator[Problem]:
    for name in ("inline_string", "inline_bytes", "environment_variable"):
        if certificate.get(f"private_key.{name}"):
            message = "the private key stands in the configuration"
            yield Problem(position=certificate.place("private_key"), message=message)
    message = "the certificate is read once: deliver it from a watched file"
    yield Problem(position=certificate.position, message=message)


def _check_source(secret: Message) -> Iterator[Problem]:
    if not secret.get("sds_config"):
        message = "a secret without sds_config never changes"
        yield Problem(position=secret.position, message=message)
    source = secret.message("sds_config.path_config_source")
    if source and not source.get("watched_directory"):
        message = "path_config_source lacks watched_directory, which link swaps need"
        yield Problem(position=source.position, message=message)


RULES = (
    Rule(
        id="E13",
        title="Callers are met with current TLS",
        severity=Severity.ERROR,
        why="Old versions, weak ciphers and fixed ticket keys let recorded traffic be read later.",
        mend="Set tls_minimum_protocol_version to TLSv1_2 or TLSv1_3 and cipher_suites to ECDHE "
        "with GCM or CHACHA20; set disable_stateless_session_resumption or rotate ticket keys.",
        check=check_downstream,
    ),
    Rule(
        id="E14",
        title="Client certificates are demanded and checked",
        severity=Severity.ERROR,
        why="A certificate that is only asked for can be left out; one of any name proves little.",
        mend="Set require_client_certificate, a trusted_ca and match_typed_subject_alt_names; "
        "forward_client_cert_details: SANITIZE.",
        check=check_client_certificates,
    ),
    Rule(
        id="E15",
        title="Services are reached with TLS and recognised",
        severity=Severity.ERROR,
        why="Without a name match every holder of a certificate can pass for the service.",
        mend="Use UpstreamTlsContext with trusted_ca, match_typed_subject_alt_names, sni and "
        "tls_maximum_protocol_version: TLSv1_3.",
        check=check_upstream,
    ),
    Rule(
        id="E16",
        title="Certificates rotate",
        severity=Severity.WARNING,
        why="What is read once at the start is in use after it expired.",
        mend="Use tls_certificate_sds_secret_configs and validation_context_sds_secret_config "
        "with path_config_source.path and watched_directory.",
        check=check_sources,
    ),
)
