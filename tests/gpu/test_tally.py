"""The device memory of one call, counted over its runs and told in its receipt."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from batchpix.media.v1 import media_pb2
from services.chassis.calls import Call, CallDesk, Provenance
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget, Erasure
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.memory.tally import DeviceTally
from services.chassis.patience import Patience
from services.chassis.places import Places
from services.chassis.receipts import ReceiptSigner
from services.chassis.settings import Settings
from services.chassis.telemetry import Stage, Telemetry
from services.chassis.workers import Workers
from tests.gpu.emulated import EmulatedDriver


@pytest.fixture
def driver() -> EmulatedDriver:
    """Make a device."""
    return EmulatedDriver()


@pytest.fixture
def budget(driver: EmulatedDriver) -> DeviceBudget:
    """Make a budget."""
    return DeviceBudget(driver, 1 << 20)


@pytest.fixture
def call() -> Iterator[Call]:
    """Open a call that nobody listens to."""
    with ThreadPoolExecutor(2) as pool, Budget(64 << 20).lease(0) as arena:
        yield Call(
            call_id="call",
            arena=arena,
            limits=CallLimits.from_settings(Settings()),
            patience=Patience(10.0),
            cancelled=threading.Event(),
            _context=None,  # type: ignore[arg-type]  # nothing is sent
            _response=None,  # type: ignore[arg-type]
            _workers=Workers.of_one(pool),
            _telemetry=Telemetry("stylize"),
            _started=0.0,
        )


def run(driver: EmulatedDriver, budget: DeviceBudget, size_bytes: int) -> None:
    """Hold so much device memory for a moment."""
    with driver.current(), budget.lease(size_bytes, driver.stream()) as arena:
        arena.array((size_bytes,), np.uint8)


def test_runs_are_counted_in_the_threads_of_their_call(
    driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """Peak and wiped bytes are those of the call's own runs, also of a thread that it starts."""
    tally = DeviceTally()

    def work() -> None:
        run(driver, budget, 3000)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, run, driver, budget, 500).result()

    run(driver, budget, 9000)
    tally.counted(work)
    run(driver, budget, 9000)

    assert (tally.leased_bytes_peak, tally.wiped_bytes) == (3000, 3500)


def test_kept_memory_counts_for_the_call_that_uses_it(
    driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """A recorded run is wiped like any other; taking the memory at the start is nobody's."""
    tally = DeviceTally()
    with driver.current():
        kept = budget.keep(2000, driver.stream())

        def work() -> None:
            for _ in range(2):
                with kept.lease():
                    pass

        tally.counted(work)

    assert (tally.leased_bytes_peak, tally.wiped_bytes) == (2000, 4000)


def test_what_could_not_be_wiped_is_not_claimed(
    driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """A receipt says only what was done."""
    tally = DeviceTally()
    driver.failing = {"synchronise"}

    with pytest.raises(RuntimeError):
        tally.counted(run, driver, budget, 3000)

    assert (tally.leased_bytes_peak, tally.wiped_bytes) == (3000, 0)


async def test_the_receipt_tells_what_the_runs_of_a_call_wiped(
    call: Call, driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """Work of a call is counted wherever it is done, and signed with the rest."""
    for size_bytes in (700, 400):
        await call.compute(Stage.RENDER, run, driver, budget, size_bytes)
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    desk = CallDesk(
        places=Places(4),
        budget=Budget(1 << 20),
        limits=call.limits,
        workers=call._workers,
        signer=ReceiptSigner(pem),
        provenance=Provenance(
            feature="stylize", policy_version="1", build_digest="", guard=media_pb2.Guard()
        ),
        telemetry=call._telemetry,
        collect=lambda: None,
    )
    erasure = Erasure(leased_bytes_peak=0, wiped_bytes=0, locked=True, duration_seconds=0.0)

    receipt = desk._receipt(call, erasure, "OK", 0.0)

    statement = media_pb2.ErasureStatement.FromString(receipt.statement)
    assert (statement.device_bytes_leased, statement.device_bytes_wiped) == (700, 1100)
