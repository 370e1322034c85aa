"""The C library's calls that Python does not offer, typed once."""

import ctypes
import os
from collections.abc import Callable
from functools import cache
from typing import cast

# From linux/prctl.h.
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
# From bits/mman-shared.h: lock a page when it is first touched, not all of them now.
MLOCK_ONFAULT = 1
# From linux/sysinfo.h: words before the size of all swap, and more than the struct has.
SYSINFO_SWAP_WORD = 8
SYSINFO_WORDS = 32

Integer = type[ctypes.c_int | ctypes.c_long | ctypes.c_ulong | ctypes.c_size_t]


def lock_on_fault(address: int, size_bytes: int) -> bool:
    """Lock the pages of a range into memory as they are touched; tell whether the kernel agreed."""
    lock = _function("mlock2", ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
    return lock(address, size_bytes, MLOCK_ONFAULT) == 0


def unlock(address: int, size_bytes: int) -> None:
    """Undo `lock_on_fault`; the kernel refuses to drop pages that are locked."""
    _function("munlock", ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t)(address, size_bytes)


def prctl(option: int, value: int = 0) -> int:
    """Read or set an attribute of the process.

    Raises:
        OSError: the kernel refused.
    """
    control = _function("prctl", ctypes.c_int, *(ctypes.c_ulong,) * 5)
    return _checked(control(option, value, 0, 0, 0))


def system_call(number: int, *arguments: int) -> int:
    """Make a system call that has no wrapper.

    Args:
        number: the call's number on this architecture.
        arguments: integers and addresses.

    Raises:
        OSError: the kernel refused.
    """
    call = _function("syscall", *(ctypes.c_long,) * 8)
    return _checked(call(number, *arguments, *(0,) * (6 - len(arguments))))


def swap_bytes() -> int:
    """Ask the kernel how much swap the machine has."""
    words = (ctypes.c_ulong * SYSINFO_WORDS)()
    _checked(_function("sysinfo", ctypes.c_int, ctypes.c_size_t)(ctypes.addressof(words)))
    return words[SYSINFO_SWAP_WORD]


def malloc(size_bytes: int) -> int:
    """Allocate a block of C memory; its address, 0 if there is no room."""
    return _function("malloc", ctypes.c_size_t, ctypes.c_size_t)(size_bytes)


def realloc(block: int, size_bytes: int) -> int:
    """Resize a block of C memory; its address, which may be another, 0 if there is no room."""
    resize = _function("realloc", ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t)
    return resize(block, size_bytes)


def free(block: int) -> None:
    """Give a block of C memory back."""
    _function("free", ctypes.c_int, ctypes.c_size_t)(block)


@cache
def process() -> ctypes.CDLL:
    """Open the running process itself: libc and whatever was preloaded before it."""
    return ctypes.CDLL(None, use_errno=True)


@cache
def _function(name: str, *answer_and_argument_types: Integer) -> Callable[..., int]:
    # A prototype of our own: the attributes of `process()` are shared by all who open it.
    prototype = ctypes.CFUNCTYPE(*answer_and_argument_types, use_errno=True)
    return cast(Callable[..., int], prototype((name, process())))


def _checked(answer: int) -> int:
    if answer == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
