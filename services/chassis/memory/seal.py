"""Giving up what a service does not need, so that the kernel refuses what the policy forbids.

Two stages, because a kernel binds threads and not processes: `seal_process` before any other
thread exists, `narrow_reads` once everything that a call needs is loaded and warm.
"""

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from services.chassis.errors import InternalError, Reason, translate
from services.chassis.memory import egress, landlock, libc
from services.chassis.memory.reporters import silence_reporters

# What the dynamic linker, the C library and the engines read while they start.
SYSTEM_PATHS = tuple(
    Path(path)
    for path in ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/etc", "/proc", "/sys", "/dev")
)

# What the container that the process is in may swap, at most.
SWAP_LIMIT_FILE = Path("/sys/fs/cgroup/memory.swap.max")
# Read at any time: gRPC seeds a generator in the middle of its work, and aborts the process if it
# can't.
ALWAYS_READ = (Path("/dev/urandom"), SWAP_LIMIT_FILE)


def seal_process(
    read_paths: Sequence[Path], bind_ports: Sequence[int], devices: Sequence[Path] = ()
) -> None:
    """Give up writing, executing, connecting, core dumps, being looked at, and reporters.

    Call it while the process has one thread. Files that are open stay usable. Which of these took
    effect is for `report.inspect_process` to find out: a kernel that lacks one is no error here.

    Args:
        read_paths: files and directories to read beside the interpreter and the system's libraries.
        bind_ports: TCP ports to listen on; 0 for one that the kernel picks.
        devices: accelerators to use, such as /dev/nvidia0; they may be read, written, controlled.

    Raises:
        InternalError: a path of `read_paths` does not exist.
    """
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, "threads that exist already would stay unsealed"
    silence_reporters()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(libc.PR_SET_DUMPABLE, 0)
    readable = [*read_paths, *interpreter_paths()]
    _restrict(landlock.Allowance(readable=readable, devices=devices, bind_ports=bind_ports))


def narrow_reads(
    read_paths: Sequence[Path], bind_ports: Sequence[int], devices: Sequence[Path] = ()
) -> None:
    """Give up reading all but `read_paths`, and every way out of the process but its listeners.

    What was not imported by now can't be any more.


    Reads: binds the calling thread and those it starts later; threads that engines have started
    meanwhile may go on reading what `seal_process` allowed, where the kernel can't reach them.
    Ways out: binds all threads at once.

    Args:
        read_paths: models and certificates. Of files that are replaced while the service runs, as
            certificates are, the directory that holds them and what they link to.
        bind_ports: as given to `seal_process`.
        devices: as given to `seal_process`.

    Raises:
        InternalError: a path of `read_paths` does not exist.
    """
    readable = [*read_paths, *(path for path in ALWAYS_READ if path.exists())]
    _restrict(landlock.Allowance(readable=readable, devices=devices, bind_ports=bind_ports))
    try:
        egress.deny_egress()
    except OSError:
        # A kernel without filters: the inspection finds the ways out open, and says so.
        return


def interpreter_paths() -> list[Path]:
    """List what the interpreter, its packages and the system's libraries are read from."""
    prefixes = (sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path)
    candidates = {Path(prefix).resolve() for prefix in prefixes} | set(SYSTEM_PATHS)
    return sorted(path for path in candidates if path.exists())


def _restrict(allowance: landlock.Allowance) -> None:
    message = "a path that the seal is to leave readable does not exist"
    with translate({FileNotFoundError: (InternalError, Reason.INTERNAL, message)}):
        landlock.restrict(allowance)
