"""Replicas, certificates and gateways come and go under load, and no caller notices."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchpix_client import BatchpixError, Client
from batchpix_client.calls import Call
from tests.e2e.fleet import REPLICA_HOSTS, Fleet, until
from tests.e2e.load import CountedAttempts, HeldCalls, Load, small_picture
from tests.e2e.stand_in import STYLE

CALLS = 2_000
CALLS_BETWEEN = 150
HELD = 3
STALL_SECONDS_MAX = "300"
END_SECONDS_MAX = 60
# What an attempt that was not let in may have met: no replica there, or a connection that closed.
ALLOWED = {("UNAVAILABLE", "SERVICE_UNREACHABLE"), ("UNAVAILABLE", "")}
REFUSAL_SECONDS_MAX = 1.0
# Two failures put a replica out; two more show, when its time out is over, that it is still gone.
DEAD_REPLICA_REFUSALS_MAX = 4
Record = Callable[[str, object], None]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Run two replicas behind a gateway, patient enough for a busy machine."""
    with Fleet(tmp_path, BATCHPIX_STALL_SECONDS_MAX=STALL_SECONDS_MAX) as running:
        yield running


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> CountedAttempts:
    """Count attempts that are not let in."""
    counted = CountedAttempts()

    def attempt(call: Call, timeout_seconds: float) -> object:
        return counted.attempt(call, timeout_seconds)

    monkeypatch.setattr(Call, "_attempt", attempt)
    return counted


def test_every_part_is_replaced_under_load_and_no_call_fails(
    fleet: Fleet, attempts: CountedAttempts, record_property: Record
) -> None:
    """Of 2,000 calls none fails while replicas, certificates and the gateway are replaced."""
    serials = [shown_serial(fleet)]
    with Load(fleet) as load:
        for step in (rotate, replace_first, rotate, replace_second, replace_gateway):
            load.pass_calls(CALLS_BETWEEN)
            held = HeldCalls(fleet, HELD)
            step(fleet, held, load)
            serials.append(shown_serial(fleet))
        load.pass_calls(max(CALLS_BETWEEN, CALLS - load.done))

    record_property("figure", f"{load.done} calls, {sum(load.failed.values())} failed")
    record_property("figure", f"attempts before a call was let in: {dict(attempts.refused)}")
    assert load.done >= CALLS
    assert not load.failed
    assert set(attempts.refused) <= ALLOWED
    assert len(set(serials)) == 3


def rotate(fleet: Fleet, held: HeldCalls, load: Load) -> None:
    """Renew all certificates; calls begun before go on."""
    before = shown_serial(fleet)
    fleet.renew_certificates()
    until(lambda: shown_serial(fleet) != before, 10.0)
    load.pass_calls(CALLS_BETWEEN)
    assert not held.finish()


def replace_first(fleet: Fleet, held: HeldCalls, load: Load) -> None:
    """Replace the first replica."""
    replace_replica(fleet, held, load, REPLICA_HOSTS[0])


def replace_second(fleet: Fleet, held: HeldCalls, load: Load) -> None:
    """Replace the second replica."""
    replace_replica(fleet, held, load, REPLICA_HOSTS[1])


def replace_replica(fleet: Fleet, held: HeldCalls, load: Load, host: str) -> None:
    """Drain a replica with calls running on it, and put another in its place."""
    old = fleet.replicas[host].process
    old.terminate()
    load.pass_calls(CALLS_BETWEEN)
    assert not held.finish()
    assert old.wait(END_SECONDS_MAX) == 0
    fleet.start_replica(host)


def replace_gateway(fleet: Fleet, held: HeldCalls, load: Load) -> None:
    """Start a second gateway on the same port and drain the first, with calls running in it."""
    old = fleet.gateway.process
    fleet.gateway = fleet.start_gateway()
    old.terminate()
    load.pass_calls(CALLS_BETWEEN)
    assert old.poll() is None, "the gateway did not wait for the calls that it carries"
    assert not held.finish()
    assert old.wait(END_SECONDS_MAX) == 0


def test_a_dead_replica_is_left_out_and_the_other_serves(
    fleet: Fleet, record_property: Record
) -> None:
    """Callers of a killed replica are told within a second to come back; soon none meets it."""
    port = fleet.gateway_port
    with Client(f"localhost:{port}", ca=fleet.authority, token=fleet.token()) as client:
        list(client.stylize([small_picture()], STYLE))
        fleet.replicas[REPLICA_HOSTS[0]].kill()
        ends = [one_attempt(client) for _ in range(60)]

    refused = [(seconds, error) for seconds, error in ends if error is not None]
    slowest = max([0.0, *(seconds for seconds, _ in refused)])
    record_property("figure", f"{len(refused)} of 60 calls refused, within {slowest:.3f} s")
    assert len(refused) <= DEAD_REPLICA_REFUSALS_MAX
    assert slowest < REFUSAL_SECONDS_MAX
    assert {(e.code, e.reason, e.retry_after_seconds) for _, e in refused} <= {
        ("UNAVAILABLE", "SERVICE_UNREACHABLE", 1.0)
    }


def test_without_any_replica_callers_are_told_within_a_second(fleet: Fleet) -> None:
    """With both replicas dead each call ends at once, with a time to come back after."""
    port = fleet.gateway_port
    with Client(f"localhost:{port}", ca=fleet.authority, token=fleet.token()) as client:
        list(client.stylize([small_picture()], STYLE))
        for replica in fleet.replicas.values():
            replica.kill()
        ends = [one_attempt(client) for _ in range(10)]

    for seconds, error in ends:
        assert error is not None
        assert (error.code, error.reason) == ("UNAVAILABLE", "SERVICE_UNREACHABLE")
        assert error.retry_after_seconds == 1.0
        assert seconds < REFUSAL_SECONDS_MAX


def one_attempt(client: Client) -> tuple[float, BatchpixError | None]:
    """Make a call without the SDK's further attempts; return its seconds and its error."""
    call = client.stylize([small_picture()], STYLE)
    started = time.monotonic()
    try:
        call._attempt(10.0)
    except BatchpixError as error:
        return time.monotonic() - started, error
    list(call)
    return time.monotonic() - started, None


def shown_serial(fleet: Fleet) -> object:
    """Read the serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=fleet.authority)
    raw = socket.create_connection(("127.0.0.1", fleet.gateway_port), timeout=5)
    with context.wrap_socket(raw, server_hostname="localhost") as connection:
        certificate = connection.getpeercert()
    return certificate["serialNumber"] if certificate else None
