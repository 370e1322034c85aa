"""Waiting for a caller: what counts as waiting, what pays for it, and how it ends."""

import asyncio

import pytest

from services.chassis.errors import BusyError, DeadlineError, Reason
from services.chassis.patience import BYTES_PER_SECOND_MIN, Patience

STALL_SECONDS_MAX = 30.0


class Time:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def time() -> Time:
    """Make a clock."""
    return Time()


@pytest.fixture
def patience(time: Time) -> Patience:
    """Make the patience of one call."""
    return Patience(STALL_SECONDS_MAX, time)


async def wait(patience: Patience, time: Time, seconds: float) -> None:
    """Be kept waiting for so long."""
    async with patience.wait("sent"):
        time.now += seconds


async def test_waiting_adds_up_and_work_does_not(patience: Patience, time: Time) -> None:
    """Only the time that the service waits for its caller counts, over all of the call."""
    await wait(patience, time, 1.5)
    time.now += 60.0
    await wait(patience, time, 1.0)

    assert patience.arrears_seconds == 2.5
    assert not patience.is_waiting


async def test_a_wait_counts_while_it_lasts(patience: Patience, time: Time) -> None:
    """Whoever looks at a call that waits sees how long it has done so."""
    async with patience.wait("read"):
        time.now += 3.0
        seen = (patience.is_waiting, patience.arrears_seconds)

    assert seen == (True, 3.0)


async def test_waits_that_overlap_count_once_and_end_together(
    patience: Patience, time: Time
) -> None:
    """A call that tells of its work while it reads still waits for its caller afterwards."""
    async with patience.wait("sent"):
        time.now += 1.0
        async with patience.wait("read"):
            time.now += 2.0
        time.now += 4.0
        seen = (patience.is_waiting, patience.arrears_seconds)

    assert seen == (True, 7.0)
    assert (patience.is_waiting, patience.arrears_seconds) == (False, 7.0)


async def test_bytes_pay_for_waiting_and_never_in_advance(patience: Patience, time: Time) -> None:
    """A slow line that is at work is no sleeper; who sent much may not sleep the longer for it."""
    await wait(patience, time, 8.0)
    patience.moved(3 * BYTES_PER_SECOND_MIN)
    after_some = patience.arrears_seconds
    patience.moved(1000 * BYTES_PER_SECOND_MIN)
    await wait(patience, time, 2.0)

    assert (after_some, patience.arrears_seconds) == (5.0, 2.0)


async def test_bytes_now_and_then_pay_nothing_worth_speaking_of(
    patience: Patience, time: Time
) -> None:
    """A caller who sends one byte a second is as far behind as one who sends none."""
    for _ in range(20):
        await wait(patience, time, 1.0)
        patience.moved(1)

    assert patience.arrears_seconds == pytest.approx(20.0, rel=0.001)


async def test_a_caller_that_has_to_make_room_is_told_so(patience: Patience) -> None:
    """The wait that goes on ends at once, with the time after which to come back."""

    async def forever() -> None:
        async with patience.wait("sent"):
            await asyncio.Event().wait()

    waiting = asyncio.ensure_future(forever())
    while not patience.is_waiting:
        await asyncio.sleep(0)
    patience.lose()
    with pytest.raises(BusyError) as caught:
        await waiting

    assert caught.value.reason is Reason.SERVICE_BUSY
    assert caught.value.retry_after_seconds == 1.0
    assert not patience.is_waiting


async def test_who_made_room_does_not_wait_again(patience: Patience) -> None:
    """A message that came in the very moment of the loss does not undo it."""
    async with patience.wait("sent"):
        patience.lose()
    with pytest.raises(BusyError):
        async with patience.wait("sent"):
            raise AssertionError("it waited again")

    assert patience.is_lost


async def test_silence_has_a_limit_of_its_own() -> None:
    """A caller that nobody needs the room of is given up on after the longest wait."""
    with pytest.raises(DeadlineError) as caught:
        async with Patience(0.001).wait("read"):
            await asyncio.Event().wait()

    assert caught.value.reason is Reason.UPLOAD_STALLED
    assert caught.value.message == "the caller read nothing for too long"


async def test_a_cancel_passes_through(patience: Patience) -> None:
    """A call that its caller takes back is cancelled, not refused."""

    async def forever() -> None:
        async with patience.wait("sent"):
            await asyncio.Event().wait()

    waiting = asyncio.ensure_future(forever())
    while not patience.is_waiting:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert not patience.is_waiting
