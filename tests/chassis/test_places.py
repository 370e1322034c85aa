"""Who gets a place when there are few, and who has to give his up."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from services.chassis.errors import BusyError, Reason
from services.chassis.patience import Patience
from services.chassis.places import Places

COUNT = 8


class Caller(Patience):
    """The patience of a call whose caller is as far behind as a test says."""

    def __init__(self, *, waiting: bool = True, arrears_seconds: float = 0.0) -> None:
        super().__init__(30.0)
        self._waiting = waiting
        self._seconds = arrears_seconds

    @property
    def is_waiting(self) -> bool:
        """Tell what the test says."""
        return self._waiting

    @property
    def arrears_seconds(self) -> float:
        """Tell what the test says."""
        return self._seconds


@pytest.fixture
def places() -> Places:
    """Make a few places."""
    return Places(COUNT)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Hold places until the test is over."""
    with ExitStack() as held:
        yield held


def take(places: Places, stack: ExitStack, lane: str, caller: Patience | None = None) -> Patience:
    """Let a call of a lane in; by default one whose caller keeps up."""
    patience = caller or Caller()
    stack.enter_context(places.take(lane, patience))
    return patience


def fill(places: Places, stack: ExitStack, caller: Patience | None = None) -> None:
    """Let in as many calls as there are places, each of a lane of its own."""
    for number in range(COUNT):
        take(places, stack, f"lane {number}", caller if number == 0 else None)


def test_no_more_calls_run_than_there_are_places(places: Places, stack: ExitStack) -> None:
    """While all callers are at work one more is refused, and told when to come back."""
    fill(places, stack)
    with pytest.raises(BusyError) as caught:
        take(places, stack, "another")

    assert caught.value.reason is Reason.SERVICE_BUSY
    assert caught.value.retry_after_seconds == 1.0


def test_a_place_is_free_again_after_its_call(places: Places, stack: ExitStack) -> None:
    """However a call ends, its place goes to the next."""
    for _ in range(3 * COUNT):
        with pytest.raises(ZeroDivisionError), places.take("one", Caller()):
            raise ZeroDivisionError
    fill(places, stack)


def test_who_sleeps_makes_room(places: Places, stack: ExitStack) -> None:
    """With all places taken, the call that has waited longest for its caller ends for the next."""
    sleepers = [Caller(arrears_seconds=seconds) for seconds in (3.0, 9.0, 5.0)]
    for number, sleeper in enumerate(sleepers):
        take(places, stack, f"sleeper {number}", sleeper)
    for number in range(COUNT - len(sleepers)):
        take(places, stack, f"lane {number}")
    take(places, stack, "next")
    after_one = [each.is_lost for each in sleepers]
    take(places, stack, "next but one")
    after_two = [each.is_lost for each in sleepers]

    assert after_one == [False, True, False]
    assert after_two == [False, True, True]


@pytest.mark.parametrize(
    "caller",
    [Caller(arrears_seconds=1.9), Caller(waiting=False, arrears_seconds=60.0)],
    ids=["but a moment behind", "at work now"],
)
def test_who_works_keeps_his_place(places: Places, stack: ExitStack, caller: Caller) -> None:
    """A caller who was just asked, and one whose call is computed, are left alone."""
    fill(places, stack, caller)
    with pytest.raises(BusyError):
        take(places, stack, "another")

    assert not caller.is_lost


def test_nobody_makes_room_while_there_is_some(places: Places, stack: ExitStack) -> None:
    """Sleeping costs nothing as long as others find places."""
    sleeper = take(places, stack, "sleeper", Caller(arrears_seconds=60.0))
    for number in range(COUNT - 1):
        take(places, stack, f"lane {number}")

    assert not sleeper.is_lost


def test_one_lane_never_holds_all_places(places: Places, stack: ExitStack) -> None:
    """A single caller gets half of the places, however many calls it makes."""
    for _ in range(COUNT // 2):
        take(places, stack, "greedy")
    with pytest.raises(BusyError) as caught:
        take(places, stack, "greedy")
    for number in range(COUNT // 2):
        take(places, stack, f"modest {number}")

    assert caught.value.retry_after_seconds == 1.0


def test_in_a_crowd_a_lane_holds_a_quarter(places: Places, stack: ExitStack) -> None:
    """Once half of the places are taken, nobody gets more than a quarter of all."""
    for number in range(COUNT // 2):
        take(places, stack, f"lane {number}")
    for _ in range(COUNT // 4):
        take(places, stack, "late")
    with pytest.raises(BusyError):
        take(places, stack, "late")
    take(places, stack, "another")


def test_callers_without_a_lane_are_not_counted(places: Places, stack: ExitStack) -> None:
    """Services of the same owner, who come past the gateway, may take all places."""
    for _ in range(COUNT):
        take(places, stack, "")
    with pytest.raises(BusyError):
        take(places, stack, "")


def test_calls_that_are_being_wiped_are_bounded_too(places: Places, stack: ExitStack) -> None:
    """Calls that made room and are not gone yet count against memory all the same."""
    for number in range(2 * COUNT):
        take(places, stack, f"lane {number}", Caller(arrears_seconds=60.0))
    with pytest.raises(BusyError):
        take(places, stack, "another")


def test_memory_is_made_room_for_on_request(places: Places, stack: ExitStack) -> None:
    """The call that sleeps longest ends; without a sleeper nobody does."""
    nobody = places.make_room()
    sleeper = take(places, stack, "sleeper", Caller(arrears_seconds=4.0))

    assert (nobody, places.make_room(), sleeper.is_lost) == (False, True, True)
