"""What is fuzzed, and how each case is checked."""

import asyncio
import faulthandler
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from services.chassis.media import containers, image
from tests.fuzz.calls import Service, calls
from tests.fuzz.conversations import check_conversation, conversations
from tests.fuzz.files import check_file, declared_files
from tests.fuzz.films import check_film, damaged_films
from tests.fuzz.manners import check_options, messages
from tests.fuzz.motions import check_motion, motions
from tests.fuzz.wishes import (
    check_dance_wish,
    check_tryon_wish,
    check_video_wish,
    dance_wishes,
    tryon_wishes,
    video_wishes,
)

CASE_SECONDS_MAX = 1.0
# A case that never ends is never timed: the process says where it is, and ends.
HANG_SECONDS_MAX = 60.0
Case = TypeVar("Case")
Run = Callable[[int], None]
"""Checks so many cases; raises on a find, with the smallest case that shows it."""


@contextmanager
def open_targets(*, is_repeatable: bool) -> Iterator[Mapping[str, Run]]:
    """Make the targets by name; the same cases each time, or others each time."""
    loop = asyncio.new_event_loop()
    service = Service(signing_key())

    def run(check: Callable[[Case], None], cases: SearchStrategy[Case]) -> Run:
        def search(count: int) -> None:
            # Here, and not once for all: a test starts with warning filters of its own.
            image.warm_up()
            containers.keep_quiet()
            chosen = settings(
                max_examples=count,
                derandomize=is_repeatable,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            )
            given(case=cases)(chosen(timed(check)))()

        return search

    try:
        yield {
            "conversations": run(lambda case: check_conversation(case, loop), conversations),
            "files": run(lambda case: check_file(*case), declared_files),
            "films": run(lambda case: check_film(*case), damaged_films),
            "options": run(check_options, messages),
            "video options": run(check_video_wish, video_wishes),
            "dance options": run(check_dance_wish, dance_wishes),
            "tryon options": run(check_tryon_wish, tryon_wishes),
            "motions": run(check_motion, motions),
            "calls": run(lambda case: service.check(case, loop), calls),
        }
    finally:
        service.close()
        loop.close()


def timed(check: Callable[[Case], None]) -> Callable[[Case], None]:
    """Hold a check to its time, be it spent in working or in waiting for what does not come."""

    def checked(case: Case) -> None:
        # A pause of the collector falls on some case or other: only what is slow twice is slow.
        assert seconds_of(check, case) < CASE_SECONDS_MAX or (
            seconds_of(check, case) < CASE_SECONDS_MAX
        )

    return checked


def seconds_of(check: Callable[[Case], None], case: Case) -> float:
    """Check a case; return the seconds that it took, those of a busy machine not counted."""
    faulthandler.dump_traceback_later(HANG_SECONDS_MAX, exit=True)
    queued, worked, started = queued_seconds(), time.process_time(), time.monotonic()
    try:
        check(case)
        seconds = time.monotonic() - started
        if seconds >= CASE_SECONDS_MAX:
            seconds -= queued_seconds() - queued
        return max(seconds, time.process_time() - worked)
    finally:
        # Outside of what is measured: it waits for the thread that keeps watch.
        faulthandler.cancel_dump_traceback_later()


def queued_seconds() -> float:
    """Tell how long this process' threads have been ready to run and had to wait for their turn.

    That is the second number of a thread's schedstat, in nanoseconds (Linux, sched-stats.rst).
    """
    queued_ns = 0
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            queued_ns += int(file.read_text(encoding="ascii").split()[1])
    return queued_ns / 1e9


def signing_key() -> bytes:
    """Make a key for receipts, in PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
