"""The chunk protocol of `batchpix.media.v1`: media out of requests, results into answers."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import google_crc32c

from batchpix.media.v1 import media_pb2
from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.limits import CallLimits
from services.chassis.patience import Patience

# A medium of unknown size starts with room for one chunk and doubles when it is full.
GROWTH_FACTOR = 2


class CallMemory(Protocol):
    """The part of an arena that an upload needs."""

    def take(self, size_bytes: int) -> memoryview:
        """Carve zeroed, writable memory out of the call's arena."""
        ...


class Request(Protocol):
    """A request message of any feature: a oneof `message` of options, media_start and chunk."""

    @property
    def media_start(self) -> media_pb2.MediaStart:
        """Opening of a medium."""
        ...

    @property
    def chunk(self) -> media_pb2.Chunk:
        """Bytes of the open medium."""
        ...

    def WhichOneof(  # noqa: N802  # protobuf's name
        self, oneof_group: Literal["message"], /
    ) -> Literal["options", "media_start", "chunk"] | None:
        """Name the set member."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumHeader:
    """What a caller says of a medium before its bytes.

    Attributes:
        index: position among the media of the call, from 0.
        kind: what it is for.
        media_type: declared internet media type.
        size_bytes: declared size, None if not known yet.
        belongs_to: index of the image that a mask or depth map is for.
    """

    index: int
    kind: media_pb2.MediaKind.ValueType
    media_type: str
    size_bytes: int | None
    belongs_to: int | None

    @property
    def field(self) -> str:
        """Path of the medium in error details."""
        return f"media[{self.index}]"


RequestT = TypeVar("RequestT", bound=Request)


class Upload(Generic[RequestT]):
    """The caller's half of one call, read in order and held to its limits."""

    def __init__(
        self, requests: AsyncIterator[RequestT], limits: CallLimits, patience: Patience
    ) -> None:
        self._requests = requests
        self._limits = limits
        self._patience = patience
        self._pending: RequestT | None = None
        self._media_count = 0
        self._received_bytes = 0

    async def first(self) -> RequestT:
        """Read the first message, which must hold the options.

        Raises:
            InvalidRequestError: the stream is empty or starts with something else.
        """
        message = await self._next()
        if message is None or message.WhichOneof("message") != "options":
            raise InvalidRequestError(
                Reason.OPTIONS_MISSING, "the first message must hold the options", field="options"
            )
        return message

    async def next_medium(self) -> MediumHeader | None:
        """Read the opening of the next medium, or None where the caller half-closed.

        Raises:
            InvalidRequestError: a message out of order, or a medium that is not the next one.
            LimitError: too many media, or a declared size over its limit.
        """
        message = await self._next()
        if message is None:
            return None
        kind = message.WhichOneof("message")
        if kind == "options":
            raise InvalidRequestError(
                Reason.OPTIONS_REPEATED, "options may come once only", field="options"
            )
        if kind != "media_start":
            raise out_of_order("a chunk needs an open medium", "chunk")
        return self._open(message.media_start)

    async def read(self, header: MediumHeader, memory: CallMemory) -> memoryview:
        """Read the bytes of the medium just opened into call memory.

        Returns:
            The medium's bytes, owned by `memory`.

        Raises:
            InvalidRequestError: no bytes, a bad chunk, or another size than declared.
            LimitError: a chunk, the medium or the call is over its limit.
        """
        size_max = header.size_bytes or self._limits.medium_bytes_max
        target = memory.take(header.size_bytes or min(self._limits.chunk_bytes_max, size_max))
        filled = 0
        while header.size_bytes is None or filled < header.size_bytes:
            data = await self._chunk(header)
            if data is None:
                break
            end = filled + len(data)
            if end > size_max:
                raise self._too_long(header)
            if end > len(target):
                target = grow(
                    target, filled, min(max(end, GROWTH_FACTOR * filled), size_max), memory
                )
            target[filled:end] = data
            filled = end
        self._check_size(header, filled)
        return target[:filled]

    def _open(self, start: media_pb2.MediaStart) -> MediumHeader:
        field = f"media[{self._media_count}]"
        if start.index != self._media_count:
            raise out_of_order("media must be counted from 0 in order", f"{field}.index")
        if self._media_count >= self._limits.media_max:
            raise LimitError(
                Reason.UPLOAD_TOO_MANY,
                f"a call may hold {self._limits.media_max} media",
                field=field,
            )
        if start.size_bytes > self._limits.medium_bytes_max:
            raise too_large("a medium", self._limits.medium_bytes_max, f"{field}.size_bytes")
        if self._received_bytes + start.size_bytes > self._limits.call_bytes_max:
            raise too_large("a call", self._limits.call_bytes_max, f"{field}.size_bytes")
        self._media_count += 1
        return MediumHeader(
            index=start.index,
            kind=start.kind,
            media_type=start.media_type,
            size_bytes=start.size_bytes or None,
            belongs_to=start.belongs_to if start.HasField("belongs_to") else None,
        )

    async def _chunk(self, header: MediumHeader) -> bytes | None:
        """Read one chunk of the open medium; None where the medium ends."""
        message = await self._next()
        if message is None:
            return None
        kind = message.WhichOneof("message")
        if kind == "options":
            raise InvalidRequestError(
                Reason.OPTIONS_REPEATED, "options may come once only", field="options"
            )
        if kind != "chunk":
            self._pending = message
            return None
        data = message.chunk.data
        self._check_chunk(data, message.chunk.crc32c, header)
        return data

    def _check_chunk(self, data: bytes, crc32c: int, header: MediumHeader) -> None:
        field = f"{header.field}.chunk"
        if len(data) > self._limits.chunk_bytes_max:
            raise InvalidRequestError(
                Reason.CHUNK_TOO_LARGE,
                f"a chunk may hold {self._limits.chunk_bytes_max} bytes",
                field=field,
            )
        if not data:
            raise InvalidRequestError(Reason.UPLOAD_EMPTY, "a chunk holds no bytes", field=field)
        if google_crc32c.value(data) != crc32c:
            raise InvalidRequestError(
                Reason.CHUNK_CORRUPT, "a chunk differs from its crc32c", field=f"{field}.crc32c"
            )
        self._patience.moved(len(data))
        self._received_bytes += len(data)
        if self._received_bytes > self._limits.call_bytes_max:
            raise too_large("a call", self._limits.call_bytes_max, field)

    def _check_size(self, header: MediumHeader, filled: int) -> None:
        if header.size_bytes is not None and filled != header.size_bytes:
            raise size_mismatch(header)
        if filled == 0:
            raise InvalidRequestError(
                Reason.UPLOAD_EMPTY, "the medium holds no bytes", field=header.field
            )

    def _too_long(self, header: MediumHeader) -> Exception:
        if header.size_bytes is not None:
            return size_mismatch(header)
        return too_large("a medium", self._limits.medium_bytes_max, header.field)

    async def _next(self) -> RequestT | None:
        """Read one message, the put-back one first; None where the caller half-closed."""
        if self._pending is not None:
            message, self._pending = self._pending, None
            return message
        async with self._patience.wait("sent"):
            return await anext(self._requests, None)


