"""A system call filter that leaves a process no way out but the connections it was given.

Landlock knows TCP's connect and nothing else. This closes the rest: datagrams (and so name
look-ups), raw and packet sockets, other stream protocols, local sockets of other programs, TCP
opened by its first byte, and io_uring, whose requests no filter sees. Layout and numbers are those
of linux/seccomp.h, linux/filter.h and linux/audit.h.
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.chassis.memory import libc

SET_MODE_FILTER = 1
FILTER_ALL_THREADS = 1
ANSWER_ALLOW = 0x7FFF0000
ANSWER_REFUSE = 0x00050000 | errno.EACCES

# Instructions of the classic packet filter: load a word, compare, test bits, mask, answer.
LOAD = 0x20
JUMP_IF_EQUAL = 0x15
JUMP_IF_AT_LEAST = 0x35
JUMP_IF_BITS = 0x45
MASK = 0x54
ANSWER = 0x06

# Offsets into struct seccomp_data; of each 64-bit argument the low half.
NUMBER_OFFSET = 0
ARCHITECTURE_OFFSET = 4
ARGUMENTS_OFFSET = 16

SOCKET_TYPE_MASK = 0xF
MSG_FASTOPEN = 0x20000000
# x86-64 only: calls of its 32-bit-pointer variant carry this bit and the same architecture.
X32_BIT = 0x40000000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNumbers:
    """Numbers of the system calls that the filter looks at, on one architecture."""

    architecture: int
    seccomp: int
    socket: int
    socketpair: int
    connect: int
    sendto: int
    sendmsg: int
    sendmmsg: int
    io_uring_setup: int = 425


CALL_NUMBERS: Final = {
    "x86_64": CallNumbers(
        architecture=0xC000003E,
        seccomp=317,
        socket=41,
        socketpair=53,
        connect=42,
        sendto=44,
        sendmsg=46,
        sendmmsg=307,
    ),
    "aarch64": CallNumbers(
        architecture=0xC00000B7,
        seccomp=277,
        socket=198,
        socketpair=199,
        connect=203,
        sendto=206,
        sendmsg=211,
        sendmmsg=269,
    ),
}


def deny_egress() -> None:
    """Refuse, for good and in all threads, what would open a way out; EACCES is the answer.

    Sockets that are open stay usable, and so does listening on TCP.

    Raises:
        OSError: the kernel or this architecture has no such filter.
    """
    numbers = CALL_NUMBERS.get(os.uname().machine)
    if numbers is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    instructions = list(_program(numbers))
    code = ctypes.create_string_buffer(b"".join(instructions))
    # struct sock_fprog: the count, padding, the address.
    program = ctypes.create_string_buffer(
        struct.pack("=HxxxxxxQ", len(instructions), ctypes.addressof(code))
    )
    thread = libc.system_call(
        numbers.seccomp, SET_MODE_FILTER, FILTER_ALL_THREADS, ctypes.addressof(program)
    )
    if thread != 0:
        # The kernel names a thread with a filter of its own, which can't be brought into line.
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _program(numbers: CallNumbers) -> Iterator[bytes]:
    yield _instruction(LOAD, ARCHITECTURE_OFFSET)
    yield _instruction(JUMP_IF_EQUAL, numbers.architecture, skip_if_true=1)
    yield _instruction(ANSWER, ANSWER_REFUSE)
    yield _instruction(LOAD, NUMBER_OFFSET)
    yield _instruction(JUMP_IF_AT_LEAST, X32_BIT, skip_if_false=1)
    yield _instruction(ANSWER, ANSWER_REFUSE)
    for number in (numbers.connect, numbers.io_uring_setup):
        yield from _on_call(number, [_instruction(ANSWER, ANSWER_REFUSE)])
    for number, flags_argument in (
        (numbers.sendto, 3),
        (numbers.sendmsg, 2),
        (numbers.sendmmsg, 3),
    ):
        yield from _on_call(number, _refuse_fast_open(flags_argument))
    for number in (numbers.socket, numbers.socketpair):
        yield from _on_call(number, _refuse_other_sockets())
    yield _instruction(ANSWER, ANSWER_ALLOW)


def _on_call(number: int, body: Sequence[bytes]) -> Iterator[bytes]:
    """Run `body`, which must answer, if the call has this number."""
    yield _instruction(JUMP_IF_EQUAL, number, skip_if_false=len(body))
    yield from body


def _refuse_fast_open(flags_argument: int) -> list[bytes]:
    return [
        _instruction(LOAD, _argument(flags_argument)),
        _instruction(JUMP_IF_BITS, MSG_FASTOPEN, skip_if_false=1),
        _instruction(ANSWER, ANSWER_REFUSE),
        _instruction(ANSWER, ANSWER_ALLOW),
    ]


def _refuse_other_sockets() -> list[bytes]:
    """Allow local streams, and TCP over IPv4 and IPv6."""
    return [
        _instruction(LOAD, _argument(0)),
        _instruction(JUMP_IF_EQUAL, socket.AF_UNIX, skip_if_true=2),
        _instruction(JUMP_IF_EQUAL, socket.AF_INET, skip_if_true=1),
        _instruction(JUMP_IF_EQUAL, socket.AF_INET6, skip_if_false=5),
        _instruction(LOAD, _argument(1)),
        _instruction(MASK, SOCKET_TYPE_MASK),
        _instruction(JUMP_IF_EQUAL, socket.SOCK_STREAM, skip_if_false=2),
        _instruction(LOAD, _argument(2)),
        _instruction(JUMP_IF_AT_LEAST, socket.IPPROTO_TCP + 1, skip_if_false=1),
        _instruction(ANSWER, ANSWER_REFUSE),
        _instruction(ANSWER, ANSWER_ALLOW),
    ]


def _argument(position: int) -> int:
    return ARGUMENTS_OFFSET + 8 * position


def _instruction(code: int, value: int, *, skip_if_true: int = 0, skip_if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, skip_if_true, skip_if_false, value)
