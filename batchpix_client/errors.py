"""The one error of the SDK: what a call ended with, in the words of the mesh."""

from collections.abc import Mapping


class BatchpixError(Exception):
    """A call, or a step of the SDK itself, that did not succeed.

    Attributes:
        code: name of the `grpc.StatusCode`.
        reason: name of the `batchpix.media.v1.ErrorReason`, or one of the SDK's own
            (CONFIGURATION_..., CONNECTION_..., MESH_..., PROTOCOL_..., RECEIPT_..., RESULT_...);
            empty when the answer came from in between, such as a server that is no mesh.
        message: one sentence for a developer.
        field: path of the request field at fault, empty if none is.
        retry_after_seconds: when a retry may succeed, None if nobody said.
        metadata: limits and choices to act on, such as the styles that are known.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        message: str,
        *,
        field: str = "",
        retry_after_seconds: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        self.metadata: Mapping[str, str] = dict(metadata or {})

    def __str__(self) -> str:
        kind = f"{self.code} {self.reason}".strip()
        place = f" ({self.field})" if self.field else ""
        return f"{kind}: {self.message}{place}"


def protocol_error(message: str) -> BatchpixError:
    """Make the error of a service that does not keep to the chunk protocol."""
    return BatchpixError("INTERNAL", "PROTOCOL_BROKEN", message)
