"""What must not succeed: callers without TLS, without a token, without a certificate."""

import socket
import ssl
import warnings
from collections.abc import Callable, Mapping

import grpc

from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from batchpix_client.profile import Profile

SECONDS_MAX = 5.0


def plaintext_refused(profile: Profile) -> bool:
    """Call the gateway without TLS."""
    with grpc.insecure_channel(profile.address) as channel:
        return is_refused(channel, grpc.StatusCode.UNAVAILABLE)


def plaintext_to_service_refused(profile: Profile) -> bool:
    """Call a service without TLS."""
    with grpc.insecure_channel(next(iter(profile.internal.values()))) as channel:
        return is_refused(channel, grpc.StatusCode.UNAVAILABLE)


def missing_token_refused(profile: Profile) -> bool:
    """Call the gateway without a token."""
    with grpc.secure_channel(profile.address, server_authority(profile)) as channel:
        return is_refused(channel, grpc.StatusCode.UNAUTHENTICATED)


def missing_certificate_refused(profile: Profile) -> bool:
    """Call a service without a certificate of one's own."""
    folder = profile.client_certificates
    assert folder is not None
    credentials = grpc.ssl_channel_credentials((folder / "ca.crt").read_bytes())
    with grpc.secure_channel(next(iter(profile.internal.values())), credentials) as channel:
        return is_refused(channel, grpc.StatusCode.UNAVAILABLE)


def old_tls_refused(profile: Profile) -> bool:
    """Offer the gateway no newer version than TLS 1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # What is deprecated is the point here.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    host, _, port = profile.address.rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), SECONDS_MAX) as stream,
            context.wrap_socket(stream),
        ):
            return False
    except OSError:
        return True


def is_refused(channel: grpc.Channel, code: grpc.StatusCode) -> bool:
    """Ask for the policy, and tell whether that failed in the way that it should."""
    try:
        policy_pb2_grpc.PolicyServiceStub(channel).GetPolicy(
            policy_pb2.GetPolicyRequest(), timeout=SECONDS_MAX
        )
    except grpc.RpcError as error:
        return bool(error.code() is code)
    return False


def server_authority(profile: Profile) -> grpc.ChannelCredentials:
    """Trust the gateway's authority, and show nothing of one's own."""
    assert profile.ca is not None
    return grpc.ssl_channel_credentials(profile.ca.read_bytes())


ATTEMPTS: Mapping[str, Callable[[Profile], bool]] = {
    "plaintext to the gateway": plaintext_refused,
    "plaintext to a service": plaintext_to_service_refused,
    "no token": missing_token_refused,
    "no certificate": missing_certificate_refused,
    "TLS older than 1.2": old_tls_refused,
}
"""Each answers True if it was refused, as it must be."""
