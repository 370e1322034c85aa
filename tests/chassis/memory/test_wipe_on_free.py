"""Tests of the preloaded library that zeroes memory as it is freed."""

import errno
from collections.abc import Mapping

import pytest

from tests.chassis.memory import programs

WAYS = ["after_free", "after_growing", "after_shrinking", "after_array_growing"]


@pytest.fixture(scope="module")
def guarded() -> Mapping[str, object]:
    """Findings of the heap program with the library preloaded."""
    return programs.answers("heap_program.py")


@pytest.fixture(scope="module")
def bare() -> Mapping[str, object]:
    """Findings of the heap program without it."""
    return programs.answers("heap_program.py", guarded=False)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left(guarded: Mapping[str, object], way: str) -> None:
    """Not one byte of a block is left when it is freed, moved or cut."""
    assert guarded[way] == 0


@pytest.mark.parametrize("way", WAYS)
def test_without_the_library_bytes_are_left(bare: Mapping[str, object], way: str) -> None:
    """The search is not blind: it finds what the plain C library leaves behind."""
    left = bare[way]

    assert isinstance(left, int)
    assert left > 100


def test_contents_survive_resizing_in_threads(guarded: Mapping[str, object]) -> None:
    """Blocks of all sizes and kinds keep their content through resizing, in several threads."""
    assert guarded["stress"] == 0


def test_corners_are_those_of_libc(
    guarded: Mapping[str, object], bare: Mapping[str, object]
) -> None:
    """Null, zero, overflow and blocks with mappings of their own behave as without the library."""
    corners = {
        "overflow": [0, errno.errorcode[errno.ENOMEM]],
        "null_allocates": True,
        "zero_frees": True,
        "large_kept": 8 << 20,
        "small_kept": 1 << 20,
    }

    assert guarded["corners"] == bare["corners"] == corners