def split(data: memoryview, chunk_bytes: int) -> Iterator[media_pb2.Chunk]:
    """Cut a result into chunks of at most `chunk_bytes`, each with its crc32c."""
    for start in range(0, len(data), chunk_bytes):
        piece = bytes(data[start : start + chunk_bytes])
        yield media_pb2.Chunk(data=piece, crc32c=google_crc32c.value(piece))


def grow(target: memoryview, filled: int, size_bytes: int, memory: CallMemory) -> memoryview:
    """Carve a larger buffer and copy what has come; the old one is wiped with the call."""
    larger = memory.take(size_bytes)
    larger[:filled] = target[:filled]
    return larger


def out_of_order(message: str, field: str) -> InvalidRequestError:
    """Refuse a message that the protocol does not allow here."""
    return InvalidRequestError(Reason.UPLOAD_OUT_OF_ORDER, message, field=field)


def too_large(what: str, limit_bytes: int, field: str) -> LimitError:
    """Refuse bytes over a limit, and tell the limit."""
    return LimitError(
        Reason.UPLOAD_TOO_LARGE,
        f"{what} may hold {limit_bytes} bytes",
        field=field,
        metadata={"limit_bytes": str(limit_bytes)},
    )


def size_mismatch(header: MediumHeader) -> InvalidRequestError:
    """Refuse a medium that is shorter or longer than it declared."""
    return InvalidRequestError(
        Reason.UPLOAD_SIZE_MISMATCH,
        "the medium has another size than it declared",
        field=f"{header.field}.size_bytes",
    )
