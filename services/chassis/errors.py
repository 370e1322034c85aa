"""The one error tree: what can go wrong, and the gRPC code each kind answers with.

Messages name the limit or the rule that was broken, never a caller's value: an error text may end
up in logs that outlive the call (invariant 4).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Machine-readable cause of a refusal; the same names as `batchpix.media.v1.ErrorReason`."""

    OPTIONS_MISSING = "OPTIONS_MISSING"
    OPTIONS_REPEATED = "OPTIONS_REPEATED"
    OPTION_INVALID = "OPTION_INVALID"
    STYLE_UNKNOWN = "STYLE_UNKNOWN"
    UPLOAD_EMPTY = "UPLOAD_EMPTY"
    UPLOAD_OUT_OF_ORDER = "UPLOAD_OUT_OF_ORDER"
    UPLOAD_TOO_LARGE = "UPLOAD_TOO_LARGE"
    UPLOAD_SIZE_MISMATCH = "UPLOAD_SIZE_MISMATCH"
    UPLOAD_TOO_MANY = "UPLOAD_TOO_MANY"
    CHUNK_TOO_LARGE = "CHUNK_TOO_LARGE"
    CHUNK_CORRUPT = "CHUNK_CORRUPT"
    MEDIA_KIND_INVALID = "MEDIA_KIND_INVALID"
    MEDIA_TYPE_MISMATCH = "MEDIA_TYPE_MISMATCH"
    MEDIA_TYPE_UNSUPPORTED = "MEDIA_TYPE_UNSUPPORTED"
    MEDIA_UNREADABLE = "MEDIA_UNREADABLE"
    MEDIA_TRUNCATED = "MEDIA_TRUNCATED"
    MEDIA_ANIMATED = "MEDIA_ANIMATED"
    PIXELS_TOO_MANY = "PIXELS_TOO_MANY"
    FRAMES_TOO_MANY = "FRAMES_TOO_MANY"
    PERSON_NOT_FOUND = "PERSON_NOT_FOUND"
    GARMENT_NOT_FOUND = "GARMENT_NOT_FOUND"
    DEADLINE_MISSING = "DEADLINE_MISSING"
    DEADLINE_TOO_LONG = "DEADLINE_TOO_LONG"
    UPLOAD_STALLED = "UPLOAD_STALLED"
    CALLER_UNKNOWN = "CALLER_UNKNOWN"
    SERVICE_BUSY = "SERVICE_BUSY"
    MEMORY_BUDGET_EXHAUSTED = "MEMORY_BUDGET_EXHAUSTED"
    SERVICE_DRAINING = "SERVICE_DRAINING"
    RETENTION_GUARD_MISSING = "RETENTION_GUARD_MISSING"
    MODEL_MISMATCH = "MODEL_MISMATCH"
    ENGINE_FAILED = "ENGINE_FAILED"
    INTERNAL = "INTERNAL"
    METHOD_UNKNOWN = "METHOD_UNKNOWN"
    SERVICE_UNREACHABLE = "SERVICE_UNREACHABLE"


class MeshError(Exception):
    """Root of the tree.

    Attributes:
        code: name of the `grpc.StatusCode` that the call ends with.
        reason: machine-readable cause.
        message: one sentence for a developer, free of the caller's values.
        field: path of the request field at fault, empty if none is.
        retry_after_seconds: when a retry may succeed, None if it will not.
        metadata: limits and choices a client can act on (keys in lower_snake_case).
    """

    code: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        field: str = "",
        retry_after_seconds: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        self.metadata: Mapping[str, str] = dict(metadata or {})


class InvalidRequestError(MeshError):
    """The request can never succeed as it stands."""

    code = "INVALID_ARGUMENT"


class LimitError(MeshError):
    """A published limit would be passed; a smaller request can succeed."""

    code = "RESOURCE_EXHAUSTED"


class BusyError(MeshError):
    """The service has no room now; `retry_after_seconds` says when to come back."""

    code = "RESOURCE_EXHAUSTED"


class CallerError(MeshError):
    """The caller is known to the transport but not allowed here."""

    code = "PERMISSION_DENIED"


class DeadlineError(MeshError):
    """The caller did not keep up with its own deadline."""

    code = "DEADLINE_EXCEEDED"


class InternalError(MeshError):
    """A fault of ours: an engine, a model or a bug."""

    code = "INTERNAL"


class Stopped(Exception):  # noqa: N818  # no error: nobody waits for the result any more
    """The call was cancelled while work of its own went on."""


@contextmanager
def translate(
    rules: Mapping[type[BaseException], tuple[type[MeshError], Reason, str]],
) -> Iterator[None]:
    """Turn foreign exceptions of a third-party boundary into ours, without their text.

    Args:
        rules: foreign class -> (our class, reason, message); the first match in order wins.
    """
    try:
        yield
    except tuple(rules) as error:
        for foreign, (ours, reason, message) in rules.items():
            if isinstance(error, foreign):
                # `from None` drops the foreign text: it may quote the caller's bytes.
                raise ours(reason, message) from None
        raise
