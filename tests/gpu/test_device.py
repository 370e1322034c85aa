"""Device memory of a run: leased, carved, wiped, given back, whatever happens."""

import threading

import numpy as np
import pytest

from services.chassis.errors import BusyError, InternalError, LimitError
from services.chassis.memory.device import ALIGNMENT_BYTES
from services.chassis.memory.device_budget import DeviceBudget
from tests.gpu.emulated import EmulatedDriver, put

CANARY = np.frombuffer(b"batchpix canary!" * 64, np.uint8)


def test_a_lease_is_zero_at_first_and_zero_when_it_goes() -> None:
    """Nothing stale is read and nothing is left, and the device does each step in order."""
    driver = EmulatedDriver()
    stream = driver.stream()
    budget = DeviceBudget(driver, 1 << 20)

    with driver.current(), budget.lease(4096, stream) as arena:
        first = arena.array((16,), np.uint8)
        assert not driver.bytes_at(first.address, 16).any()
        put(arena, stream, CANARY)

    assert driver.log == ["allocate", "wipe", "upload", "wipe", "synchronise", "release"]
    assert not driver.released[0].any()
    assert budget.leased_bytes == 0


def test_without_the_wipe_the_canary_would_be_found() -> None:
    """The search finds what it looks for: a driver that does not wipe leaves the canary."""
    driver = EmulatedDriver()
    stream = driver.stream()
    stream.wipe = lambda *_: None  # type: ignore[method-assign]

    with driver.current(), DeviceBudget(driver, 1 << 20).lease(4096, stream) as arena:
        put(arena, stream, CANARY)

    assert CANARY.tobytes() in driver.released[0].tobytes()


def test_arrays_are_aligned_and_apart() -> None:
    """Each array starts where networks want it, behind the one before."""
    driver = EmulatedDriver()

    with driver.current(), DeviceBudget(driver, 1 << 20).lease(4096, driver.stream()) as arena:
        first, second = arena.array((3,), np.uint8), arena.array((2, 2), "float32")

    assert second.address - first.address == ALIGNMENT_BYTES
    assert first.address % ALIGNMENT_BYTES == 0
    assert second.size_bytes == 16


def test_a_lease_too_small_is_a_fault_of_ours() -> None:
    """Nothing is allocated beyond the lease."""
    driver = EmulatedDriver()

    with (
        driver.current(),
        DeviceBudget(driver, 1 << 20).lease(300, driver.stream()) as arena,
        pytest.raises(InternalError),
    ):
        arena.array((301,), np.uint8)

    assert driver.log.count("allocate") == 1


@pytest.mark.parametrize("is_early", [True, False])
@pytest.mark.parametrize("step", ["upload", "wipe", "synchronise"])
def test_failures_give_everything_back(step: str, is_early: bool) -> None:
    """A step that fails, the wipe itself included, leaves no memory and no charge behind."""
    driver = EmulatedDriver()
    driver.failing = {step} if is_early else set()
    budget = DeviceBudget(driver, 1 << 20)
    stream = driver.stream()

    def work() -> None:
        with driver.current(), budget.lease(4096, stream) as arena:
            driver.failing = {step}
            put(arena, stream, CANARY)

    with pytest.raises(RuntimeError):
        work()

    assert (driver.memory, budget.leased_bytes) == ({}, 0)
    assert driver.log[-1] == "release"


def test_more_than_the_budget_is_a_limit() -> None:
    """What can never be had is refused at once."""
    driver = EmulatedDriver()

    with driver.current(), pytest.raises(LimitError):
        DeviceBudget(driver, 1000).lease(1001, driver.stream())

    assert driver.log == []


def test_a_device_that_is_full_is_busy() -> None:
    """Where another process holds the device's memory, callers may come back later."""
    driver = EmulatedDriver(room_bytes=0)
    budget = DeviceBudget(driver, 1 << 20)

    with driver.current(), pytest.raises(BusyError) as caught:
        budget.lease(1000, driver.stream())

    assert caught.value.retry_after_seconds
    assert budget.leased_bytes == 0


def test_no_room_within_patience_is_busy() -> None:
    """A run that finds no room gives up after the time it was given."""
    driver = EmulatedDriver()
    budget = DeviceBudget(driver, 1000, patience_seconds=0.0)

    with (
        driver.current(),
        budget.lease(600, driver.stream()),
        pytest.raises(BusyError),
    ):
        budget.lease(600, driver.stream())

    assert budget.leased_bytes == 0


def test_a_run_waits_for_another_to_end() -> None:
    """Room that comes free goes to who waits for it."""
    driver = EmulatedDriver()
    budget = DeviceBudget(driver, 1000)
    order: list[str] = []
    with driver.current():
        first = budget.lease(600, driver.stream())

        def wait() -> None:
            with budget.lease(600, driver.stream()):
                order.append("second")

        waiting = threading.Thread(target=wait)
        waiting.start()
        with first:
            order.append("first")
        waiting.join(10)

    assert order == ["first", "second"]
    assert budget.leased_bytes == 0


def test_the_peak_is_of_all_runs_at_one_time() -> None:
    """What is kept counts while a run is in it, and not between runs."""
    driver = EmulatedDriver()
    stream = driver.stream()
    budget = DeviceBudget(driver, 10_000)

    with driver.current():
        kept = budget.keep(2000, stream)
        with kept.lease(), budget.lease(600, stream):
            assert budget.leased_bytes == 2600
        with budget.lease(700, stream):
            pass
    assert budget.peak_bytes == 2600

    budget.forget_peak()
    with driver.current(), budget.lease(700, stream):
        pass
    assert (budget.peak_bytes, budget.leased_bytes, budget.kept_bytes) == (700, 0, 2000)


def test_kept_memory_is_zero_from_the_start_and_after_each_run() -> None:
    """It is wiped when it is taken and when a run ends, and not once more in between."""
    driver = EmulatedDriver()
    stream = driver.stream()

    with driver.current():
        kept = DeviceBudget(driver, 10_000).keep(2000, stream)
        for _ in range(2):
            with kept.lease() as arena:
                assert not driver.bytes_at(kept.address, 2000).any()
                put(arena, stream, CANARY)

        assert not driver.bytes_at(kept.address, 2000).any()
    run = ["upload", "wipe", "synchronise"]
    assert driver.log == ["allocate", "wipe", "synchronise", *run, *run]


def test_no_more_than_a_quarter_is_kept() -> None:
    """Runs of all sizes have room beside what is kept for some."""
    driver = EmulatedDriver()
    budget = DeviceBudget(driver, 10_000)

    with driver.current():
        budget.keep(2000, driver.stream())
        with pytest.raises(BusyError):
            budget.keep(501, driver.stream())
        with pytest.raises(LimitError):
            budget.lease(8001, driver.stream())
        with budget.lease(8000, driver.stream()):
            pass


def test_memory_that_can_never_be_zero_is_not_kept() -> None:
    """Where the first wipe fails nothing stays taken or counted."""
    driver = EmulatedDriver()
    budget = DeviceBudget(driver, 10_000)
    driver.failing = {"wipe"}

    with driver.current(), pytest.raises(RuntimeError):
        budget.keep(2000, driver.stream())

    assert (driver.memory, budget.kept_bytes) == ({}, 0)
