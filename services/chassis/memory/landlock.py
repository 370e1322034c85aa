"""Landlock, the kernel's way for a process to give up its own access to files and sockets.

Numbers and layouts are those of linux/landlock.h; what each kernel knows is in
https://docs.kernel.org/userspace-api/landlock.html.
"""

import ctypes
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from services.chassis.memory import libc

# The same on every architecture that Linux runs Python on, but alpha.
CREATE_RULESET = 444
ADD_RULE = 445
RESTRICT_SELF = 446

CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
RULE_NETWORK_PORT = 2
RESTRICT_SELF_ALL_THREADS = 1 << 3

# First interface version that knows ...
ABI_NETWORK = 4
ABI_SCOPES = 6
ABI_ALL_THREADS = 8


class FileRight(IntFlag):
    """What may be done to files; what a ruleset handles is refused unless a rule allows it."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIRECTORY = 1 << 3
    REMOVE_DIRECTORY = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHARACTER_DEVICE = 1 << 6
    MAKE_DIRECTORY = 1 << 7
    MAKE_FILE = 1 << 8
    MAKE_SOCKET = 1 << 9
    MAKE_PIPE = 1 << 10
    MAKE_BLOCK_DEVICE = 1 << 11
    MAKE_LINK = 1 << 12
    MOVE = 1 << 13
    TRUNCATE = 1 << 14
    CONTROL_DEVICE = 1 << 15


class NetworkRight(IntFlag):
    """What may be done with TCP ports."""

    BIND = 1 << 0
    CONNECT = 1 << 1


class Scope(IntFlag):
    """Ways to reach processes outside the seal, which it closes."""

    ABSTRACT_SOCKET = 1 << 0
    SIGNAL = 1 << 1


# Rights that each interface version added, in order of version.
FILE_RIGHTS_ADDED = (
    (1, FileRight(2 * FileRight.MAKE_LINK - 1)),
    (2, FileRight.MOVE),
    (3, FileRight.TRUNCATE),
    (5, FileRight.CONTROL_DEVICE),
)
READ = FileRight.READ_FILE | FileRight.READ_DIRECTORY
USE_DEVICE = READ | FileRight.WRITE_FILE | FileRight.CONTROL_DEVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """All that stays possible."""

    readable: Sequence[Path]
    """Files, and directories with all beneath them, that may be opened for reading."""
    devices: Sequence[Path] = ()
    """Device files, and directories of them, that may be read, written and controlled."""
    bind_ports: Sequence[int] = ()
    """TCP ports that may be bound; 0 stands for one that the kernel picks."""


def interface_version() -> int:
    """Ask the kernel for its Landlock version; 0 if it has none or it is switched off."""
    try:
        return libc.system_call(CREATE_RULESET, 0, 0, CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict(allowance: Allowance) -> None:
    """Give up, for good, everything but `allowance`, as far as this kernel knows how to.

    Binds the calling thread and the threads and processes it starts from now on; from interface
    version 8 on all threads of the process. Restrictions add up: nothing ever comes back.

    Raises:
        OSError: the kernel refused, or a path of `allowance` can't be opened.
    """
    version = interface_version()
    if version == 0:
        return
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    handled = _file_rights(version)
    with _ruleset(handled, version) as ruleset:
        for paths, rights in ((allowance.readable, READ), (allowance.devices, USE_DEVICE)):
            for path in paths:
                _allow_path(ruleset, path, rights & handled)
        if version >= ABI_NETWORK:
            for port in allowance.bind_ports:
                _allow_port(ruleset, port)
        flags = RESTRICT_SELF_ALL_THREADS if version >= ABI_ALL_THREADS else 0
        libc.system_call(RESTRICT_SELF, ruleset, flags)


def _file_rights(version: int) -> FileRight:
    rights = FileRight(0)
    for since_version, added in FILE_RIGHTS_ADDED:
        if version >= since_version:
            rights |= added
    return rights


@contextmanager
def _ruleset(handled: FileRight, version: int) -> Iterator[int]:
    network = NetworkRight.BIND | NetworkRight.CONNECT if version >= ABI_NETWORK else 0
    scoped = Scope.ABSTRACT_SOCKET | Scope.SIGNAL if version >= ABI_SCOPES else 0
    # Older kernels take the longer struct too, as long as what they do not know is zero.
    attributes = _Struct(struct.pack("=QQQ", handled, network, scoped))
    descriptor = libc.system_call(CREATE_RULESET, attributes.address, attributes.size_bytes, 0)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _allow_path(ruleset: int, path: Path, rights: FileRight) -> None:
    if not path.is_dir():
        rights &= ~FileRight.READ_DIRECTORY
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Struct(struct.pack("=Qi", rights, descriptor))
        libc.system_call(ADD_RULE, ruleset, RULE_PATH_BENEATH, rule.address, 0)
    finally:
        os.close(descriptor)


def _allow_port(ruleset: int, port: int) -> None:
    rule = _Struct(struct.pack("=QQ", NetworkRight.BIND, port))
    libc.system_call(ADD_RULE, ruleset, RULE_NETWORK_PORT, rule.address, 0)


class _Struct:
    """Bytes at an address that the kernel can read while this object lives."""

    def __init__(self, content: bytes) -> None:
        self._buffer = ctypes.create_string_buffer(content, len(content))
        self.address = ctypes.addressof(self._buffer)
        self.size_bytes = len(content)
