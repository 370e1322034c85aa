"""Whole calls of any content against the stylize service, its networks apart."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import google_crc32c
from google.protobuf.message import Message
from hypothesis import strategies as st

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from services.chassis.calls import CallDesk, Context, Provenance
from services.chassis.errors import MeshError
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget
from services.chassis.places import Places
from services.chassis.receipts import ReceiptSigner
from services.chassis.telemetry import Telemetry
from services.chassis.workers import Workers
from services.stylize.servicer import StylizeServicer
from tests.e2e.stand_in import make_pipeline
from tests.fuzz.conversations import Request
from tests.fuzz.files import files, whole_files
from tests.fuzz.manners import well_formed

LIMITS = CallLimits(
    chunk_bytes_max=1 << 16,
    medium_bytes_max=1 << 16,
    call_bytes_max=1 << 17,
    media_max=4,
    pixels_max=1 << 14,
    frames_max=0,
    deadline_seconds_max=10.0,
    stall_seconds_max=5.0,
)
ARENA_BYTES_MAX = 1 << 28
KINDS = (media_pb2.MEDIA_KIND_IMAGE, media_pb2.MEDIA_KIND_STYLE, media_pb2.MEDIA_KIND_MASK)


class ListeningContext:
    """The part of a gRPC context that a call writes to."""

    def __init__(self) -> None:
        self.written: list[Message] = []
        self.trailers: tuple[tuple[str, bytes], ...] = ()

    async def write(self, message: Message) -> None:
        """Keep an answer."""
        self.written.append(message)

    def invocation_metadata(self) -> tuple[()]:
        """Tell nothing."""
        return ()

    def set_trailing_metadata(self, trailers: tuple[tuple[str, bytes], ...]) -> None:
        """Keep what goes with the status."""
        self.trailers = trailers


class Service:
    """A stylize service without a port; a context manager."""

    def __init__(self, signing_key: bytes) -> None:
        self._executor = ThreadPoolExecutor(1)
        self._budget = Budget(ARENA_BYTES_MAX)
        guard = media_pb2.Guard()
        provenance = Provenance(feature="stylize", policy_version="1", build_digest="", guard=guard)
        desk = CallDesk(
            places=Places(1),
            budget=self._budget,
            limits=LIMITS,
            workers=Workers.of_one(self._executor),
            signer=ReceiptSigner(signing_key),
            provenance=provenance,
            telemetry=Telemetry("stylize"),
            collect=lambda: None,
        )
        self._servicer = StylizeServicer(desk, make_pipeline(1))

    def check(self, messages: Sequence[Request], loop: asyncio.AbstractEventLoop) -> None:
        """Make a call: it ends with a receipt, well or refused, and keeps no memory.

        Raises:
            AssertionError: a find. Any error outside of the error tree is one too.
        """
        context = ListeningContext()
        try:
            loop.run_until_complete(self._answer(messages, context))
        except MeshError:
            assert context.trailers
        else:
            last = cast("stylize_pb2.StylizeResponse", context.written[-1])
            assert last.WhichOneof("message") == "receipt"
        assert self._budget.leased_bytes == 0

    def close(self) -> None:
        """End its thread."""
        self._executor.shutdown()

    async def _answer(self, messages: Sequence[Request], context: ListeningContext) -> None:
        async def stream() -> AsyncIterator[Request]:
            for message in messages:
                yield message

        await self._servicer.Stylize(stream(), cast("Context", context))


def medium(index: int, kind: int, data: bytes, belongs_to: int | None) -> list[Request]:
    """Make the messages of one medium."""
    start = media_pb2.MediaStart(index=index, kind=kind, belongs_to=belongs_to)  # type: ignore[arg-type]
    chunk = media_pb2.Chunk(data=data, crc32c=google_crc32c.value(data))
    return [Request(media_start=start), Request(chunk=chunk)]


media = st.tuples(
    st.sampled_from(KINDS),
    st.one_of(files, st.integers(0, 12).map(lambda which: whole_files()[which])),
    st.none() | st.integers(0, 3),
)
calls = st.builds(
    lambda options, uploads: [
        Request(options=options),
        *(
            message
            for index, (kind, data, belongs_to) in enumerate(uploads)
            for message in medium(index, kind, data, belongs_to)
        ),
    ],
    st.one_of(st.just(stylize_pb2.StylizeOptions()), well_formed),
    st.lists(media, max_size=4),
)
