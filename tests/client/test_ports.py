"""Ports for those who listen a moment later."""

import socket

import pytest

from batchpix_client import ports
from batchpix_client.ports import LOOPBACK, free_ports, is_free, outgoing_first


def test_ports_differ_and_no_outgoing_connection_can_take_them() -> None:
    """Each can be listened on, and lies below those that the kernel gives away by itself."""
    found = free_ports(20)

    assert len(set(found)) == 20
    assert all(is_free(port) and port < outgoing_first() for port in found)


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two candidates the one that somebody listens on is not given out."""
    (taken,) = free_ports(1)
    monkeypatch.setattr(ports, "LISTENING_FIRST", taken)
    monkeypatch.setattr(ports, "outgoing_first", lambda: taken + 1)
    with socket.create_server((LOOPBACK, taken)):
        (found,) = free_ports(1)

    assert found != taken


def test_without_room_below_the_kernel_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where outgoing connections may have all ports, there are free ones nevertheless."""
    monkeypatch.setattr(ports, "outgoing_first", lambda: 1024)

    (found,) = free_ports(1)

    assert is_free(found)
