"""A program that seals itself, then tries what must be refused and does what must still work.

Arguments: a folder to work on, and "sealed" or "open". It prints the port that it listens
on, answers one connection, and prints, as JSON, for each attempt "done" or the name of the error.
"""

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from services.chassis.memory import libc, seal
from services.chassis.memory.egress import CALL_NUMBERS, MSG_FASTOPEN
from services.chassis.memory.report import inspect_process

IPPROTO_MPTCP = 262
CALL_BYTES_MAX = 64 << 20
ACCEPT_SECONDS_MAX = 30
CLIENT_PORT = 47_999

Attempts = dict[str, Callable[[], object]]


def main(folder: Path, *, sealed: bool) -> None:
    """Seal, listen, and try everything."""
    read_paths = [folder / "models", folder / "certificates"]
    if sealed:
        seal.seal_process([folder], [0])
    with ThreadPoolExecutor(1) as old_thread, ThreadPoolExecutor(1) as new_thread:
        old_thread.submit(os.getpid).result()
        # Python imports this codec only when the first name is looked up.
        "batchpix".encode("idna")
        if sealed:
            seal.narrow_reads(read_paths, [0])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serve_one(listener)
            refusable = files(folder) | ways_out(folder, listener.getsockname())
            found = {
                name: outcome(attempt) for name, attempt in (refusable | needs(folder)).items()
            }
            for name in ("create", "connect", "datagram"):
                found[f"{name}_in_old_thread"] = old_thread.submit(
                    outcome, refusable[name]
                ).result()
                found[f"{name}_in_new_thread"] = new_thread.submit(
                    outcome, refusable[name]
                ).result()
            private = refusable["read_private"]
            found["read_private_in_new_thread"] = new_thread.submit(outcome, private).result()
    report = inspect_process(CALL_BYTES_MAX)
    json.dump({"attempts": found, "report": asdict(report), "missing": report.missing}, sys.stdout)


def files(folder: Path) -> Attempts:
    """List what could leave something on a disk, or read what is no business of a service."""
    models = folder / "models"
    lock = models / "lock.toml"
    return {
        "create": (models / "new").touch,
        "create_in_tmp": Path(f"/tmp/batchpix-{os.getpid()}").touch,  # noqa: S108
        "create_in_shared_memory": Path(f"/dev/shm/batchpix-{os.getpid()}").touch,  # noqa: S108
        "append": lambda: lock.open("a").close(),
        "truncate": lambda: os.truncate(lock, 4),
        "hard_link": lambda: (models / "hard").hardlink_to(lock),
        "link": lambda: (models / "link").symlink_to(lock),
        "make_folder": (models / "folder").mkdir,
        "make_pipe": lambda: os.mkfifo(models / "pipe"),
        "rename": lambda: (folder / "old").rename(folder / "renamed"),
        "remove": (folder / "spare").unlink,
        "execute": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "read_private": (folder / "private").read_text,
        "list_parent": lambda: list(folder.iterdir()),
        "read_own_code": Path(__file__).read_text,
    }


def ways_out(folder: Path, address: tuple[str, int]) -> Attempts:
    """List what could carry something out of the process."""
    ring = ctypes.create_string_buffer(256)
    ring_setup = CALL_NUMBERS[os.uname().machine].io_uring_setup
    tcp = (socket.AF_INET, socket.SOCK_STREAM)
    return {
        "connect": lambda: connect(socket.AF_INET, address),
        "connect_ipv6": lambda: connect(socket.AF_INET6, ("::1", address[1])),
        "connect_local": lambda: connect(socket.AF_UNIX, str(folder / "socket")),
        "fast_open": lambda: socket.socket(*tcp).sendto(b"x", MSG_FASTOPEN, address),
        "fast_open_message": lambda: socket.socket(*tcp).sendmsg([b"x"], [], MSG_FASTOPEN, address),
        "multipath": lambda: socket.socket(*tcp, IPPROTO_MPTCP),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "datagram_ipv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "local_datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
        "local_datagram_pair": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
        "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "ring": lambda: os.close(libc.system_call(ring_setup, 1, ctypes.addressof(ring))),
        "other_port": lambda: socket.create_server(("127.0.0.1", CLIENT_PORT)).close(),
        "signal_parent": lambda: os.kill(os.getppid(), 0),
    }


def needs(folder: Path) -> Attempts:
    """List what a service goes on doing while it is sealed."""
    return {
        "read_model": (folder / "models" / "lock.toml").read_text,
        "read_rotated_certificate": (folder / "certificates" / "second" / "tls.crt").read_text,
        "read_certificate_through_link": (folder / "certificates" / "tls.crt").read_text,
        "read_random": lambda: Path("/dev/urandom").open("rb").close(),
        "wake_up": socket.socketpair,
        "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
        "signal_self": lambda: os.kill(os.getpid(), 0),
        "print": lambda: sys.stderr.write("still here\n"),
    }


def connect(family: socket.AddressFamily, address: tuple[str, int] | str) -> None:
    """Open a connection, and close it."""
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.connect(address)


def serve_one(listener: socket.socket) -> None:
    """Tell the port to the one who waits for it, and answer the connection that comes."""
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    listener.settimeout(ACCEPT_SECONDS_MAX)
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"served")


def outcome(attempt: Callable[[], object]) -> str:
    """Try, and name how it ended."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "done"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sealed=sys.argv[2] == "sealed")
