"""The life of one call: let in, worked on in call memory, wiped, and only then ended.

Architecture invariant: call memory is wiped and released in `CallDesk.open` and nowhere else, on
success, error, deadline and cancel alike, after all work of the call has stopped and before its
status is sent.
"""

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar

import google_crc32c
import grpc
from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from services.chassis.chunks import split
from services.chassis.errors import BusyError, InternalError, MeshError
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Arena, Budget, Erasure
from services.chassis.memory.tally import DeviceTally
from services.chassis.patience import Patience
from services.chassis.places import Places
from services.chassis.receipts import ReceiptSigner
from services.chassis.telemetry import Stage, Telemetry
from services.chassis.workers import Workers

RECEIPT_TRAILER = "batchpix-receipt-bin"
# What the gateway marks the calls of one token with; see `places`.
LANE_HEADER = "x-batchpix-lane"
CALL_ID_BYTES = 16
# How often a caller hears of work that takes long.
HEARTBEAT_SECONDS = 1.0
STAGES = {
    Stage.UPLOAD: media_pb2.STAGE_UPLOAD,
    Stage.DECODE: media_pb2.STAGE_DECODE,
    Stage.ANALYSE: media_pb2.STAGE_ANALYSE,
    Stage.RENDER: media_pb2.STAGE_RENDER,
    Stage.ENCODE: media_pb2.STAGE_ENCODE,
}
OUTCOME_OK = "OK"
# From a call's end until the cycles that it leaves are freed: only once gRPC has let go of it can
# they be seen as such.
COLLECT_SECONDS = 0.1

