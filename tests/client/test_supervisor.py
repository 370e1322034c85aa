"""The supervisor's record: found when it is right, and never taken for another process."""

import json
import os
from pathlib import Path

import psutil
import pytest

from batchpix_client.errors import BatchpixError
from batchpix_client.supervisor import RECORD_FILE, find_supervisor, stop_supervisor, supervising


def test_the_supervisor_is_found_while_it_is_at_work(tmp_path: Path) -> None:
    """The record names this process while it supervises, and is gone afterwards."""
    with supervising(tmp_path):
        found = find_supervisor(tmp_path)

    assert found is not None
    assert os.getpid() == found.pid
    assert find_supervisor(tmp_path) is None


def test_there_is_one_supervisor_of_a_home(tmp_path: Path) -> None:
    """A second one is turned away and leaves the first one's record alone."""
    with supervising(tmp_path):
        with pytest.raises(BatchpixError, match="a mesh is up already"), supervising(tmp_path):
            pass
        assert find_supervisor(tmp_path) is not None


@pytest.mark.parametrize(
    "record",
    [
        {"pid": os.getpid(), "create_time": 1.0},
        {"pid": 2**22 + 1, "create_time": 1.0},
        {"pid": "x", "create_time": 1.0},
        {},
        [],
    ],
)
def test_a_record_of_another_process_is_not_believed(tmp_path: Path, record: object) -> None:
    """A number that was given to a new process, a process that is gone and damage find nobody."""
    (tmp_path / RECORD_FILE).write_text(json.dumps(record))

    assert find_supervisor(tmp_path) is None
    assert stop_supervisor(tmp_path, 1) is False
    assert psutil.pid_exists(os.getpid())
