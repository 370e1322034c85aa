"""Tests of what a sealed process can't do any more, and of what it still can."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.chassis.memory.guard import guarded_environ
from tests.chassis.memory import programs

REFUSED_FILES = [
    *("create", "create_in_tmp", "create_in_shared_memory", "append", "truncate", "hard_link"),
    *("link", "make_folder", "make_pipe", "rename", "remove", "execute"),
    *("read_private", "list_parent", "read_own_code"),
]
REFUSED_WAYS_OUT = [
    *("connect", "connect_ipv6", "connect_local", "fast_open", "fast_open_message", "multipath"),
    *("datagram", "datagram_ipv6", "local_datagram", "local_datagram_pair", "raw", "packet"),
    *("netlink", "ring", "other_port"),
]
REFUSED_IN_THREADS = [
    f"{attempt}_in_{age}_thread"
    for attempt in ("create", "connect", "datagram")
    for age in ("old", "new")
]
NEEDED = [
    *("read_model", "read_rotated_certificate", "read_certificate_through_link", "read_random"),
    *("wake_up", "listen", "signal_self", "print"),
]
# What an unsealed process of an ordinary user is refused too, or a machine may lack.
UNTELLING = {"raw", "packet", "connect_ipv6", "ring", "multipath", "fast_open", "fast_open_message"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the program found."""

    served: bytes
    """What a client got from it after its seal."""
    attempts: Mapping[str, str]
    """Attempt -> "done" or the name of the error."""
    report: Mapping[str, object]
    """Its report of itself, as a mapping."""
    missing: list[str]
    """What it says is missing."""
    files: set[str]
    """Files that are in its folder afterwards, the sockets of this test aside."""


FILES_BEFORE = {
    *("models", "models/lock.toml", "certificates", "certificates/tls.crt", "certificates/data"),
    *("certificates/first", "certificates/first/tls.crt", "certificates/second"),
    *("certificates/second/tls.crt", "private", "old", "spare", "socket"),
}


@pytest.fixture(scope="module", name="sealed")
def sealed_findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Findings of the program with its seal."""
    return findings(tmp_path_factory.mktemp("sealed"), "sealed")


@pytest.fixture(scope="module", name="unsealed")
def unsealed_findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Findings of the program without its seal."""
    return findings(tmp_path_factory.mktemp("open"), "open")


def findings(folder: Path, state: str) -> Findings:
    """Run the program on a folder; be its client, and rotate its certificate meanwhile."""
    furnish(folder)
    command = [sys.executable, str(programs.FOLDER / "sealed_program.py"), str(folder), state]
    environ = guarded_environ(programs.bare_environ())
    with (
        local_listener(folder),
        subprocess.Popen(
            command, env=environ, cwd=programs.REPOSITORY, stdout=subprocess.PIPE, text=True
        ) as program,
    ):
        assert program.stdout is not None
        port = int(program.stdout.readline())
        rotate(folder / "certificates")
        with socket.create_connection(("127.0.0.1", port), programs.SECONDS_MAX) as client:
            served = client.recv(100)
        answer = json.loads(program.stdout.read())
    assert program.returncode == 0
    files = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return Findings(served=served, files=files, **answer)


def furnish(folder: Path) -> None:
    """Make the folder that the program works on; certificates lie as Kubernetes mounts them."""
    (folder / "models").mkdir()
    (folder / "models" / "lock.toml").write_text("four")
    certificates = folder / "certificates"
    (certificates / "first").mkdir(parents=True)
    (certificates / "first" / "tls.crt").write_text("first")
    (certificates / "data").symlink_to("first")
    (certificates / "tls.crt").symlink_to("data/tls.crt")
    for name in ("private", "old", "spare"):
        (folder / name).write_text(name)


