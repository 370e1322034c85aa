"""The least that gRPC needs: one unary call of bytes, no TLS, no limits, nothing erased."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from painting import Layout, PaintingWork

METHOD, MESSAGE_BYTES_MAX = "/peer.Painter/Paint", 64 << 20
THREADS_WAITING = 16


def main() -> None:
    """Serve until the process is ended."""
    layout = Layout.from_env()
    work = PaintingWork(threads=layout.threads, streams=layout.workers)
    handler = grpc.method_handlers_generic_handler(
        "peer.Painter",
        {"Paint": grpc.unary_unary_rpc_method_handler(lambda jpeg, _context: work.paint(jpeg))},
    )
    server = grpc.server(
        ThreadPoolExecutor(THREADS_WAITING),
        handlers=[handler],
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ],
    )
    server.add_insecure_port(f"127.0.0.1:{layout.port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
