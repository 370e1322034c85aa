"""What gRPC says of a finished call, turned into the SDK's words."""

from collections.abc import Iterable
from typing import cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from batchpix.media.v1 import media_pb2
from batchpix_client.errors import BatchpixError
from batchpix_client.receipts import Receipt

RECEIPT_TRAILER = "batchpix-receipt-bin"
# gRPC's words for a stream that ended without a status. A gateway whose service dies after its
# answer has begun can end a stream in no other way, and gRPC calls that INTERNAL.
STREAM_RESET = "RST_STREAM"
LOST_RETRY_SECONDS = 1.0  # what the gateway itself tells a caller that finds no replica


def translated(error: grpc.RpcError) -> BatchpixError:
    """Turn what gRPC raised into the SDK's error, with every detail that came along.

    Both transports raise objects that are errors and finished calls at once.
    """
    code = error.code()
    try:
        status = rpc_status.from_call(error)
    except (ValueError, DecodeError):
        # Details that contradict the status are worth less than the status itself.
        status = None
    if status is None and STREAM_RESET in (error.details() or ""):
        return lost("the service was lost in mid-call")
    if status is None:
        return BatchpixError(code.name, "", one_line(error.details()))
    return from_status(code.name, status)


def lost(message: str) -> BatchpixError:
    """Make the error of a call whose stream broke, with the time after which to try again."""
    return BatchpixError(
        "UNAVAILABLE", "SERVICE_UNREACHABLE", message, retry_after_seconds=LOST_RETRY_SECONDS
    )


def from_status(code: str, status: status_pb2.Status) -> BatchpixError:
    """Read the details of a google.rpc.Status; unknown kinds of detail are passed over."""
    information = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    found = [part for part in (information, request, retry) if unpack(status, part)]
    fields = [violation.field for violation in request.field_violations]
    return BatchpixError(
        code,
        information.reason,
        one_line(status.message),
        field=fields[0] if fields else "",
        retry_after_seconds=retry.retry_delay.ToTimedelta().total_seconds()
        if retry in found
        else None,
        metadata=dict(information.metadata),
    )


def unpack(
    status: status_pb2.Status,
    part: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> bool:
    """Fill `part` from the status's detail of its type; tell whether there was one."""
    return any(detail.Unpack(part) for detail in status.details)


def trailing_receipt(error: grpc.RpcError) -> Receipt | None:
    """Find the receipt that travels in the trailing metadata of a call that failed."""
    # Blocking calls have named pairs here, awaited ones plain pairs.
    trailers = cast("Iterable[tuple[str, bytes]]", error.trailing_metadata() or ())
    for key, value in trailers:
        if key == RECEIPT_TRAILER:
            try:
                return Receipt.from_message(media_pb2.ErasureReceipt.FromString(value))
            except DecodeError:
                return None
    return None


def one_line(text: str | None) -> str:
    """Fold a status text into one line."""
    return " ".join((text or "no message").split())
