"""Who is measured: this mesh, and servers of others that do the same work.

Each peer has a program under bench/peers/ and a virtual environment of its own, which is made on
first use from the pins in the file beside the program. What can't be installed or started is told
by the table with its reason.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc

from batchpix_client import BatchpixError, Client
from batchpix_client.mesh import LocalMesh
from batchpix_client.ports import free_ports
from bench.callers import (
    Connect,
    body_form,
    http_connect,
    mesh_connect,
    multipart_form,
    tensor_form,
    unary_connect,
)
from bench.processes import Household, Program

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "bench" / "peers"
ENVIRONMENTS = ROOT / ".peers"
STYLE, QUALITY = "starry_night", 90  # as in bench/peers/painting.py
# Triton's part that runs Python is linked to the interpreter that the system brings.
INTERPRETERS = {"pytriton": "/usr/bin/python3"}
INSTALL_SECONDS_MAX = 900.0
START_SECONDS_MAX = 90.0
POLL_SECONDS = 0.2


class UnavailableError(Exception):
    """A contender can't take part; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a contender shares the processor out.

    Attributes:
        workers: pictures that are worked on at a time.
        threads: processor threads of each.
    """

    workers: int
    threads: int

    def __str__(self) -> str:
        return f"{self.workers}x{self.threads}"


CORES = os.cpu_count() or 1
WHOLE = Layout(workers=1, threads=CORES)
SHARED = Layout(workers=CORES, threads=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A contender that answers.

    Attributes:
        connect: makes a caller.
        household: its processes.
    """

    connect: Connect
    household: Household


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Someone who serves the work.

    Attributes:
        name: short, for the command line and for results.
        title: for people.
        remark: what a reader must know of how it runs.
        layouts: ways to share the processor out that are tried; the faster one is measured.
        environment: where its packages are; None = those of this project.
        run: starts it, and ends all of it after the block; raises UnavailableError.
    """

    name: str
    title: str
    remark: str
    layouts: tuple[Layout, ...]
    environment: Path | None
    run: Callable[[Layout, Path], "Iterator[Running]"]

    @contextmanager
    def running(self, layout: Layout, folder: Path) -> Iterator[Running]:
        """Serve around the block; logs go to `folder`.

        Raises:
            UnavailableError: it can't be started.
        """
        yield from self.run(layout, folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server of others.

    Attributes:
        name: of its folder under .peers/ and of its pins.
        program: file under bench/peers/.
        connect: makes callers for a port.
        ready: path that answers 200 once calls are taken; None = gRPC.
    """

    name: str
    program: str
    connect: Callable[[int], Connect]
    ready: str | None

    def run(self, layout: Layout, folder: Path) -> Iterator[Running]:
        """See `Contender`."""
        (port,) = free_ports(1)
        binaries = environment(self.name) / "bin"
        variables = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PEER_PORT": str(port),
            "PEER_WORKERS": str(layout.workers),
            "PEER_THREADS": str(layout.threads),
        }
        command = [str(binaries / "python"), str(PEERS / self.program)]
        log = folder / f"{self.name}.log"
        # A second try, since Triton's workers now and then miss each other at the start.
        for is_last in (False, True):
            with Program(command, environment=variables, folder=PEERS, log=log) as program:
                try:
                    until(lambda: self._is_ready(port), program, self.name)
                except UnavailableError:
                    if is_last:
                        raise
                    continue
                yield Running(connect=self.connect(port), household=program.household)
                return

    def _is_ready(self, port: int) -> bool:
        if self.ready is None:
            return takes_grpc(port)
        with suppress(OSError, urllib.error.URLError):
            url = f"http://127.0.0.1:{port}{self.ready}"
            with urllib.request.urlopen(url, timeout=2.0) as reply:  # loopback
                return bool(reply.status == 200)
        return False


def contenders() -> tuple[Contender, ...]:
    """List everybody; the mesh through its gateway is the one that the others are compared with."""
    return (
        mesh_contender(
            "mesh",
            "Batchpix through Envoy",
            "TLS, token, mTLS, guard, receipt; a replica for each worker",
            (WHOLE, SHARED),
            through_gateway,
        ),
        mesh_contender(
            "service", "Batchpix service alone", "mTLS, guard, receipt", (WHOLE,), straight
        ),
        peer(
            Peer(
                name="grpcio",
                program="grpcio_server.py",
                connect=lambda port: unary_connect(port, "/peer.Painter/Paint"),
                ready=None,
            ),
            "bare grpcio",
            "plaintext, unary, nothing else",
        ),
        peer(
            Peer(
                name="litserve",
                program="litserve_server.py",
                connect=lambda port: http_connect(port, multipart_form("/predict")),
                ready="/health",
            ),
            "LitServe",
            "plaintext HTTP, ZeroMQ queue (`fast_queue`), multipart form",
        ),
        peer(
            Peer(
                name="bentoml",
                program="bentoml_service.py",
                connect=lambda port: http_connect(port, body_form("/paint")),
                ready="/readyz",
            ),
            "BentoML",
            "plaintext HTTP, a process for each worker",
        ),
        peer(
            Peer(
                name="ray",
                program="ray_server.py",
                connect=lambda port: http_connect(port, body_form("/paint")),
                ready="/-/routes",
            ),
            "Ray Serve",
            "plaintext HTTP, `RAY_SERVE_THROUGHPUT_OPTIMIZED`, no dashboard",
        ),
        peer(
            Peer(
                name="pytriton",
                program="pytriton_server.py",
                connect=lambda port: http_connect(port, tensor_form("/v2/models/painter/infer")),
                ready="/v2/models/painter/ready",
            ),
            "PyTriton (Triton)",
            "plaintext HTTP, Open Inference Protocol with binary tensors",
        ),
    )