P = ParamSpec("P")
T = TypeVar("T")
# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ResponseType(Protocol):
    """A feature's response message: each has these members in its oneof."""

    def __call__(
        self,
        *,
        accepted: media_pb2.Accepted | None = None,
        progress: media_pb2.Progress | None = None,
        media_start: media_pb2.MediaStart | None = None,
        chunk: media_pb2.Chunk | None = None,
        media_end: media_pb2.MediaEnd | None = None,
        failure: media_pb2.Failure | None = None,
        receipt: media_pb2.ErasureReceipt | None = None,
    ) -> Message:
        """Build the message around its one member."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What every receipt of this process tells besides what was measured in the call.

    Attributes:
        feature: name of the service.
        policy_version: version of the privacy policy in force.
        build_digest: digest of the running build.
        guard: state of the retention guard, measured at start.
    """

    feature: str
    policy_version: str
    build_digest: str
    guard: media_pb2.Guard


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One running call. Its methods are for the event loop; only `cancelled` is for threads.

    Attributes:
        call_id: random name, told to the caller and to nobody else.
        arena: the call's memory.
        patience: how it waits for its caller.
        cancelled: set once nobody waits for the result any more.
        device: counts what the call's runs did to device memory.
    """

    call_id: str
    arena: Arena
    limits: CallLimits
    patience: Patience
    cancelled: threading.Event
    _context: Context
    _response: ResponseType
    _workers: Workers
    _telemetry: Telemetry
    _started: float
    device: DeviceTally = field(default_factory=DeviceTally)
    _work: set[asyncio.Future[Any]] = field(default_factory=set)
    _clean_ups: list[Callable[[], None]] = field(default_factory=list)
    _cleaning: asyncio.Future[None] | None = None
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    _results: int = 0

    async def compute(
        self, stage: Stage, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run blocking work on a worker thread, measure it, and tell the caller that it goes on.

        A cancel of the call does not stop the thread: the work watches `cancelled`. This returns
        only when the work has ended, since scopes of the call's memory may end with it.
        """
        started = time.perf_counter()
        room = self._workers.room(stage)
        job = room.submit(lambda: self.device.counted(function, *args, **kwargs))
        future = asyncio.wrap_future(job)
        self._work.add(future)
        future.add_done_callback(self._work.discard)
        try:
            # Waiting, unlike awaiting, leaves the work alone when the call is cancelled.
            while not (await asyncio.wait({future}, timeout=HEARTBEAT_SECONDS))[0]:
                await self.progress(STAGES[stage], self._results, 0)
            return future.result()
        finally:
            await self._ended(job, future)
            self._telemetry.stage(stage, time.perf_counter() - started)

    async def accept(self, policy_version: str) -> None:
        """Tell the caller that the call was let in, and what it may take."""
        accepted = media_pb2.Accepted(
            call_id=self.call_id, limits=self.limits.message(), policy_version=policy_version
        )
        await self.send(self._response(accepted=accepted))

    async def progress(self, stage: media_pb2.Stage.ValueType, done: int, total: int) -> None:
        """Tell how far the call has come."""
        message = media_pb2.Progress(stage=stage, done=done, total=total)
        await self.send(self._response(progress=message))

    async def result(self, start: media_pb2.MediaStart, data: memoryview) -> None:
        """Send one finished medium in chunks.

        Args:
            start: opening of the medium; its index and size are filled in here.
            data: the medium's bytes in call memory.
        """
        start.size_bytes = len(data)
        outlet = await self.open_result(start)
        await outlet.send(data)
        await outlet.close()

    async def open_result(self, start: media_pb2.MediaStart) -> "Outlet":
        """Begin to send a medium, whole or while it is made.

        Args:
            start: opening of the medium; its index is filled in here.
        """
        if self._results == 0:
            self._telemetry.first_result(time.monotonic() - self._started)
        start.index = self._results
        self._results += 1
        await self.send(self._response(media_start=start))
        return Outlet(self.send, self._response, self.limits.chunk_bytes_max, self._telemetry)

    async def failure(self, index: int, error: MeshError) -> None:
        """Tell that one medium failed while the call goes on."""
        reason = media_pb2.ErrorReason.Value(f"ERROR_REASON_{error.reason}")
        message = media_pb2.Failure(
            index=index, reason=reason, message=error.message, field=error.field
        )
        await self.send(self._response(failure=message))

    async def send(self, message: Message) -> None:
        """Send one message; a caller that does not read is given up on.

        Raises:
            DeadlineError: the caller read nothing for `stall_seconds_max`.
            BusyError: the caller reads too slowly while others want in.
        """
        # A stream takes one message at a time, and work that goes on side by side tells of itself.
        async with self._sending, self.patience.wait("read"):
            await self._context.write(message)
        self.patience.moved(message.ByteSize())

    async def _ended(self, job: "Future[T]", future: "asyncio.Future[T]") -> None:
        """See work to its end that nobody waits for any more."""
        if future.done() or job.cancel():
            return
        self.cancelled.set()
        while not future.done():
            # However often the call is cancelled, the wipe must not overtake the work.
            with suppress(asyncio.CancelledError):
                await asyncio.wait({future})
        # Looked at, so that asyncio does not log an error of work that nobody waits for.
        future.exception()

    def at_end(self, clean_up: Callable[[], None]) -> None:
        """Have something blocking done on a worker thread before the call's status is sent."""
        self._clean_ups.append(clean_up)

    def begin_clean_up(self) -> None:
        """Begin what was put off to the end: nothing that it cleans up is used any more."""
        self._cleaning = asyncio.ensure_future(self._clean_up())

    async def settle(self) -> None:
        """Stop all work of the call and wait until no thread touches its memory any more."""
        self.cancelled.set()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def clean_up(self) -> None:
        """See done what was put off to the call's end."""
        if self._cleaning is not None:
            await self._cleaning
        await self._clean_up()

    async def _clean_up(self) -> None:
        """Do what was put off, last first."""
        loop = asyncio.get_running_loop()
        while self._clean_ups:
            await loop.run_in_executor(self._workers.enders, self._clean_ups.pop())


class Outlet:
    """A result on its way to the caller, in pieces of any size."""

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        response: ResponseType,
        chunk_bytes_max: int,
        telemetry: Telemetry,
    ) -> None:
        self._send = send
        self._response = response
        self._chunk_bytes_max = chunk_bytes_max
        self._telemetry = telemetry
        self._size_bytes = 0
        self._crc32c = 0

    async def send(self, data: memoryview) -> None:
        """Send the next piece in chunks."""
        sending = time.perf_counter()
        for chunk in split(data, self._chunk_bytes_max):
            self._crc32c = google_crc32c.extend(self._crc32c, chunk.data)
            await self._send(self._response(chunk=chunk))
        self._size_bytes += len(data)
        self._telemetry.stage(Stage.SEND, time.perf_counter() - sending)

    async def close(self) -> None:
        """Tell what the pieces were together."""
        end = media_pb2.MediaEnd(size_bytes=self._size_bytes, crc32c=self._crc32c)
        await self._send(self._response(media_end=end))


