"""What the guard and the seal really hold off, found out by trying it."""

import errno
import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from services.chassis.errors import InternalError, Reason
from services.chassis.memory import guard, landlock, libc
from services.chassis.memory.reservation import Reservation, whole_pages
from services.chassis.memory.seal import SWAP_LIMIT_FILE

# A seal answers so, and so does a file system without anything writable or a missing protocol.
REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EAFNOSUPPORT})
# Where programs leave things behind; all of it must be refused.
WRITE_PROBE_DIRECTORIES = ("/tmp", "/var/tmp", "/dev/shm", "/run", ".")  # noqa: S108
# Any port will do: a process that may connect hears that nobody listens there.
CONNECT_PROBE_PORT = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardReport:
    """State of the retention guard, each part measured in this process."""

    wipe_on_free: bool
    """free and realloc zero what they give back."""
    python_malloc: bool
    """Python's objects live in malloc's heap, where the wipe reaches them."""
    writes_denied: bool
    """No file can be created, and none opened for writing."""
    reads_narrowed: bool
    """The service's own code can't be read any more, only models and certificates."""
    connects_denied: bool
    """No TCP connection can be opened, over IPv4 or IPv6."""
    datagrams_denied: bool
    """No datagram socket can be made, so no name can be looked up either."""
    dumpable_off: bool
    """Processes of the same user can't read the memory, and the kernel dumps none of it."""
    core_limit_zero: bool
    """The limit on core dumps is zero, for this process and what it could start."""
    privileges_fixed: bool
    """No executed program can gain privileges."""
    memory_locked_or_no_swap: bool
    """A call's memory can be locked whole, or there is nothing to swap to."""
    landlock_abi: int
    """Interface version of the kernel's Landlock, 0 if it has none."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the parts that do not hold."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is False)

    @property
    def complete(self) -> bool:
        """Whether every part holds."""
        return not self.missing

    @property
    def dumps_denied(self) -> bool:
        """Whether memory stays out of core dumps and of other processes' sight."""
        return self.dumpable_off and self.core_limit_zero


def inspect_process(call_bytes_max: int) -> GuardReport:
    """Try everything that the guard and the seal are to refuse. Takes a few milliseconds.

    Args:
        call_bytes_max: most memory that one call may hold, to be locked for a moment.
    """
    return GuardReport(
        wipe_on_free=guard.wipes_on_free(),
        python_malloc=guard.python_uses_malloc(),
        writes_denied=_writes_denied(),
        reads_narrowed=_open_refused(Path(__file__), os.O_RDONLY),
        connects_denied=_each_family(_connect),
        datagrams_denied=_each_family(_make_datagram_socket),
        dumpable_off=libc.prctl(libc.PR_GET_DUMPABLE) == 0,
        core_limit_zero=resource.getrlimit(resource.RLIMIT_CORE) == (0, 0),
        privileges_fixed=libc.prctl(libc.PR_GET_NO_NEW_PRIVS) == 1,
        memory_locked_or_no_swap=_can_lock(call_bytes_max) or not _can_swap(),
        landlock_abi=landlock.interface_version(),
    )


def require_guard(report: GuardReport, retention: guard.Retention) -> None:
    """Refuse to serve without a complete guard, unless the operator accepts best effort.

    Raises:
        InternalError: strict, and something is missing; names it.
    """
    if retention is guard.Retention.STRICT and not report.complete:
        kernel = f"this kernel's Landlock version is {report.landlock_abi}"
        parts = ", ".join(report.missing)
        message = f"the retention guard lacks {parts}; {kernel}"
        raise InternalError(Reason.RETENTION_GUARD_MISSING, message)


def _writes_denied() -> bool:
    new_files = (
        Path(directory, f"batchpix-probe-{os.getpid()}") for directory in WRITE_PROBE_DIRECTORIES
    )
    return _open_refused(Path(__file__), os.O_WRONLY) and all(map(_creation_refused, new_files))


def _creation_refused(path: Path) -> bool:
    if _open_refused(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL):
        return True
    path.unlink()
    return False


def _open_refused(path: Path, flags: int) -> bool:
    return _refused(lambda: os.close(os.open(path, flags | os.O_CLOEXEC, 0o600)))


def _each_family(attempt: Callable[[socket.AddressFamily], None]) -> bool:
    families = (socket.AF_INET, socket.AF_INET6)
    return all(_refused(partial(attempt, family)) for family in families)


def _connect(family: socket.AddressFamily) -> None:
    loopback = "127.0.0.1" if family is socket.AF_INET else "::1"
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.connect((loopback, CONNECT_PROBE_PORT))


def _make_datagram_socket(family: socket.AddressFamily) -> None:
    socket.socket(family, socket.SOCK_DGRAM).close()


def _refused(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except OSError as error:
        return error.errno in REFUSALS
    return False


def _can_lock(size_bytes: int) -> bool:
    reservation = Reservation(whole_pages(size_bytes))
    locked = reservation.lock(0, whole_pages(size_bytes))
    reservation.close()
    return locked


def _can_swap() -> bool:
    """Tell whether there is swap that this process, or the container it is in, may use."""
    if libc.swap_bytes() == 0:
        return False
    try:
        return SWAP_LIMIT_FILE.read_text().strip() != "0"
    except OSError:
        return True
