"""Tests of the memory that one call leases."""

import contextlib
import errno
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from services.chassis.errors import BusyError, InternalError, LimitError, Reason
from services.chassis.memory import arena as arena_module
from services.chassis.memory.arena import ALIGNMENT_BYTES, Arena, Budget
from services.chassis.memory.reservation import PAGE_BYTES as PAGES
from services.chassis.memory.reservation import Reservation


def budget_of(pages: int, per_call_pages: int | None = None) -> Budget:
    """Build a budget of whole pages."""
    per_call = None if per_call_pages is None else per_call_pages * PAGES
    return Budget(pages * PAGES, per_call)


def fill(view: memoryview) -> memoryview:
    """Write something that is not zero into every byte."""
    np.frombuffer(view, np.uint8)[:] = 0xA5
    return view


def resident_bytes() -> int:
    """Measure the memory that this process holds now."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


def test_lease_is_charged_in_whole_pages_and_given_back() -> None:
    """A lease counts at once, rounded up, and not at all after the release."""
    budget = budget_of(4)
    arena = budget.lease(PAGES + 1)

    assert (budget.leased_bytes, arena.leased_bytes) == (2 * PAGES, 2 * PAGES)
    arena.release()
    assert (budget.leased_bytes, arena.leased_bytes) == (0, 0)


def test_what_is_carved_is_zeroed_aligned_and_apart() -> None:
    """Arrays of a call start as zeros, on a cache line, and never overlap."""
    with budget_of(4).lease(0) as arena:
        views = [arena.array((count,), np.uint8) for count in (1, 63, 64, 65, 1000)]
        starts = [view.__array_interface__["data"][0] for view in views]
        for number, view in enumerate(views, start=1):
            assert not view.any()
            view[:] = number

        assert [start % ALIGNMENT_BYTES for start in starts] == [0] * 5
        assert [set(view.tolist()) for view in views] == [{1}, {2}, {3}, {4}, {5}]


def test_array_is_a_view_of_the_call_memory() -> None:
    """An array has the shape and type asked for and copies nothing."""
    with budget_of(4).lease(0) as arena:
        array = arena.array((2, 3, 4), np.float32)

        assert (array.shape, array.dtype) == ((2, 3, 4), np.dtype(np.float32))
        assert array.flags.c_contiguous
        assert not array.flags.owndata
        assert arena.used_bytes == array.nbytes


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2)])
def test_empty_and_scalar_arrays_work(shape: tuple[int, ...]) -> None:
    """A shape without elements, or without axes, is no special case for the caller."""
    with budget_of(1).lease(0) as arena:
        assert arena.array(shape, np.int16).shape == shape


def test_take_beyond_the_lease_is_charged() -> None:
    """Nothing is carved that the budget does not know of."""
    budget = budget_of(4)
    with budget.lease(0) as arena:
        arena.take(PAGES)
        arena.take(1)

        assert budget.leased_bytes == 2 * PAGES


def test_extend_charges_ahead() -> None:
    """What was charged ahead is there for later takes, whatever other calls do."""
    budget = budget_of(2)
    with budget.lease(0) as arena:
        arena.extend(2 * PAGES)
        with pytest.raises(BusyError):
            budget.lease(1)

        assert len(arena.take(2 * PAGES)) == 2 * PAGES


def test_full_budget_says_when_to_come_back() -> None:
    """A call that finds no room is sent away at once, with a time, and charges nothing."""
    budget = budget_of(2)
    with budget.lease(2 * PAGES):
        with pytest.raises(BusyError) as refusal:
            budget.lease(1)

        assert refusal.value.reason is Reason.MEMORY_BUDGET_EXHAUSTED
        assert refusal.value.retry_after_seconds is not None
        assert refusal.value.retry_after_seconds > 0
        assert budget.leased_bytes == 2 * PAGES


def test_retry_time_follows_the_length_of_leases() -> None:
    """The longer calls hold their memory, the later a refused one is told to come back."""
    budget = budget_of(1)
    refusals = []
    for lease_seconds in (0.0, 60.0):
        for _ in range(50):
            budget.note_lease_seconds(lease_seconds)
        with budget.lease(1), pytest.raises(BusyError) as refusal:
            budget.lease(1)
        refusals.append(refusal.value.retry_after_seconds)

    assert refusals == [pytest.approx(0.1), pytest.approx(30.0, rel=0.3)]


@pytest.mark.parametrize(("budget", "size"), [(budget_of(2), 3), (budget_of(9, 2), 3)])
def test_what_never_fits_is_a_limit_without_retry(budget: Budget, size: int) -> None:
    """A call over the limit of one call is told the limit, and not to come back."""
    with pytest.raises(LimitError) as refusal:
        budget.lease(size * PAGES)

    assert refusal.value.retry_after_seconds is None
    assert refusal.value.metadata == {"limit_bytes": str(2 * PAGES)}
    assert budget.leased_bytes == 0


def test_exactly_the_limit_fits() -> None:
    """The edge belongs to the caller."""
    budget = budget_of(9, 2)
    with budget.lease(2 * PAGES) as arena:
        arena.take(2 * PAGES)
        with pytest.raises(LimitError):
            arena.take(1)


def test_refused_take_leaves_the_arena_as_it_was() -> None:
    """After a refusal the call can go on with less."""
    with budget_of(2).lease(0) as arena:
        arena.take(10)
        before = (arena.used_bytes, arena.leased_bytes)
        with pytest.raises(LimitError):
            arena.take(9 * PAGES)

        assert (arena.used_bytes, arena.leased_bytes) == before
        assert len(arena.take(10)) == 10


def test_release_wipes_what_was_carved() -> None:
    """A view that outlives the call reads zeros, and the receipt counts its bytes."""
    arena = budget_of(4).lease(0)
    view = fill(arena.take(3 * PAGES))
    erasure = arena.release()

    assert bytes(view) == bytes(3 * PAGES)
    assert (erasure.wiped_bytes, erasure.leased_bytes_peak) == (3 * PAGES, 3 * PAGES)
    assert erasure.duration_seconds > 0


def test_pages_are_overwritten_before_they_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wiping is writing zeros: it is done while the pages are still the call's."""
    arena = budget_of(1).lease(0)
    view = fill(arena.take(4096))
    contents: list[bytes] = []
    close = Reservation.close

    def look_and_close(reservation: Reservation) -> None:
        contents.append(bytes(view))
        close(reservation)

    monkeypatch.setattr(Reservation, "close", look_and_close)
    arena.release()

    assert contents == [bytes(4096)]


