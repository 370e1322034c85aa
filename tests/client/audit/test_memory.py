"""The look into another process."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from batchpix_client.audit import memory
from batchpix_client.audit.footprint import open_files_for_writing, outgoing_connections
from batchpix_client.audit.needles import Haystack, Needle
from batchpix_client.errors import BatchpixError

SEED = 77
# Holds a secret in memory of its own at an odd place, overwrites it when told to, and waits.
PROGRAM = f"""
import mmap, sys, tempfile
import numpy as np
room = mmap.mmap(-1, 64 << 20)
file = tempfile.TemporaryFile()
place = (40 << 20) + 13
# Inverted in place, so that the secret itself is nowhere else.
source = np.frombuffer(np.random.default_rng({SEED}).bytes(32), np.uint8)
np.invert(source, out=np.frombuffer(room, np.uint8, 32, place))
print("holding", flush=True)
sys.stdin.readline()
room[place : place + 32] = bytes(32)
print("wiped", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds a secret."""
    command = [sys.executable, "-c", PROGRAM]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        yield process
        process.kill()


def secret() -> Haystack:
    """Look for the secret."""
    source = np.frombuffer(np.random.default_rng(SEED).bytes(32), np.uint8)
    return Haystack([Needle(np.invert(source).tobytes(), "secret", "")])


def test_a_secret_is_found_until_it_is_overwritten(holder: subprocess.Popen[str]) -> None:
    """Shows that a scan sees what a process holds now, and nothing that is gone."""
    held = memory.scan_process(holder.pid, secret())
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "wiped\n"
    wiped = memory.scan_process(holder.pid, secret())

    assert held.by_form == {"secret": 1}
    assert wiped.total == 0


def test_reservations_that_are_empty_cost_nothing(holder: subprocess.Popen[str]) -> None:
    """Shows that only pages that exist are read: the program's room is one page of 64 MiB."""
    listed = memory.mappings(holder.pid)
    room = next(each for each in listed if each.end - each.start == 64 << 20)

    read = sum(
        block.size for mapping, _, block in memory.blocks(holder.pid) if mapping.start == room.start
    )

    assert 0 < read <= 2 << 20


def test_a_needle_across_two_blocks_is_found(
    holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that blocks overlap: with blocks of one page, no needle is cut in two."""
    monkeypatch.setattr(memory, "BLOCK_BYTES", 4096)

    assert memory.scan_process(holder.pid, secret()).total >= 1


def test_files_open_for_writing_are_named(holder: subprocess.Popen[str]) -> None:
    """Shows that a file that a process could write to is found, even a deleted one."""
    assert len(open_files_for_writing(holder.pid)) == 1
    assert outgoing_connections(holder.pid) == []


def test_a_process_out_of_reach_is_told_in_words() -> None:
    """Shows that an audit that may not look says so, and what it needs."""
    with pytest.raises(BatchpixError, match="run the audit as root"):
        memory.require_access(2**22 + 1)
