"""Tests of the process that a service runs in."""

import sys
from pathlib import Path

import pytest

from services.chassis.memory.guard import LIBRARY, guarded_environ
from tests.chassis.memory import programs

MISSING = "/nowhere/wipe_on_free.so"


def test_bare_process_starts_itself_anew_under_the_guard() -> None:
    """A service started plainly ends up guarded, with its arguments and its environment."""
    arguments = ("--flag", "two words", "")
    found = programs.answers(
        "guarded_program.py", "strict", str(LIBRARY), *arguments, guarded=False
    )

    assert found == {
        "wipes": True,
        "malloc": True,
        "arguments": list(arguments),
        "temporary": "/nonexistent",
        "prefix": sys.prefix,
    }


def test_guarded_process_stays_as_it_is() -> None:
    """A service that is guarded already is not started again: any library would do."""
    found = programs.answers("guarded_program.py", "strict", MISSING)

    assert (found["wipes"], found["malloc"]) == (True, True)


def test_missing_library_stops_a_strict_service() -> None:
    """Without the library a strict service does not start, and says what to do."""
    done = programs.run("guarded_program.py", "strict", MISSING, guarded=False)

    assert done.returncode != 0
    assert "InternalError: the guard wipe_on_free.so is not built: install" in done.stderr


def test_missing_library_lets_best_effort_start() -> None:
    """With best effort it starts, and knows that nothing is wiped."""
    found = programs.answers("guarded_program.py", "best-effort", MISSING, guarded=False)

    assert (found["wipes"], found["malloc"]) == (False, False)


def test_guard_without_effect_is_tried_once() -> None:
    """Where Python ignores its environment, the service refuses instead of starting for ever."""
    arguments = ("strict", str(LIBRARY))
    done = programs.run("guarded_program.py", *arguments, guarded=False, flags=("-E",))

    assert done.returncode != 0
    assert "InternalError: the guard wipe_on_free.so did not take effect" in done.stderr


def test_environ_keeps_what_others_preload() -> None:
    """The guard comes first, what was preloaded stays, and doing it twice changes nothing."""
    once = guarded_environ({"LD_PRELOAD": "/other.so", "LANG": "C"}, Path("/guard.so"))

    assert once == {
        "LD_PRELOAD": "/guard.so /other.so",
        "PYTHONMALLOC": "malloc",
        "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(8 << 20),
        "MALLOC_TOP_PAD_": str(1 << 20),
        "TMPDIR": "/nonexistent",
        "GRPC_VERBOSITY": "NONE",
        "LANG": "C",
    }
    assert guarded_environ(once, Path("/guard.so")) == once


@pytest.mark.parametrize("name", ["numpy", "grpc", "cv2", "google.protobuf"])
def test_guard_and_seal_import_nothing_heavy(name: str) -> None:
    """What runs before the process is guarded and sealed starts no threads of anyone."""
    done = programs.python(
        "import sys\nfrom services.chassis.memory import guard, report\n"
        f"print({name!r} in sys.modules)"
    )

    assert done.stdout == "False\n", done.stderr
