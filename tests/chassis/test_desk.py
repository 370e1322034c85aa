"""The desk where calls are let in: who sleeps gives up place and memory, whoever needs them."""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from services.chassis.calls import LANE_HEADER, Call, CallDesk, Context, Provenance
from services.chassis.errors import BusyError, Reason
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget
from services.chassis.places import ARREARS_SECONDS_MIN, Places
from services.chassis.receipts import ReceiptSigner
from services.chassis.settings import MEBIBYTE, Settings
from services.chassis.telemetry import Telemetry
from services.chassis.workers import Workers
from tests.fuzz.targets import signing_key

PLACES = 4
CALL_BYTES = 8 * MEBIBYTE
BUDGET_BYTES = 12 * MEBIBYTE


class Listener:
    """The part of a gRPC context that a call uses, of a caller with a lane."""

    def __init__(self, lane: str = "") -> None:
        self._lane = lane

    async def write(self, message: Message) -> None:
        """Read an answer."""

    def set_trailing_metadata(self, trailers: tuple[tuple[str, bytes], ...]) -> None:
        """Read what goes with the status."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Tell what the gateway wrote."""
        return ((LANE_HEADER, self._lane),) if self._lane else ()


@pytest.fixture
def desk() -> Iterator[CallDesk]:
    """Make a desk of few places and little memory."""
    with ThreadPoolExecutor(1) as pool:
        yield CallDesk(
            places=Places(PLACES),
            budget=Budget(BUDGET_BYTES, CALL_BYTES),
            limits=CallLimits.from_settings(Settings()),
            workers=Workers.of_one(pool),
            signer=ReceiptSigner(signing_key()),
            provenance=Provenance(
                feature="stylize", policy_version="1", build_digest="", guard=media_pb2.Guard()
            ),
            telemetry=Telemetry("stylize"),
            collect=lambda: None,
        )


class Sleeper:
    """A call whose caller has said nothing for longer than others have to bear."""

    def __init__(self, desk: CallDesk, lane: str = "", size_bytes: int = 0) -> None:
        self._asleep = asyncio.Event()
        self.task = asyncio.ensure_future(self._call(desk, lane, size_bytes))

    async def asleep(self) -> None:
        """Wait until the service waits."""
        await self._asleep.wait()

    async def _call(self, desk: CallDesk, lane: str, size_bytes: int) -> None:
        async with opened(desk, lane) as call:
            call.arena.take(size_bytes)
            call.patience._arrears_seconds = ARREARS_SECONDS_MIN
            async with call.patience.wait("sent"):
                self._asleep.set()
                await asyncio.Event().wait()


def opened(desk: CallDesk, lane: str = "") -> contextlib.AbstractAsyncContextManager[Call]:
    """Open a call of a lane."""
    return desk.open(cast("Context", Listener(lane)), stylize_pb2.StylizeResponse)


async def test_a_sleeper_makes_room_for_the_next(desk: CallDesk) -> None:
    """With all places taken the sleeping call is refused and gone, and the next is let in."""
    sleepers = [Sleeper(desk, f"lane {number}") for number in range(PLACES)]
    for sleeper in sleepers:
        await sleeper.asleep()
    async with opened(desk):
        done, _ = await asyncio.wait(
            [sleeper.task for sleeper in sleepers], return_when=asyncio.FIRST_COMPLETED
        )

    errors = [task.exception() for task in done]
    assert len(errors) == 1
    assert isinstance(errors[0], BusyError)
    assert errors[0].reason is Reason.SERVICE_BUSY
    for sleeper in sleepers:
        sleeper.task.cancel()
    await asyncio.gather(*(sleeper.task for sleeper in sleepers), return_exceptions=True)


async def test_memory_of_a_sleeper_is_there_for_the_next(desk: CallDesk) -> None:
    """A call that finds no memory is told to come back, and then finds what a sleeper held."""
    sleeper = Sleeper(desk, size_bytes=CALL_BYTES)
    await sleeper.asleep()
    with pytest.raises(BusyError) as refused:
        async with opened(desk) as call:
            call.arena.take(CALL_BYTES)
    with pytest.raises(BusyError) as lost:
        await sleeper.task
    async with opened(desk) as call:
        call.arena.take(CALL_BYTES)

    assert refused.value.reason is Reason.MEMORY_BUDGET_EXHAUSTED
    assert lost.value.reason is Reason.SERVICE_BUSY
    assert desk.leased_bytes == 0


async def test_calls_of_one_lane_get_half_of_the_places(desk: CallDesk) -> None:
    """The gateway's mark is what calls are counted by, while their callers are awake."""
    async with opened(desk, "A"), opened(desk, "A"):
        with pytest.raises(BusyError):
            async with opened(desk, "A"):
                raise AssertionError("it was let in")
        async with opened(desk, "B"), opened(desk):
            pass


class Stream(Listener):
    """A context that takes one message at a time, as gRPC's do, and holds the first back."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Message] = []
        self.going_on = asyncio.Event()
        self._writing = False

    async def write(self, message: Message) -> None:
        """Read an answer once that is allowed."""
        assert not self._writing, "two messages at a time"
        self._writing = True
        await self.going_on.wait()
        self.read.append(message)
        self._writing = False


async def test_work_side_by_side_tells_of_itself_in_turn(desk: CallDesk) -> None:
    """Messages that are due at the same time leave one after the other."""
    stream = Stream()
    stream.going_on.set()
    async with desk.open(cast("Context", stream), stylize_pb2.StylizeResponse) as call:
        stream.going_on.clear()
        told = [
            asyncio.ensure_future(call.progress(media_pb2.STAGE_ANALYSE, done, 3))
            for done in range(3)
        ]
        await asyncio.sleep(0)
        stream.going_on.set()
        await asyncio.gather(*told)

    done = [message.progress.done for message in stream.read[1:-1]]  # type: ignore[attr-defined]
    assert done == [0, 1, 2]


async def test_a_clean_up_that_has_begun_is_seen_to_its_end(desk: CallDesk) -> None:
    """What is cleaned up ahead is done once, and a fault of it is the call's."""
    done: list[str] = []

    def fail() -> None:
        raise OSError("it can't be cleaned up")

    async def hold() -> None:
        async with opened(desk) as call:
            call.at_end(fail)
            call.at_end(lambda: done.append("early"))
            call.begin_clean_up()

    with pytest.raises(OSError, match="can't be cleaned up"):
        await hold()

    assert done == ["early"]