def rotate(certificates: Path) -> None:
    """Swap the certificate in one step, as Kubernetes does."""
    (certificates / "second").mkdir()
    (certificates / "second" / "tls.crt").write_text("second")
    (certificates / "next").symlink_to("second")
    (certificates / "next").rename(certificates / "data")


@contextmanager
def local_listener(folder: Path) -> Iterator[None]:
    """Listen on a local socket in the folder, so that only a seal keeps the program from it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / "socket"))
        listener.listen()
        yield


@pytest.mark.parametrize("attempt", REFUSED_FILES + REFUSED_WAYS_OUT + REFUSED_IN_THREADS)
def test_kernel_refuses(sealed: Findings, attempt: str) -> None:
    """What would leave something behind, or carry it out, is refused in every thread."""
    assert sealed.attempts[attempt] == "EACCES"


@pytest.mark.parametrize("attempt", sorted({*REFUSED_FILES, *REFUSED_WAYS_OUT} - UNTELLING))
def test_without_the_seal_it_works(unsealed: Findings, attempt: str) -> None:
    """The attempts are real: an unsealed process gets through with them."""
    assert unsealed.attempts[attempt] == "done"


def test_new_threads_are_narrowed(sealed: Findings) -> None:
    """A thread that is made after the narrowing is bound by it."""
    assert sealed.attempts["read_private_in_new_thread"] == "EACCES"


@pytest.mark.parametrize("attempt", NEEDED)
def test_sealed_process_can_serve(sealed: Findings, attempt: str) -> None:
    """Models, rotated certificates, random numbers, listening and logging still work."""
    assert sealed.attempts[attempt] == "done"


def test_sealed_process_answers_clients(sealed: Findings) -> None:
    """Connections that come in are served."""
    assert sealed.served == b"served"


def test_other_processes_are_out_of_reach(sealed: Findings) -> None:
    """A sealed process can't send a signal to its parent."""
    assert sealed.attempts["signal_parent"] == "EPERM"


def test_nothing_is_left_on_disk(sealed: Findings) -> None:
    """After all attempts, those of the report included, every file is as it was."""
    assert sealed.files == FILES_BEFORE


def test_report_of_a_sealed_process_is_complete(sealed: Findings) -> None:
    """With guard and seal, nothing is missing, and each part was found to hold."""
    parts = {name for name, holds in sealed.report.items() if holds is True}

    assert sealed.missing == []
    assert parts | {"landlock_abi"} == set(sealed.report)


def test_report_of_an_open_process_names_what_is_missing(unsealed: Findings) -> None:
    """Without the seal, the report finds every part of it missing, and leaves no probe behind."""
    assert set(unsealed.missing) == {
        *("writes_denied", "reads_narrowed", "connects_denied", "datagrams_denied"),
        *("dumpable_off", "core_limit_zero", "privileges_fixed"),
    }
    assert not list(programs.REPOSITORY.glob("batchpix-probe-*"))


def test_unknown_path_is_refused_by_name_of_the_fault() -> None:
    """A seal that would leave a path readable that does not exist is a fault, not a wider seal."""
    done = programs.python("seal.narrow_reads([Path('/nowhere')], [])")

    assert "InternalError: a path that the seal is to leave readable does not exist" in done.stderr


def test_late_seal_is_a_bug() -> None:
    """A seal after other threads were started would not bind them, and says so."""
    done = programs.python(
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "seal.seal_process([], [])"
    )

    assert "AssertionError: threads that exist already" in done.stderr


def test_crash_leaves_no_core() -> None:
    """A sealed process that dies of SIGSEGV dumps nothing, even where dumps are unlimited."""
    done = programs.python(
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    seal.seal_process([], [])\n"
        "    os.kill(os.getpid(), signal.SIGSEGV)\n"
        "_, status = os.waitpid(pid, 0)\n"
        "print(os.WTERMSIG(status), os.WCOREDUMP(status))"
    )

    assert done.stdout.split() == [str(int(signal.SIGSEGV)), "False"], done.stderr
