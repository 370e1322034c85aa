"""The process a service runs in: one whose freed memory is zeroed, or none at all."""

import ctypes
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from services.chassis.errors import InternalError, Reason
from services.chassis.memory import libc

# Built from wipe_on_free.c when the package is installed.
LIBRARY = Path(__file__).with_name("wipe_on_free.so")
# Smaller would cost page faults in every run of a network, larger would let the heap grow.
LARGE_BLOCK_BYTES = 8 << 20
HEAP_SPARE_BYTES = 8 << 20
HEAP_STEP_BYTES = 1 << 20
# A block of the allocator's own small-block cache, of a size that the probe itself does not use.
PROBE_BYTES = 1000
PROBE_PATTERN = 0xA5


class Retention(StrEnum):
    """How a service takes it when a part of the retention guard is missing."""

    STRICT = "strict"
    """Refuse to start."""
    BEST_EFFORT = "best-effort"
    """Start, and say in health, policy and every receipt what is missing."""


def ensure_guard(environ: Mapping[str, str], retention: Retention, library: Path = LIBRARY) -> None:
    """Return in a guarded process; start this one anew, under the guard, if it is not one yet.

    Call it first in `__main__`, before any heavy import: what runs before it runs twice.

    Args:
        environ: environment to hand on, with the guard added.
        retention: what to do if the guard can't be had.
        library: the preloaded library.

    Raises:
        InternalError: strict, and the library is missing or did not take effect.
    """
    if wipes_on_free() and python_uses_malloc():
        return
    guarded = guarded_environ(environ, library)
    # An environment that has all of it already was tried, and did not help.
    if library.is_file() and guarded != dict(environ):
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], guarded)  # noqa: S606
    if retention is Retention.STRICT:
        cause = "did not take effect" if library.is_file() else "is not built: install the package"
        raise InternalError(Reason.RETENTION_GUARD_MISSING, f"the guard {library.name} {cause}")


def guarded_environ(environ: Mapping[str, str], library: Path = LIBRARY) -> dict[str, str]:
    """Return `environ` with what a guarded process needs; doing it twice changes nothing."""
    preloaded = environ.get("LD_PRELOAD", "").split()
    if str(library) not in preloaded:
        preloaded.insert(0, str(library))
    return {
        **environ,
        "LD_PRELOAD": " ".join(preloaded),
        # Python's own allocator keeps small objects in pages that free() never sees.
        "PYTHONMALLOC": "malloc",
        # Large blocks are mappings of their own: freed, they are the kernel's again at once, and
        # the heap does not grow around them.
        "MALLOC_MMAP_THRESHOLD_": str(LARGE_BLOCK_BYTES),
        # Once that is set, the heap would give every free page at its end back, and fault it in
        # again for the next record of TLS.
        "MALLOC_TRIM_THRESHOLD_": str(HEAP_SPARE_BYTES),
        "MALLOC_TOP_PAD_": str(HEAP_STEP_BYTES),
        # A library that wants a temporary file finds no place for one.
        "TMPDIR": "/nonexistent",
        # What gRPC's core logs by itself may name addresses of callers.
        "GRPC_VERBOSITY": "NONE",
    }


def wipes_on_free() -> bool:
    """Tell by trying whether free and realloc of this process zero what they give back."""
    process = libc.process()
    if not hasattr(process, "batchpix_wipe_on_free_version"):
        return False
    freed, moved = _filled_block(), _filled_block()
    libc.free(freed)
    grown = libc.realloc(moved, 8 * PROBE_BYTES)
    # Both blocks wait in this thread's cache: they are mapped, and nobody else's yet.
    wiped = _is_wiped(freed) and _is_wiped(moved)
    libc.free(grown)
    return wiped


def python_uses_malloc() -> bool:
    """Tell whether Python's objects live in malloc's heap: then its own allocator holds none."""
    return sys.getallocatedblocks() == 0


def _filled_block() -> int:
    block = libc.malloc(PROBE_BYTES)
    ctypes.memset(block, PROBE_PATTERN, PROBE_BYTES)
    return block


def _is_wiped(block: int) -> bool:
    # A word of the pattern, since the allocator keeps links in a free block, and addresses may
    # have single bytes of it.
    return bytes([PROBE_PATTERN]) * 8 not in ctypes.string_at(block, PROBE_BYTES)
