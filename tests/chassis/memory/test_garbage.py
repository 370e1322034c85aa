"""Tests of what frees the cycles of a cancelled call."""

import weakref

from services.chassis.memory.garbage import collect_garbage


class Link:
    """An object that can hold another."""

    def __init__(self) -> None:
        self.other: Link | None = None


def test_cycle_of_a_call_is_freed() -> None:
    """Two objects that hold each other go when the collector is asked."""
    first, second = Link(), Link()
    first.other, second.other = second, first
    gone = weakref.ref(first)
    del first, second
    assert gone() is not None
    collect_garbage()

    assert gone() is None
