"""Runs the programs beside this file, in processes that are guarded or not."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from services.chassis.memory.guard import guarded_environ

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[2]
SECONDS_MAX = 60


def run(
    program: str, *arguments: str, guarded: bool = True, flags: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with the guard's environment or without."""
    command = [sys.executable, *flags, str(FOLDER / program), *arguments]
    return subprocess.run(
        command,
        env=guarded_environ(bare_environ()) if guarded else bare_environ(),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def answers(program: str, *arguments: str, guarded: bool = True) -> Mapping[str, object]:
    """Run a program that prints one JSON object, and read it."""
    done = run(program, *arguments, guarded=guarded)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def bare_environ() -> dict[str, str]:
    """Return this process's environment without any guard of its own."""
    dropped = {"LD_PRELOAD", "PYTHONMALLOC", "TMPDIR"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run lines of Python, with the seal and what it is about imported, and no guard."""
    imports = (
        "import os, resource, signal, threading\n"
        "from pathlib import Path\n"
        "from services.chassis.memory import seal\n"
    )
    return subprocess.run(
        [sys.executable, "-c", imports + code],
        env=bare_environ(),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
