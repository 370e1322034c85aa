"""Mutual TLS: credentials that follow their files, and the callers that are let in."""

from pathlib import Path
from typing import Any

import grpc

SUBJECT_ALTERNATIVE_NAMES = "x509_subject_alternative_name"


class CertificateFolder:
    """A folder with tls.crt, tls.key and ca.crt, as cert-manager writes it too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._current = self._read()

    def credentials(self) -> grpc.ServerCredentials:
        """Make server credentials that demand a client certificate and follow the files."""
        return grpc.dynamic_ssl_server_credentials(
            configuration(self._current),
            self._renewed,  # type: ignore[arg-type]  # the stubs forget that None means unchanged
            require_client_authentication=True,
        )

    def _read(self) -> tuple[bytes, bytes, bytes]:
        names = ("tls.key", "tls.crt", "ca.crt")
        key, certificate, authority = ((self._folder / name).read_bytes() for name in names)
        return key, certificate, authority

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the new configuration, or None while the files are unchanged or half-written.

        gRPC asks before every handshake, so a rotation needs no timer and no restart.
        """
        try:
            found = self._read()
        except OSError:
            return None
        if found == self._current:
            return None
        self._current = found
        return configuration(found)


def configuration(parts: tuple[bytes, bytes, bytes]) -> grpc.ServerCertificateConfiguration:
    """Build gRPC's record from (private key, certificate chain, client authority), each PEM."""
    key, certificate, authority = parts
    return grpc.ssl_server_certificate_configuration(
        [(key, certificate)], root_certificates=authority
    )


def caller_allowed(context: "grpc.aio.ServicerContext[Any, Any]", allowed: frozenset[str]) -> bool:
    """Tell whether one of the caller's certificate names is on the list."""
    names = context.auth_context().get(SUBJECT_ALTERNATIVE_NAMES, ())
    return any(name.decode("utf-8", "replace") in allowed for name in names)