def test_released_pages_are_back_with_the_kernel_though_a_view_lives() -> None:
    """A forgotten view holds addresses, not memory."""
    arena = budget_of(8).lease(0)
    view = fill(arena.take(8 * PAGES))
    held = resident_bytes()
    arena.release()

    assert held - resident_bytes() > 7 * PAGES
    assert len(view) == 8 * PAGES


def test_release_twice_tells_the_same() -> None:
    """The second release wipes nothing and charges nothing."""
    budget = budget_of(1)
    arena = budget.lease(1)

    assert arena.release() is arena.release()
    assert budget.leased_bytes == 0


@pytest.mark.parametrize("use", [Arena.take, Arena.extend])
def test_released_arena_gives_no_memory(use: object) -> None:
    """Work that comes late for a cancelled call is refused, not served from nowhere."""
    arena = budget_of(1).lease(0)
    arena.release()

    with pytest.raises(InternalError, match="released"):
        use(arena, 1)  # type: ignore[operator]


def test_error_in_the_block_releases() -> None:
    """Leaving the call by an exception wipes like leaving it well."""
    budget = budget_of(1)
    with contextlib.suppress(KeyError), budget.lease(0) as arena:
        view = fill(arena.take(100))
        raise KeyError

    assert (bytes(view), budget.leased_bytes) == (bytes(100), 0)


def test_forgotten_arena_warns_and_is_wiped() -> None:
    """An arena that nobody released is a bug that shows, and still leaves nothing."""
    budget = budget_of(1)
    arena = budget.lease(0)
    view = fill(arena.take(100))
    with pytest.warns(ResourceWarning, match="never released"):
        del arena

    assert (bytes(view), budget.leased_bytes) == (bytes(100), 0)


def test_released_arena_is_silent_when_collected() -> None:
    """A call that did right hears nothing."""
    arena = budget_of(1).lease(1)
    arena.release()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del arena


def test_scope_wipes_and_reuses() -> None:
    """The second picture of a batch gets the first one's place, empty."""
    budget = budget_of(2)
    with budget.lease(0) as arena:
        kept = fill(arena.take(64))
        for _ in range(5):
            with arena.scope():
                view = arena.take(PAGES)
                assert bytes(view) == bytes(PAGES)
                fill(view)
            assert bytes(view) == bytes(PAGES)

        assert bytes(kept) == b"\xa5" * 64
        assert arena.used_bytes == 64
        assert arena.release().wiped_bytes == 5 * PAGES + 64


def test_scope_gives_its_charge_and_its_pages_back() -> None:
    """What a scope charged is free for other calls when it is left, in fact and on the account."""
    budget = budget_of(9)
    with budget.lease(1) as arena:
        before = resident_bytes()
        with arena.scope():
            fill(arena.take(8 * PAGES))
            assert budget.leased_bytes == 8 * PAGES

        assert budget.leased_bytes == PAGES
        assert resident_bytes() - before < 2 * PAGES
        assert arena.release().leased_bytes_peak == 8 * PAGES


