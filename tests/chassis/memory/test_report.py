"""Tests of the report on guard and seal, and of what a service makes of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis.errors import InternalError, Reason
from services.chassis.memory import libc, report
from services.chassis.memory.guard import Retention
from services.chassis.memory.report import GuardReport, require_guard
from tests.house import WHOLE_GUARD


@pytest.mark.parametrize(
    "part", [name for name in GuardReport.__dataclass_fields__ if name != "landlock_abi"]
)
def test_each_part_counts(part: str) -> None:
    """A report that lacks any one part is not complete, and names the part."""
    lacking = replace(WHOLE_GUARD, **{part: False})

    assert (lacking.missing, lacking.complete) == ((part,), False)


def test_version_of_the_kernel_is_no_part() -> None:
    """What counts is what holds, not which kernel makes it hold."""
    assert replace(WHOLE_GUARD, landlock_abi=0).complete


@pytest.mark.parametrize("part", ["dumpable_off", "core_limit_zero"])
def test_dumps_are_denied_by_both_parts(part: str) -> None:
    """One of the two is not enough."""
    assert WHOLE_GUARD.dumps_denied
    assert not replace(WHOLE_GUARD, **{part: False}).dumps_denied


def test_strict_service_refuses_to_serve_and_names_what_is_missing() -> None:
    """An operator reads in one line what the machine lacks."""
    lacking = replace(WHOLE_GUARD, writes_denied=False, connects_denied=False, landlock_abi=0)
    with pytest.raises(InternalError) as refusal:
        require_guard(lacking, Retention.STRICT)

    assert refusal.value.reason is Reason.RETENTION_GUARD_MISSING
    assert refusal.value.message == (
        "the retention guard lacks writes_denied, connects_denied; "
        "this kernel's Landlock version is 0"
    )


@pytest.mark.parametrize(
    ("measured", "retention"),
    [
        (WHOLE_GUARD, Retention.STRICT),
        (replace(WHOLE_GUARD, wipe_on_free=False), Retention.BEST_EFFORT),
    ],
)
def test_service_serves(measured: GuardReport, retention: Retention) -> None:
    """A complete guard serves, and so does an incomplete one that the operator accepts."""
    require_guard(measured, retention)


@pytest.mark.parametrize(
    ("machine_bytes", "container_limit", "holds"),
    [(0, None, True), (1 << 30, "0\n", True), (1 << 30, "max\n", False), (1 << 30, None, False)],
)
def test_memory_that_can_not_be_locked_must_have_no_swap(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    machine_bytes: int,
    container_limit: str | None,
    holds: bool,
) -> None:
    """Without the right to lock, what counts is the machine's swap and the container's share."""
    limit_file = tmp_path / "memory.swap.max"
    if container_limit is not None:
        limit_file.write_text(container_limit)
    monkeypatch.setattr(libc, "swap_bytes", lambda: machine_bytes)
    monkeypatch.setattr(libc, "lock_on_fault", lambda *_: False)
    monkeypatch.setattr(report, "SWAP_LIMIT_FILE", limit_file)

    assert report.inspect_process(1).memory_locked_or_no_swap is holds