def peer(server: Peer, title: str, remark: str) -> Contender:
    """Make the contender of a peer."""
    return Contender(
        name=server.name,
        title=title,
        remark=remark,
        layouts=(WHOLE, SHARED),
        environment=ENVIRONMENTS / server.name,
        run=server.run,
    )


def mesh_contender(
    name: str,
    title: str,
    remark: str,
    layouts: tuple[Layout, ...],
    connect: Callable[[LocalMesh], Connect],
) -> Contender:
    """Make the contender of a mesh with the feature stylize alone."""

    def run(layout: Layout, folder: Path) -> Iterator[Running]:
        settings = {"BATCHPIX_THREADS": str(layout.threads)}
        try:
            with LocalMesh(
                folder / "mesh",
                features=["stylize"],
                # Replicas are to a mesh what workers are to the others.
                replicas=layout.workers,
                environment=settings,
            ) as mesh:
                members = dict(mesh.process_ids)
                if name == "service":
                    members.pop("gateway")
                yield Running(connect=connect(mesh), household=Household(members.values()))
        except BatchpixError as error:
            raise UnavailableError(f"not started: {error}") from None

    return Contender(
        name=name, title=title, remark=remark, layouts=layouts, environment=None, run=run
    )


def through_gateway(mesh: LocalMesh) -> Connect:
    """Call as somebody from outside."""
    return mesh_connect(mesh.client, STYLE, QUALITY)


def straight(mesh: LocalMesh) -> Connect:
    """Call the service as another service does."""
    folder = mesh.profile.client_certificates
    assert folder is not None, "a local mesh has a caller's certificate"  # noqa: S101

    def client() -> Client:
        return Client(
            mesh.profile.internal["stylize"],
            ca=folder / "ca.crt",
            certificate=folder / "tls.crt",
            key=folder / "tls.key",
        )

    return mesh_connect(client, STYLE, QUALITY)


def environment(name: str) -> Path:
    """Make the virtual environment of a peer, or find the one that is made.

    Raises:
        UnavailableError: its packages can't be installed; says what pip said last.
    """
    folder, pins = ENVIRONMENTS / name, PEERS / f"{name}.txt"
    stamp = folder / "installed.txt"
    if stamp.is_file() and stamp.read_bytes() == pins.read_bytes():
        return folder
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    python = INTERPRETERS.get(name, sys.executable)
    for command in (
        [python, "-m", "venv", "--clear", str(folder)],
        [*pip, "--requirement", str(pins)],
    ):
        try:
            made = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS_MAX
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnavailableError(f"not installed: {error}") from None
        if made.returncode != 0:
            said = [line for line in made.stderr.splitlines() if line.startswith("ERROR")]
            raise UnavailableError(f"not installed: {(said or ['pip failed'])[-1]}")
    stamp.write_bytes(pins.read_bytes())
    return folder


def versions(folder: Path) -> Mapping[str, str]:
    """List the packages of a peer's environment."""
    listed = subprocess.run(
        [str(folder / "bin" / "pip"), "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(line.split("==") for line in listed.stdout.splitlines() if "==" in line)


def until(is_ready: Callable[[], bool], program: Program, name: str) -> None:
    """Wait for a server to answer.

    Raises:
        UnavailableError: it ended, or took too long.
    """
    deadline = time.monotonic() + START_SECONDS_MAX
    while not is_ready():
        if program.process.poll() is not None:
            raise UnavailableError(f"{name} ended: {program.last_words()}")
        if time.monotonic() > deadline:
            raise UnavailableError(f"{name} was not ready in time: {program.last_words()}")
        time.sleep(POLL_SECONDS)


def takes_grpc(port: int) -> bool:
    """Tell whether a gRPC server listens."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, suppress(grpc.FutureTimeoutError):
        grpc.channel_ready_future(channel).result(timeout=1.0)
        return True
    return False
