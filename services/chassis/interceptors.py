"""What every call passes on its way in and out: status, callers, deadline."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.chassis.errors import (
    CallerError,
    InternalError,
    InvalidRequestError,
    LimitError,
    MeshError,
    Reason,
)
from services.chassis.telemetry import DEVICE_MODEL_HEADER, Telemetry
from services.chassis.tls import caller_allowed

ERROR_DOMAIN = "batchpix.example"
# A status that can't be delivered for so long waits behind data that the caller does not read.
STATUS_SECONDS_MAX = 1.0
# Methods of ours. Health and reflection, which gRPC brings along, hold nothing of a caller and are
# asked without deadlines; mutual TLS alone guards them.
HOUSE_PREFIX = "/batchpix."

# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
# The stubs know behaviours of threaded servers only.
Behaviour: TypeAlias = Any
Continuation: TypeAlias = Callable[
    [grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]
]


class Gate(grpc.aio.ServerInterceptor):
    """The one way in: turns the error tree into statuses and holds calls to the house rules.

    Every handler of the house is a coroutine that writes its answers, so that a cancel always
    reaches the handler itself; an asynchronous generator would be left hanging at its `yield`.
    """

    def __init__(
        self,
        *,
        telemetry: Telemetry,
        allowed_callers: frozenset[str],
        deadline_seconds_max: float,
    ) -> None:
        self._telemetry = telemetry
        self._allowed_callers = allowed_callers
        self._deadline_seconds_max = deadline_seconds_max
        self._in_flight = 0

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Wrap the handler of one call; unknown methods stay UNIMPLEMENTED."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(HOUSE_PREFIX):
            return handler
        device = dict(handler_call_details.invocation_metadata or ()).get(DEVICE_MODEL_HEADER)
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(
                self._guarded(handler.unary_unary, device),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.stream_stream:
            return grpc.stream_stream_rpc_method_handler(
                self._guarded(handler.stream_stream, device),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return handler

    def _guarded(self, behaviour: Behaviour, device: str | bytes | None) -> Behaviour:
        async def guarded(request: Any, context: Context) -> Any:  # noqa: ANN401  # any feature's
            started = time.monotonic()
            outcome = "OK"
            try:
                self._check(context)
                self._telemetry.device(device if isinstance(device, str) else None)
                return await self._counted(behaviour, request, context)
            except MeshError as error:
                outcome = error.code
                await abort(context, error)
            except asyncio.CancelledError:
                # gRPC cancels for a lost caller and for a deadline alike.
                expired = (context.time_remaining() or 0.0) <= 0.0
                outcome = "DEADLINE_EXCEEDED" if expired else "CANCELLED"
                raise
            except Exception as error:
                outcome = InternalError.code
                self._telemetry.fault(error, place(error))
                await abort(context, InternalError(Reason.INTERNAL, "the service failed"))
            finally:
                self._telemetry.call_ended(outcome, time.monotonic() - started)

        return guarded

    async def _counted(self, behaviour: Behaviour, request: Any, context: Context) -> Any:  # noqa: ANN401
        self._in_flight += 1
        self._telemetry.in_flight.set(self._in_flight)
        try:
            return await behaviour(request, context)
        finally:
            self._in_flight -= 1
            self._telemetry.in_flight.set(self._in_flight)

    def _check(self, context: Context) -> None:
        """Hold a call to the rules before anything of it is read.

        Raises:
            CallerError: the certificate is not on the list.
            InvalidRequestError: no deadline.
            LimitError: a deadline over the limit.
        """
        if not caller_allowed(context, self._allowed_callers):
            raise CallerError(Reason.CALLER_UNKNOWN, "this certificate may not call here")
        check_deadline(context.time_remaining(), self._deadline_seconds_max)


def check_deadline(remaining_seconds: float | None, seconds_max: float) -> None:
    """Refuse a call without a deadline, and one that could hold memory for too long.

    Raises:
        InvalidRequestError: no deadline.
        LimitError: a deadline over the limit.
    """
    if remaining_seconds is None:
        raise InvalidRequestError(
            Reason.DEADLINE_MISSING, "every call needs a deadline", field="grpc-timeout"
        )
    if remaining_seconds > seconds_max:
        raise LimitError(
            Reason.DEADLINE_TOO_LONG,
            f"a deadline may lie {seconds_max:g} seconds ahead",
            field="grpc-timeout",
            metadata={"limit_seconds": f"{seconds_max:g}"},
        )


async def abort(context: Context, error: MeshError) -> None:
    """End the call with google.rpc.Status; trailers set before, such as a receipt, go along.

    Raises:
        CancelledError: the caller reads nothing, not even a status. What the transport has taken
            over, a chunk at most, goes with the stream: at the gateway's idle limit or at the
            caller's deadline.
    """
    status = rpc_status.to_status(to_rpc_status(error))
    trailers = (*(context.trailing_metadata() or ()), *(status.trailing_metadata or ()))
    try:
        async with asyncio.timeout(STATUS_SECONDS_MAX):
            await context.abort(status.code, status.details or "", trailers)
    except TimeoutError:
        raise asyncio.CancelledError from None


def to_rpc_status(error: MeshError) -> status_pb2.Status:
    """Pack an error as AIP-193 asks: ErrorInfo always, BadRequest and RetryInfo where they fit."""
    details: list[Any] = [
        error_details_pb2.ErrorInfo(
            reason=error.reason.value, domain=ERROR_DOMAIN, metadata=error.metadata
        )
    ]
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.message, reason=error.reason.value
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.retry_after_seconds is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
        details.append(retry)
    status = status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def place(error: BaseException) -> str:
    """Name file and line where an error was raised, and nothing that the error says."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
