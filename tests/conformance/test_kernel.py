"""What the kernel saw of a service at work: its system calls, and its sudden end."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest

from batchpix_client.audit.canaries import Aviary
from batchpix_client.audit.controls import held, long_picture
from batchpix_client.audit.conversation import (
    Caller,
    straight,
    through_gateway,
)
from batchpix_client.audit.footprint import files_changed_since, scan_files
from batchpix_client.audit.needles import Haystack
from batchpix_client.audit.paths import PATHS, walk
from batchpix_client.audit.plans import Maker
from batchpix_client.mesh import LocalMesh
from batchpix_client.statuses import translated

ATTACH_SECONDS_MAX = 10.0
# Opened so, a file can be written to.
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
SUCCESS = re.compile(r"= \d+")
TRACED = (
    "trace=open,openat,openat2,creat,connect,rename,renameat,renameat2,link,linkat,symlink,"
    "symlinkat,mkdir,mkdirat,mknod,mknodat,truncate,ftruncate,unlink,unlinkat,memfd_create"
)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[LocalMesh]:
    """Start a mesh that a test may break."""
    with LocalMesh(tmp_path / "home") as running:
        yield running


@pytest.fixture
def style_name(mesh: LocalMesh) -> str:
    """Name a style."""
    with mesh.client() as client:
        return client.styles()[0].name


def test_no_file_is_written_and_no_connection_opened_under_load(
    mesh: LocalMesh, style_name: str, tmp_path: Path
) -> None:
    """Shows, by the system calls of all threads of a service, that it leaves and sends nothing."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed; what the seal refuses is tested in test_seal.py")
    log, service = tmp_path / "calls.txt", mesh.process_ids["stylize"]
    command = [strace, "-f", "-qq", "-e", TRACED, "-o", str(log), "-p", str(service)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
        until_traced(service)
        outcomes = load(straight(mesh.profile), style_name)
        # One call of the kernel that must be in the log: the tracer saw what the service did.
        (mesh.profile.client_certificates or tmp_path).touch()
        tracer.send_signal(signal.SIGINT)
    seen = log.read_text().splitlines()

    assert outcomes == {"OK"}
    assert any("tls.crt" in line for line in seen)
    assert [line for line in seen if WRITING.search(line) and SUCCESS.search(line)] == []
    assert [line for line in seen if "open" not in line and SUCCESS.search(line)] == []


def test_a_crash_in_mid_call_leaves_no_core_and_no_byte(
    mesh: LocalMesh, style_name: str, tmp_path: Path
) -> None:
    """Shows that a service that dies of a fault takes a call's memory with it, and says so."""
    started = time.time()
    aviary = Aviary(3)
    make = Maker(aviary=aviary, style=style_name, call="crash")
    service = psutil.Process(mesh.process_ids["stylize"])
    caller = through_gateway(mesh.profile, (tmp_path / "home" / "token").read_text())
    with held(caller, long_picture(make)) as stream:
        os.kill(service.pid, signal.SIGSEGV)
        service.wait(ATTACH_SECONDS_MAX)
        with pytest.raises(grpc.RpcError) as failure:
            list(stream)
    caller.close()
    # A file that the search must come upon, or it has searched nowhere.
    (tmp_path / "witness").write_text("here")
    places = {Path("/tmp"), Path("/dev/shm"), Path.cwd(), tmp_path}  # noqa: S108
    read, findings = scan_files(files_changed_since(started, places), Haystack(make.needles))

    assert translated(failure.value).code == "UNAVAILABLE"
    assert findings.total == 0
    assert read > 0
    assert cores_since(started, places) == []


def until_traced(process_id: int) -> None:
    """Wait until a tracer is at work on all threads of a process."""
    deadline = time.monotonic() + ATTACH_SECONDS_MAX
    tasks = list(Path(f"/proc/{process_id}/task").iterdir())
    while time.monotonic() < deadline:
        if all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks):
            return
        time.sleep(0.01)
    pytest.skip("this system lets no tracer at a service")


def load(caller: Caller, style_name: str) -> set[str]:
    """Walk the paths that end well; return how they ended."""
    aviary, outcomes = Aviary(4), set()
    for name in ("jpeg", "png", "webp", "lossless result", "mask", "own style", "metadata"):
        make = Maker(aviary=aviary, style=style_name, call=name)
        outcomes.add(walk(caller, PATHS["stylize"][name](make), name)[0].outcome)
    caller.close()
    return outcomes


def cores_since(started: float, places: set[Path]) -> list[Path]:
    """List core dumps that were written since a time, where kernels are told to put them."""
    usual = [Path("/var/crash"), Path("/var/lib/systemd/coredump")]
    changed = files_changed_since(started, [*places, *usual])
    return [path for path in changed if path.name.startswith("core")]
