"""What the way costs: `python -m bench.transport`. Megabytes a second of chunks of 1 MiB.

The same uploads and downloads go, in turn, to services without work (`bench.sink`): directly
without TLS, directly with mutual TLS, and through Envoy (TLS outside, mTLS inside); with the guard
that zeroes what is freed and without it. Beside them a bare socket between two processes, with TLS
and without, shows what the machine could do. Callers run on the same processors.
"""

import argparse
import os
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import google_crc32c
import grpc

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix_client.ports import free_ports, is_free
from bench.figures import RESULTS, keep
from bench.processes import Program
from gateway.certs import CertificatePaths, make_development_certificates
from gateway.settings import GatewaySettings, Upstream, to_mapping
from gateway.tokens import KEY_SET_FILE, load_or_make_key, make_token

ROOT = Path(__file__).resolve().parents[1]
MEBIBYTE = 1 << 20
MEDIUM_MEBIBYTES = 48
STREAMS = (1, 8)
MEBIBYTES_OF_BLOCK = {1: 192, 8: 256}
SECONDS_MAX = 120.0
START_SECONDS_MAX = 30.0

Send = Callable[[str, int], None]
"""Moves so many mebibytes over one connection; the text is "upload" or "download"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How bytes travel.

    Attributes:
        name: of the row.
        senders: one for each stream, each with a connection of its own.
        directions: those that it can do.
    """

    name: str
    senders: Sequence[Send]
    directions: tuple[str, ...] = ("upload", "download")


@dataclass(slots=True, kw_only=True)
class Row:
    """What was measured of a way in one direction.

    Attributes:
        way: its name.
        direction: "upload" or "download", as the caller sees it.
        streams: at a time.
        megabytes_per_second: of each block; a megabyte is 10**6 bytes.
    """

    way: str
    direction: str
    streams: int
    megabytes_per_second: list[float] = field(default_factory=list)


def main() -> None:
    """Measure, print the table, keep the raw figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.transport", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="what all of it may take")
    parser.add_argument("--name", default="transport", help="of the result")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args()
    deadline = time.monotonic() + options.minutes * 60.0
    rows: dict[tuple[str, str, int], Row] = {}
    with tempfile.TemporaryDirectory() as home, ways(Path(home)) as found:
        for way in found:
            for direction in way.directions:
                warm_up(way.senders[0], direction)
        begun, rounds = time.monotonic(), 0
        # Another round only if it will be over in time.
        while rounds < 2 or time.monotonic() + (time.monotonic() - begun) / rounds < deadline:
            measure_round(found if rounds % 2 else found[::-1], rows)
            rounds += 1
    ordered = [row for _, row in sorted(rows.items())]
    print_table(ordered)
    keep(options.name, {"rows": [asdict(row) for row in ordered]}, options.out)


def warm_up(send: Send, direction: str) -> None:
    """Move a little; the gateway takes a moment to find that the service is well."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            send(direction, 16)
        except grpc.RpcError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def measure_round(found: Sequence[Way], rows: dict[tuple[str, str, int], Row]) -> None:
    """Give each way one block of each kind, one after the other."""
    for streams in STREAMS:
        for direction in ("upload", "download"):
            for way in found:
                if direction in way.directions:
                    key = (way.name, direction, streams)
                    row = rows.setdefault(
                        key, Row(way=way.name, direction=direction, streams=streams)
                    )
                    row.megabytes_per_second.append(block(way, direction, streams))


def block(way: Way, direction: str, streams: int) -> float:
    """Move one block and tell the rate."""
    share = MEBIBYTES_OF_BLOCK[streams] // streams
    started = time.perf_counter()
    with ThreadPoolExecutor(streams) as pool:
        list(pool.map(lambda send: send(direction, share), way.senders[:streams]))
    return streams * share * MEBIBYTE / 1e6 / (time.perf_counter() - started)


@contextmanager
def ways(home: Path) -> Iterator[list[Way]]:
    """Start everything that bytes can travel to."""
    certificates = make_development_certificates(home / "certificates", ["stylize"])
    key = load_or_make_key(home / "tokens")
    token = make_token(key, "bench", ["stylize"])
    with ExitStack() as stack:
        found = []
        for name, certificate in (
            ("socket", None),
            ("socket TLS", certificates.services["stylize"]),
        ):
            port = start_socket_sink(stack, home, certificate)
            senders = [socket_sender(port, certificate) for _ in range(max(STREAMS))]
            found.append(Way(name=name, senders=senders, directions=("upload",)))
        for guard in (False, True):
            suffix = " + guard" if guard else ""
            plain = start_sink(stack, home, certificates, plaintext=True, guard=guard)
            found.append(grpc_way(stack, f"plaintext{suffix}", plain, None, ""))
            sealed = start_sink(stack, home, certificates, plaintext=False, guard=guard)
            direct = client_credentials(certificates)
            found.append(grpc_way(stack, f"TLS{suffix}", sealed, direct, ""))
            gateway = start_gateway(stack, home, certificates, sealed)
            outside = grpc.ssl_channel_credentials(certificates.authority.read_bytes())
            found.append(grpc_way(stack, f"Envoy{suffix}", gateway, outside, token))
        yield found


