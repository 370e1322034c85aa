"""A service that sends back what it gets, for the gateway to stand in front of."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

Metadata = dict[str, str | bytes]


class EchoHandler(grpc.GenericRpcHandler):
    """Echoes streams message by message and answers every other method with its name."""

    def __init__(self) -> None:
        self.seen: list[Metadata] = []

    def service(
        self, call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Handle every method of every package but grpc's own."""
        method = call_details.method
        if not method.startswith("/batchpix."):
            return None
        self.seen.append(dict(call_details.invocation_metadata))
        if method.endswith("/Hang"):
            return grpc.unary_unary_rpc_method_handler(_hang)
        if method.endswith("/Stylize"):
            return grpc.stream_stream_rpc_method_handler(_echo)
        return grpc.unary_unary_rpc_method_handler(_name(method))


def _echo(messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    context.send_initial_metadata(())
    yield from messages


def _hang(_request: bytes, context: grpc.ServicerContext) -> bytes:
    """Answer nothing, not even headers, until the caller is gone."""
    gone = threading.Event()
    if context.add_callback(gone.set):
        gone.wait()
    return b""


def _name(method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    return lambda _request, _context: method.encode()


class EchoService:
    """An echo server behind mTLS, with grpc.health.v1; a context manager."""

    def __init__(self, certificates: Path, port: int = 0) -> None:
        self.handler = EchoHandler()
        self._health = health.HealthServicer()
        self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=40),
            handlers=[self.handler],
            options=[("grpc.max_receive_message_length", 8 << 20), ("grpc.so_reuseport", 0)],
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        credentials = grpc.ssl_server_credentials(
            [((certificates / "tls.key").read_bytes(), (certificates / "tls.crt").read_bytes())],
            (certificates / "ca.crt").read_bytes(),
            require_client_auth=True,
        )
        self.port = self._server.add_secure_port(f"127.0.0.1:{port}", credentials)

    def __enter__(self) -> Self:
        """Start to serve."""
        self._server.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop at once, as a killed service would."""
        self.stop(0)

    def stop(self, grace_seconds: float) -> threading.Event:
        """Refuse new calls, and end those that run after a grace."""
        event = self._server.stop(grace_seconds)
        event.wait()
        return event


class EchoProcess:
    """An echo service in a process of its own, which can be killed; a context manager."""

    def __init__(self, certificates: Path, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.echo", str(certificates), str(port)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def __enter__(self) -> Self:
        """Serve since before."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Kill it, if that is not done yet."""
        self.kill()
        assert self.process.stdout
        self.process.stdout.close()

    def kill(self) -> None:
        """End without a word, as after a crash."""
        self.process.kill()
        self.process.wait()


def main() -> None:
    """Serve until killed; print the port."""
    with EchoService(Path(sys.argv[1]), int(sys.argv[2])) as service:
        sys.stdout.write(f"{service.port}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