class CallDesk:
    """Lets calls in and sees them out."""

    def __init__(
        self,
        *,
        places: Places,
        budget: Budget,
        limits: CallLimits,
        workers: Workers,
        signer: ReceiptSigner,
        provenance: Provenance,
        telemetry: Telemetry,
        collect: Callable[[], None],
    ) -> None:
        """Keep what all calls share.

        Args:
            collect: breaks the cycles that keep an aborted call's last message alive.
        """
        self._places = places
        self._budget = budget
        self._limits = limits
        self._workers = workers
        self._signer = signer
        self._provenance = provenance
        self._telemetry = telemetry
        self._collect = collect

    @property
    def leased_bytes(self) -> int:
        """Memory that running calls hold now."""
        return self._budget.leased_bytes

    @asynccontextmanager
    async def open(self, context: Context, response: ResponseType) -> AsyncIterator[Call]:
        """Run the block as one call: arena before it, wipe and receipt after it.

        Raises:
            BusyError: no place or no memory for one more call now.
        """
        patience = Patience(self._limits.stall_seconds_max)
        with self._places.take(lane_of(context), patience):
            async with self._opened(context, response, patience) as call:
                yield call

    @asynccontextmanager
    async def _opened(
        self, context: Context, response: ResponseType, patience: Patience
    ) -> AsyncIterator[Call]:
        started = time.monotonic()
        call = Call(
            call_id=secrets.token_hex(CALL_ID_BYTES),
            arena=self._budget.lease(0),
            limits=self._limits,
            patience=patience,
            cancelled=threading.Event(),
            _context=context,
            _response=response,
            _workers=self._workers,
            _telemetry=self._telemetry,
            _started=started,
        )
        outcome = "CANCELLED"
        try:
            await call.accept(self._provenance.policy_version)
            yield call
            outcome = OUTCOME_OK
        except MeshError as error:
            outcome = error.code
            if isinstance(error, BusyError) and not patience.is_lost:
                # Memory is short, perhaps since others sleep on it: the next call finds some.
                self._places.make_room()
            raise
        except Exception:
            outcome = InternalError.code
            raise
        finally:
            # Shielded: a second cancel must not let the status overtake the wipe.
            erasure = await asyncio.shield(asyncio.ensure_future(self._erase(call)))
            if outcome != OUTCOME_OK:
                receipt = self._receipt(call, erasure, outcome, started)
                trailer = (RECEIPT_TRAILER, receipt.SerializeToString())
                context.set_trailing_metadata((trailer,))
            asyncio.get_running_loop().call_later(COLLECT_SECONDS, self._collect)
        await call.send(response(receipt=self._receipt(call, erasure, outcome, started)))

    async def _erase(self, call: Call) -> Erasure:
        await call.settle()
        started = time.perf_counter()
        erasure = call.arena.release()
        self._telemetry.wiped(erasure.wiped_bytes)
        await call.clean_up()
        self._telemetry.stage(Stage.WIPE, time.perf_counter() - started)
        self._telemetry.leased_bytes.set(self._budget.leased_bytes)
        return erasure

    def _receipt(
        self, call: Call, erasure: Erasure, outcome: str, started: float
    ) -> media_pb2.ErasureReceipt:
        statement = media_pb2.ErasureStatement(
            call_id=call.call_id,
            feature=self._provenance.feature,
            policy_version=self._provenance.policy_version,
            build_digest=self._provenance.build_digest,
            outcome=outcome,
            host_bytes_leased=erasure.leased_bytes_peak,
            host_bytes_wiped=erasure.wiped_bytes,
            device_bytes_leased=call.device.leased_bytes_peak,
            device_bytes_wiped=call.device.wiped_bytes,
            guard=self._provenance.guard,
        )
        statement.duration.FromNanoseconds(int((time.monotonic() - started) * 1e9))
        statement.wipe_duration.FromNanoseconds(int(erasure.duration_seconds * 1e9))
        signed = self._signer.sign(statement.SerializeToString())
        return media_pb2.ErasureReceipt(
            statement=signed.statement, signature=signed.signature, key_id=signed.key_id
        )


def lane_of(context: Context) -> str:
    """Read the mark of a caller's calls; an internal caller, which the mesh trusts, has none."""
    for name, value in context.invocation_metadata() or ():
        if name == LANE_HEADER:
            return str(value)
    return ""