def test_scopes_nest() -> None:
    """An inner scope empties its own part only."""
    with budget_of(1).lease(0) as arena, arena.scope():
        outer = fill(arena.take(100))
        with arena.scope():
            inner = fill(arena.take(100))

        assert (bytes(inner), bytes(outer)) == (bytes(100), b"\xa5" * 100)


def test_scope_left_by_an_error_is_wiped() -> None:
    """One bad picture of a batch leaves nothing to the next."""
    with budget_of(1).lease(0) as arena:
        with contextlib.suppress(KeyError), arena.scope():
            view = fill(arena.take(100))
            raise KeyError

        assert bytes(view) == bytes(100)


def test_memory_beside_has_scopes_of_its_own() -> None:
    """Two threads of one call may enter and leave scopes in any order."""
    with budget_of(4).lease(0) as arena, arena.beside() as other:
        with contextlib.ExitStack() as first:
            first.enter_context(arena.scope())
            fill(arena.take(100))
            scope = other.scope()
            scope.__enter__()
            view = fill(other.take(100))
        assert bytes(view) == b"\xa5" * 100
        scope.__exit__(None, None, None)

        assert bytes(view) == bytes(100)


def test_memory_beside_counts_as_the_call_s_own() -> None:
    """It is charged, held to the call's limit, wiped when its block ends, and in the erasure."""
    budget = budget_of(9, per_call_pages=3)
    with budget.lease(PAGES) as arena:
        with arena.beside() as other:
            view = fill(other.take(2 * PAGES))
            assert budget.leased_bytes == 3 * PAGES
            with pytest.raises(LimitError):
                arena.take(2 * PAGES)
        assert bytes(view) == bytes(2 * PAGES)
        assert budget.leased_bytes == PAGES
        erasure = arena.release()

    assert erasure.wiped_bytes == 2 * PAGES
    assert erasure.leased_bytes_peak == 3 * PAGES
    assert budget.leased_bytes == 0


def test_release_inside_a_scope_is_final() -> None:
    """A call that is cancelled in the middle of a picture ends once, not twice."""
    budget = budget_of(1)
    arena = budget.lease(0)
    with arena.scope():
        view = fill(arena.take(100))
        arena.release()

    assert (bytes(view), budget.leased_bytes) == (bytes(100), 0)


def test_memory_is_kept_out_of_dumps_and_children() -> None:
    """The kernel knows the mapping as not to be dumped, not to be forked and, if it may, locked."""
    with budget_of(8).lease(2 * PAGES) as arena:
        address = arena.array((1,), np.uint8).__array_interface__["data"][0]
        flags = mapping_flags(address)
        locked = arena.release().locked

    assert {"dd", "dc"} <= flags
    assert locked == ("lo" in flags)


def mapping_flags(address: int) -> set[str]:
    """Read the kernel's two-letter flags of the mapping that holds an address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first = line.split()[0]
        if "-" in first and not first.endswith(":"):
            start, end = (int(part, 16) for part in first.split("-"))
            inside = start <= address < end
        elif inside and first == "VmFlags:":
            return set(line.split()[1:])
    return set()


def test_threads_share_a_budget_without_losing_a_byte() -> None:
    """Many calls at once never pass the limit, and leave it at zero."""
    budget = budget_of(8)
    refusals: list[BusyError] = []
    over: list[int] = []

    def call(seed: int) -> None:
        for number in range(200):
            try:
                with budget.lease(((seed + number) % 4) * PAGES) as arena, arena.scope():
                    arena.take(100)
                    if budget.leased_bytes > budget.limit_bytes:
                        over.append(budget.leased_bytes)
            except BusyError as refusal:
                refusals.append(refusal)

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (budget.leased_bytes, over) == (0, [])


def test_threads_carve_from_one_arena_without_overlap() -> None:
    """Workers of one call may carve at the same time."""
    with budget_of(8).lease(0) as arena:
        starts: list[int] = []

        def carve() -> None:
            for _ in range(200):
                view = arena.array((48,), np.uint8)
                starts.append(view.__array_interface__["data"][0])

        threads = [threading.Thread(target=carve) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(starts)) == 800
        assert arena.used_bytes == 799 * 64 + 48


def test_machine_without_addresses_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the kernel refuses the reservation, the caller may retry and nothing stays charged."""

    def refuse(_: int) -> Reservation:
        raise OSError(errno.ENOMEM, "no addresses")

    budget = budget_of(1)
    monkeypatch.setattr(arena_module, "Reservation", refuse)
    with pytest.raises(BusyError):
        budget.lease(1)

    assert budget.leased_bytes == 0