def start_sink(
    stack: ExitStack, home: Path, certificates: CertificatePaths, *, plaintext: bool, guard: bool
) -> int:
    """Start a service without work; its port."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "bench.sink", "--listen", f"127.0.0.1:{port}"]
    command += ["--certificates", str(certificates.services["stylize"])]
    command += ["--plaintext"] * plaintext + ["--guard"] * guard
    return start(stack, home, command, {}, port)


def start_socket_sink(stack: ExitStack, home: Path, certificates: Path | None) -> int:
    """Start what reads a bare socket; its port."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "bench.socket_sink", "--port", str(port)]
    command += ["--certificates", str(certificates)] if certificates else []
    return start(stack, home, command, {}, port)


def start_gateway(stack: ExitStack, home: Path, certificates: CertificatePaths, port: int) -> int:
    """Start Envoy in front of a service without work; its port."""
    listen_port, admin_port = free_ports(2)
    settings = GatewaySettings(
        upstreams={"stylize": Upstream(host="127.0.0.1", port=port)},
        certificate_folder=certificates.gateway,
        client_certificate_folder=certificates.clients["gateway"],
        watched_folder=home / f"watched-{listen_port}",
        key_set_file=home / "tokens" / KEY_SET_FILE,
        listen_port=listen_port,
        admin_port=admin_port,
    )
    command = [sys.executable, "-m", "gateway.run"]
    return start(stack, home, command, to_mapping(settings), listen_port)


def start(
    stack: ExitStack, home: Path, command: list[str], variables: dict[str, str], port: int
) -> int:
    """Start a program and wait until it listens.

    Raises:
        SystemExit: it does not.
    """
    environment = {"PATH": os.environ["PATH"], **variables}
    log = home / f"{port}.log"
    program = stack.enter_context(Program(command, environment=environment, folder=ROOT, log=log))
    deadline = time.monotonic() + START_SECONDS_MAX
    while is_free(port):
        if program.process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{command[2]}: {program.last_words()}")
        time.sleep(0.1)
    return port


def client_credentials(certificates: CertificatePaths) -> grpc.ChannelCredentials:
    """Read what an internal caller shows."""
    folder = certificates.clients["gateway"]
    return grpc.ssl_channel_credentials(
        *((folder / name).read_bytes() for name in ("ca.crt", "tls.key", "tls.crt"))
    )


def grpc_way(
    stack: ExitStack,
    name: str,
    port: int,
    credentials: grpc.ChannelCredentials | None,
    token: str,
) -> Way:
    """Connect to a service without work, once for each stream."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 2 << 20)]
    senders = []
    for _ in range(max(STREAMS)):
        address = f"localhost:{port}"
        channel = stack.enter_context(
            grpc.secure_channel(address, credentials, options)
            if credentials
            else grpc.insecure_channel(f"127.0.0.1:{port}", options)
        )
        senders.append(grpc_sender(channel, token))
    return Way(name=name, senders=senders)


def grpc_sender(channel: grpc.Channel, token: str) -> Send:
    """Make what moves bytes by the chunk protocol."""
    stub = stylize_pb2_grpc.StylizeServiceStub(channel)
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    piece = os.urandom(MEBIBYTE)
    chunk = stylize_pb2.StylizeRequest(
        chunk=media_pb2.Chunk(data=piece, crc32c=google_crc32c.value(piece))
    )

    def requests(direction: str, mebibytes: int) -> Iterator[stylize_pb2.StylizeRequest]:
        wanted = mebibytes if direction == "download" else 0
        yield stylize_pb2.StylizeRequest(options=stylize_pb2.StylizeOptions(seed=wanted))
        left = mebibytes - wanted
        for index in range(-(-left // MEDIUM_MEBIBYTES)):
            count = min(MEDIUM_MEBIBYTES, left - index * MEDIUM_MEBIBYTES)
            kind = media_pb2.MEDIA_KIND_IMAGE
            start = media_pb2.MediaStart(index=index, kind=kind, size_bytes=count * MEBIBYTE)
            yield stylize_pb2.StylizeRequest(media_start=start)
            for _ in range(count):
                yield chunk

    def send(direction: str, mebibytes: int) -> None:
        received = 0
        answers = stub.Stylize(
            requests(direction, mebibytes), timeout=SECONDS_MAX, metadata=metadata
        )
        for answer in answers:
            received += len(answer.chunk.data)
        if direction == "download" and received != mebibytes * MEBIBYTE:
            raise SystemExit("not all bytes came back")

    return send


def socket_sender(port: int, certificates: Path | None) -> Send:
    """Make what moves bytes over a bare socket; with TLS, of one certificate and unchecked."""
    piece = os.urandom(MEBIBYTE)

    def send(_direction: str, mebibytes: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as bare:
            bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(bare) if certificates else bare as connection:
                connection.sendall((mebibytes * MEBIBYTE).to_bytes(8, "big"))
                for _ in range(mebibytes):
                    connection.sendall(piece)
                connection.recv(1)

    return send


def print_table(rows: Sequence[Row]) -> None:
    """Print medians, and what share of the direct TLS rate they are."""
    for direction in ("upload", "download"):
        for streams in STREAMS:
            these = [row for row in rows if (row.direction, row.streams) == (direction, streams)]
            direct = next(row for row in these if row.way == "TLS")
            print(f"{direction}, {streams} streams")
            for row in these:
                rate = statistics.median(row.megabytes_per_second)
                print(f"  {row.way:18} {rate:8.0f} MB/s  {share(row, direct):5.2f} of direct TLS")


def share(row: Row, direct: Row) -> float:
    """Compare two ways block by block."""
    pairs = zip(row.megabytes_per_second, direct.megabytes_per_second, strict=True)
    return statistics.median(one / other for one, other in pairs)


if __name__ == "__main__":
    main()
