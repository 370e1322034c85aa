"""A call's memory against its cancel: the wipe waits for the work, and the work for nobody."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.chassis.calls import Call
from services.chassis.errors import InternalError, Reason
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget
from services.chassis.patience import Patience
from services.chassis.settings import Settings
from services.chassis.telemetry import Stage, Telemetry
from services.chassis.workers import Workers

SECONDS_MAX = 10.0


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Make one worker thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def call(executor: ThreadPoolExecutor) -> Iterator[Call]:
    """Open a call that nobody listens to."""
    with Budget(64 << 20).lease(0) as arena:
        yield Call(
            call_id="call",
            arena=arena,
            limits=CallLimits.from_settings(Settings()),
            patience=Patience(SECONDS_MAX),
            cancelled=threading.Event(),
            _context=None,  # type: ignore[arg-type]  # nothing is sent
            _response=None,  # type: ignore[arg-type]
            _workers=Workers.of_one(executor),
            _telemetry=Telemetry("stylize"),
            _started=0.0,
        )


async def test_a_scope_ends_after_the_work_in_it(call: Call) -> None:
    """Shows that a cancel leaves memory alone until the thread that works in it has stopped."""
    begun, seen = threading.Event(), list[bool]()

    def work() -> None:
        with call.arena.scope():
            values = call.arena.array((1 << 20,), np.uint8)
            values[:] = 7
            begun.set()
            assert call.cancelled.wait(SECONDS_MAX)
            # Were the outer scope over, its memory would be zero by now.
            seen.append(bool((values == 7).all()))

    async def serve() -> None:
        with call.arena.scope():
            call.arena.array((1 << 20,), np.uint8)
            await call.compute(Stage.RENDER, work)

    task = asyncio.create_task(serve())
    await asyncio.to_thread(begun.wait, SECONDS_MAX)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert seen == [True]
    assert call.arena.used_bytes == 0


async def test_a_second_cancel_does_not_overtake_the_work(call: Call) -> None:
    """Shows that whoever cancels twice waits as long."""
    begun, ended = threading.Event(), threading.Event()
    go_on = threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(SECONDS_MAX)
        ended.set()

    task = asyncio.create_task(call.compute(Stage.RENDER, work))
    await asyncio.to_thread(begun.wait, SECONDS_MAX)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    was_done = task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not was_done
    assert ended.is_set()


async def test_work_that_waits_for_a_thread_is_dropped(
    call: Call, executor: ThreadPoolExecutor
) -> None:
    """Shows that a cancel takes back work that has not begun."""
    go_on, ran = threading.Event(), threading.Event()
    executor.submit(go_on.wait, SECONDS_MAX)
    task = asyncio.create_task(call.compute(Stage.RENDER, ran.set))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    executor.submit(int).result(SECONDS_MAX)

    assert not ran.is_set()


async def test_an_error_of_abandoned_work_is_not_logged(
    call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    """Shows that what fails after a cancel leaves no traceback behind."""
    begun = threading.Event()

    def work() -> None:
        begun.set()
        assert call.cancelled.wait(SECONDS_MAX)
        raise InternalError(Reason.INTERNAL, "too late")

    task = asyncio.create_task(call.compute(Stage.RENDER, work))
    await asyncio.to_thread(begun.wait, SECONDS_MAX)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert caplog.records == []
