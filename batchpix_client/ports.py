"""Ports on loopback that are free now."""

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
OUTGOING_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
OUTGOING_FIRST: Final = 32_768
"""Where that range begins unless somebody changed it (Linux, ip-sysctl.rst)."""
LISTENING_FIRST: Final = 16_384


def free_ports(count: int) -> Sequence[int]:
    """Find ports that nobody listens on; they are held together, so they differ.

    They lie below those that the kernel gives to outgoing connections: one of these could take the
    port before whoever asked listens on it. Where there is no room below, the kernel chooses.
    """
    span = range(LISTENING_FIRST, outgoing_first())
    candidates = iter(random.sample(span, len(span)))
    with ExitStack() as held:
        return [port_of(held.enter_context(listen_on_next(candidates))) for _ in range(count)]


def listen_on_next(candidates: Iterator[int]) -> socket.socket:
    """Listen on the first candidate that is free; without any left, wherever the kernel says."""
    for port in candidates:
        with suppress(OSError):
            return socket.create_server((LOOPBACK, port))
    return socket.create_server((LOOPBACK, 0))


def outgoing_first() -> int:
    """Tell the first port that outgoing connections may have."""
    try:
        return int(OUTGOING_RANGE.read_text(encoding="ascii").split()[0])
    except OSError:
        return OUTGOING_FIRST


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    try:
        with socket.create_server((LOOPBACK, port)):
            return True
    except OSError:
        return False


def port_of(listening: socket.socket) -> int:
    """Name the port of a listening socket."""
    return int(listening.getsockname()[1])
