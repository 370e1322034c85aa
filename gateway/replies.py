"""What the gateway itself answers: each refusal as a gRPC status with machine-readable details."""

import base64
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

ERROR_DOMAIN = "batchpix.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One refusal; Envoy turns the HTTP status into the gRPC code of the same meaning."""

    http_status: int
    code: int
    """google.rpc.Code."""
    reason: str
    message: str
    retry_after_seconds: int = 0
    """When a retry may succeed, 0 if it will not."""


REPLIES = (
    Reply(
        http_status=401,
        code=code_pb2.UNAUTHENTICATED,
        reason="CALLER_UNKNOWN",
        message="a valid bearer token is needed",
    ),
    Reply(
        http_status=403,
        code=code_pb2.PERMISSION_DENIED,
        reason="CALLER_UNKNOWN",
        message="the token does not allow this method",
    ),
    Reply(
        http_status=404,
        code=code_pb2.UNIMPLEMENTED,
        reason="METHOD_UNKNOWN",
        message="no such method",
    ),
    Reply(
        http_status=429,
        code=code_pb2.RESOURCE_EXHAUSTED,
        reason="SERVICE_BUSY",
        message="too many calls, come back later",
        retry_after_seconds=1,
    ),
    Reply(
        http_status=503,
        code=code_pb2.UNAVAILABLE,
        reason="SERVICE_UNREACHABLE",
        message="no replica of the service can be reached",
        retry_after_seconds=1,
    ),
    Reply(
        http_status=504,
        code=code_pb2.UNAVAILABLE,
        reason="SERVICE_UNREACHABLE",
        message="the service did not answer in time",
        retry_after_seconds=1,
    ),
)


def local_replies() -> list[dict[str, object]]:
    """Write every reply as a mapper of Envoy's `local_reply_config`."""
    return [_mapper(reply) for reply in REPLIES]


def _mapper(reply: Reply) -> dict[str, object]:
    comparison = {
        "op": "EQ",
        "value": {"default_value": reply.http_status, "runtime_key": "batchpix.local_reply"},
    }
    details = {"key": "grpc-status-details-bin", "value": _details(reply)}
    return {
        "filter": {"status_code_filter": {"comparison": comparison}},
        "body": {"inline_string": reply.message},
        "headers_to_add": [{"header": details, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def _details(reply: Reply) -> str:
    """Pack a google.rpc.Status the way a binary trailer carries it."""
    status = status_pb2.Status(code=reply.code, message=reply.message)
    info = error_details_pb2.ErrorInfo(reason=reply.reason, domain=ERROR_DOMAIN)
    status.details.append(_packed(info))
    if reply.retry_after_seconds:
        delay = Duration(seconds=reply.retry_after_seconds)
        status.details.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    # Binary headers go without padding on the wire.
    return base64.b64encode(status.SerializeToString(deterministic=True)).decode().rstrip("=")


def _packed(
    message: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo,
) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
