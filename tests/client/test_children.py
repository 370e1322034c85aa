"""Child processes: what they say is kept, and none outlives its parent."""

import os
import signal
import subprocess
import sys
from queue import SimpleQueue

import psutil
import pytest

from batchpix_client.children import Child

WAIT_SECONDS = 10


def start(code: str, lines: list[tuple[str, str]], ended: SimpleQueue[Child]) -> Child:
    """Run Python code as a child."""
    return Child(
        "probe",
        [sys.executable, "-c", code],
        {**os.environ, "PROBE": "yes"},
        log_line=lambda name, line: lines.append((name, line)),
        ended=ended,
    )


def test_a_child_that_ends_is_reported_with_its_last_line() -> None:
    """Its end is told at once, and the reason holds its status and what it wrote last."""
    lines: list[tuple[str, str]] = []
    ended: SimpleQueue[Child] = SimpleQueue()
    child = start("import sys; print('one', flush=True); sys.exit('no model')", lines, ended)

    assert child is ended.get(timeout=WAIT_SECONDS)
    assert child.why() == "probe ended with status 1: no model"
    assert {("probe", "one"), ("probe", "no model")} == set(lines)


def test_a_child_is_given_its_environment() -> None:
    """What is passed is what the child sees."""
    lines: list[tuple[str, str]] = []
    ended: SimpleQueue[Child] = SimpleQueue()
    start("import os; print(os.environ['PROBE'])", lines, ended)
    ended.get(timeout=WAIT_SECONDS)

    assert lines == [("probe", "yes")]


def test_a_child_that_does_not_heed_is_killed() -> None:
    """Past its time a child that ignores SIGTERM is ended by force."""
    lines: SimpleQueue[str] = SimpleQueue()
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); time.sleep(60)"
    )
    child = Child(
        "probe",
        [sys.executable, "-c", code],
        os.environ,
        log_line=lambda _name, line: lines.put(line),
        ended=SimpleQueue(),
    )
    lines.get(timeout=WAIT_SECONDS)
    child.terminate()
    child.end(0.05)

    assert not psutil.pid_exists(child.process_id)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_dies_with_its_parent(number: signal.Signals) -> None:
    """A parent that is ended by any signal takes its child along."""
    parent_code = (
        "import os, sys, time; from queue import SimpleQueue;"
        "from batchpix_client.children import Child;"
        "child = Child('probe', [sys.executable, '-c', 'import time; time.sleep(60)'],"
        " os.environ, log_line=lambda n, l: None, ended=SimpleQueue());"
        "print(child.process_id, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(number)
        parent.wait(WAIT_SECONDS)

        gone, alive = psutil.wait_procs([child], timeout=WAIT_SECONDS)
    assert ([child], []) == (gone, alive)
