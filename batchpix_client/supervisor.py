"""Who keeps the mesh of a home up, found by a record that no other process can be taken for."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from batchpix_client.errors import BatchpixError
from batchpix_client.profile import PROFILE_FILE

RECORD_FILE = "supervisor.json"
LOCK_FILE = "supervisor.lock"


@contextmanager
def supervising(home: Path) -> Iterator[None]:
    """Be the one supervisor of `home`; its record and profile go when this ends.

    Raises:
        BatchpixError: another supervisor is at work.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "a mesh is up already; `batchpix down` ends it"
            raise BatchpixError("ALREADY_EXISTS", "MESH_UP", message) from None
        process = psutil.Process(os.getpid())
        record = {"pid": process.pid, "create_time": process.create_time()}
        (home / RECORD_FILE).write_text(json.dumps(record), encoding="utf-8")
        try:
            yield
        finally:
            (home / RECORD_FILE).unlink(missing_ok=True)
            (home / PROFILE_FILE).unlink(missing_ok=True)


def find_supervisor(home: Path) -> psutil.Process | None:
    """Find the running supervisor of `home`.

    A process that merely got the number of one that ended was made at another time.
    """
    try:
        record = json.loads((home / RECORD_FILE).read_text(encoding="utf-8"))
        process = psutil.Process(record["pid"])
        return process if process.create_time() == record["create_time"] else None
    except (OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return None


def stop_supervisor(home: Path, timeout_seconds: float) -> bool:
    """End the supervisor of `home`, by force when the time is over; tell whether there was one."""
    process = find_supervisor(home)
    if process is None:
        return False
    try:
        process.terminate()
        process.wait(timeout_seconds)
    except psutil.TimeoutExpired:
        # Its children are tied to it and end with it.
        process.kill()
        process.wait(timeout_seconds)
    except psutil.NoSuchProcess:
        pass
    return True
