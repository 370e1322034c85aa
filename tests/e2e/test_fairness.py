"""Who holds places and does nothing with them, or holds too many, shuts nobody out."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from batchpix_client import BatchpixError, Client
from tests.e2e.attackers import Attacker
from tests.e2e.fleet import REPLICA_HOSTS, Fleet, until
from tests.e2e.load import small_picture
from tests.e2e.stand_in import STYLE
from tests.e2e.watch import Record

PLACES = 8
ALL_PLACES = PLACES * len(REPLICA_HOSTS)
# Silence itself is allowed for longer than the test lasts.
STALL_SECONDS_MAX = "120"
ASLEEP_SECONDS = 3.0
CALLS = 20
CALL_SECONDS_MAX = 10.0
SETTLE_SECONDS_MAX = 30.0
# Announces a message of a mebibyte, which never comes.
ANNOUNCEMENT = b"\x00\x00\x10\x00\x00"
RESOURCE_EXHAUSTED = "grpc-status 8"
# Of the third part of a token, the letter that its lane is.
LANE_AT = 20


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Run a fleet of few places."""
    home = tmp_path_factory.mktemp("fleet")
    few = {"BATCHPIX_CALLS_IN_FLIGHT_MAX": str(PLACES)}
    with Fleet(home, BATCHPIX_STALL_SECONDS_MAX=STALL_SECONDS_MAX, **few) as running:
        yield running


@pytest.mark.parametrize("piece", [b"", b"x"], ids=["silent", "trickling"])
def test_sleepers_make_room(fleet: Fleet, record_property: Record, piece: bytes) -> None:
    """All places are held by callers of many tokens who send nothing, or a byte now and then."""
    *tokens, normal = tokens_of_lanes(fleet, ALL_PLACES + 1)
    with ExitStack() as stack:
        sleepers = [stack.enter_context(Attacker(fleet, token)) for token in tokens]
        take_all_places(sleepers)
        sleep(sleepers, piece)
        before = sum(sleeper.admitted_streams for sleeper in sleepers)
        slowest = slowest_call(fleet, normal)
        until(lambda: ended(sleepers) > 0, SETTLE_SECONDS_MAX)
        ends = sum((sleeper.ends for sleeper in sleepers), Counter[str]())

    record_property("figure", f"{before} places held, slowest of {CALLS} calls {slowest:.2f} s")
    record_property("figure", f"sleepers that made room: {dict(ends)}")
    assert before == ALL_PLACES
    assert slowest < CALL_SECONDS_MAX
    assert set(ends) == {RESOURCE_EXHAUSTED}


def test_one_token_holds_half_of_the_places(fleet: Fleet, record_property: Record) -> None:
    """However many calls a caller begins, others find places, and it is told to come back."""
    greedy, normal = tokens_of_lanes(fleet, 2)
    with Attacker(fleet, greedy) as attacker:
        for _ in range(4 * ALL_PLACES):
            attacker.begin()
        until(lambda: attacker.listen() and is_settled(attacker), SETTLE_SECONDS_MAX)
        slowest = slowest_call(fleet, normal)
        refused = refusal(fleet, greedy)
        held = attacker.admitted_streams

    record_property("figure", f"{held} of {ALL_PLACES} places held by one token")
    record_property("figure", f"the slowest of {CALLS} calls of another took {slowest:.2f} s")
    assert held == ALL_PLACES // 2
    assert set(attacker.ends) == {RESOURCE_EXHAUSTED}
    assert slowest < CALL_SECONDS_MAX
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "SERVICE_BUSY")
    assert refused.retry_after_seconds == 1.0


def tokens_of_lanes(fleet: Fleet, count: int) -> list[str]:
    """Sign tokens until so many are in lanes of their own: signatures are drawn at random."""
    tokens: dict[str, str] = {}
    while len(tokens) < count:
        token = fleet.token(f"caller-{len(tokens)}")
        tokens.setdefault(token.rpartition(".")[2][LANE_AT], token)
    return list(tokens.values())


def take_all_places(sleepers: list[Attacker]) -> None:
    """Begin a call for each sleeper, again where it was refused, until all are let in."""

    def admitted() -> bool:
        for sleeper in sleepers:
            sleeper.listen()
            if not sleeper.open_streams:
                sleeper.ends.clear()
                sleeper.begin()
        return all(sleeper.admitted_streams for sleeper in sleepers)

    until(admitted, SETTLE_SECONDS_MAX)


def sleep(sleepers: list[Attacker], piece: bytes) -> None:
    """Keep the services waiting, with a piece of a message now and then."""
    for sleeper in sleepers if piece else ():
        for stream in sleeper.answered:
            sleeper.send(stream, ANNOUNCEMENT)
    awake = time.monotonic() + ASLEEP_SECONDS
    while time.monotonic() < awake:
        for sleeper in sleepers:
            sleeper.listen(0.01)
            for stream in sleeper.answered if piece else ():
                sleeper.send(stream, piece)


def slowest_call(fleet: Fleet, token: str) -> float:
    """Make calls as a normal caller does; return the seconds of the slowest."""
    seconds = []
    with Client(f"localhost:{fleet.gateway_port}", ca=fleet.authority, token=token) as client:
        for _ in range(CALLS):
            started = time.monotonic()
            list(client.stylize([small_picture()], STYLE))
            seconds.append(time.monotonic() - started)
    return max(seconds)


def refusal(fleet: Fleet, token: str) -> BatchpixError:
    """Make a call that must be refused."""
    with (
        Client(f"localhost:{fleet.gateway_port}", ca=fleet.authority, token=token) as client,
        pytest.raises(BatchpixError) as caught,
    ):
        client.stylize([small_picture()], STYLE)._attempt(CALL_SECONDS_MAX)
    return caught.value


def is_settled(attacker: Attacker) -> bool:
    """Tell whether each of a caller's calls was let in or has ended."""
    return attacker.admitted_streams == attacker.open_streams


def ended(sleepers: list[Attacker]) -> int:
    """Count the calls that the services have ended."""
    for sleeper in sleepers:
        sleeper.listen()
    return sum(sleeper.ends.total() for sleeper in sleepers)
