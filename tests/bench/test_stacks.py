"""Stacks of a sampler, cut down."""

from collections import Counter

from bench.stacks import TRANSPORT, read_stacks

POOL = "run (threading.py:982);_worker (concurrent/futures/thread.py:83)"
MAIN = "main (services/stylize/__main__.py:21);run (services/chassis/server.py:73)"


def test_busy_stacks_begin_at_the_projects_own_functions() -> None:
    """What every stack goes through is left out, and lines are put together."""
    text = (
        f"{POOL};encode (services/chassis/media/encoder.py:63);save (PIL/Image.py:2712) 3\n"
        f"{POOL};encode (services/chassis/media/encoder.py:64);save (PIL/Image.py:2712) 4\n"
    )

    assert read_stacks(text) == Counter(
        {("encode (chassis/media/encoder.py)", "save (PIL/Image.py)"): 7}
    )


def test_waiting_threads_are_not_counted() -> None:
    """A thread that waits for work or for its turn is at nothing."""
    text = (
        f"{POOL[: POOL.index(':83')]}:81) 9\n"
        f"{POOL};run (services/chassis/engine/openvino.py:114);"
        "Condition.__enter__ (threading.py:272) 5\n"
        f"{MAIN};_run_once (asyncio/base_events.py:1884);"
        "EpollSelector.select (selectors.py:468) 7\n"
    )

    assert not read_stacks(text)


def test_the_event_loop_is_told_as_transport() -> None:
    """Work of the loop that no function of the project asked for is gRPC's."""
    text = f"{MAIN};_run_once (asyncio/base_events.py:1922);Handle._run (asyncio/events.py:80) 2\n"

    assert read_stacks(text) == Counter({(TRANSPORT,): 2})
