"""What a bare socket takes: `python -m bench.socket_sink`; the physical limit of a transport.

It reads each connection to its end and answers with one byte when it has all of it.
"""

import argparse
import socket
import ssl
import threading
from pathlib import Path

READ_BYTES = 1 << 20


def main() -> None:
    """Listen until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.socket_sink", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True, help="on loopback")
    parser.add_argument("--certificates", type=Path, help="of a service; without it no TLS")
    options = parser.parse_args()
    context = None
    if options.certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificates / "tls.crt", options.certificates / "tls.key")
    with socket.create_server(("127.0.0.1", options.port)) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=swallow, args=(connection, context), daemon=True).start()


def swallow(connection: socket.socket, context: ssl.SSLContext | None) -> None:
    """Read as many bytes as the first eight announce, and answer."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(connection, server_side=True) if context else connection as plain:
        buffer = memoryview(bytearray(READ_BYTES))
        filled = 0
        while filled < 8:
            filled += (taken := plain.recv_into(buffer[filled:8]))
            if not taken:
                return
        left = int.from_bytes(buffer[:8], "big")
        while left:
            left -= (taken := plain.recv_into(buffer, min(left, READ_BYTES)))
            if not taken:
                return
        plain.sendall(b"\0")


if __name__ == "__main__":
    main()
