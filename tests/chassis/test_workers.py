"""Worker threads do not stand in each other's way."""

import threading

from services.chassis.telemetry import Stage
from services.chassis.workers import working

SECONDS_MAX = 10.0


def test_who_waits_for_a_turn_keeps_nobody_from_decoding() -> None:
    """With every maker and an ending blocked, media are still read and written."""
    turn = threading.Event()
    with working(1) as workers:
        blocked = [
            workers.room(stage).submit(turn.wait, SECONDS_MAX)
            for stage in (Stage.RENDER, Stage.ANALYSE)
        ]
        blocked.append(workers.enders.submit(turn.wait, SECONDS_MAX))
        done = [
            workers.room(stage).submit(lambda: "done").result(SECONDS_MAX)
            for stage in (Stage.DECODE, Stage.ENCODE)
        ]
        still_blocked = not any(job.done() for job in blocked)
        turn.set()

    assert done == ["done", "done"]
    assert still_blocked


def test_first_come_first_served() -> None:
    """Work of one room begins in the order in which it came."""
    order: list[int] = []
    with working(1) as workers:
        for number in range(5):
            workers.makers.submit(order.append, number)

    assert order == [0, 1, 2, 3, 4]
