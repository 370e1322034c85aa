"""Ports on loopback that are free now."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> Sequence[int]:
    """Find ports that nobody listens on; they are held together, so they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [port_of(listening) for listening in sockets]


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
