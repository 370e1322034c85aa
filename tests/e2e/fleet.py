"""A fleet: replicas of the stand-in behind one or more gateways, each part replaceable."""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from batchpix_client import tether
from batchpix_client.mesh import is_serving
from batchpix_client.ports import free_ports
from gateway.certs import LEAF_LIFETIME, make_development_certificates
from gateway.settings import GatewayLimits, GatewaySettings, Upstream, to_mapping
from gateway.tokens import KEY_SET_FILE, load_or_make_key, make_token

ROOT = Path(__file__).parents[2]
# Every address of 127.0.0.0/8 is this machine: each replica has one, as each pod has in a cluster.
REPLICA_HOSTS = ("127.0.0.1", "127.0.0.2")
# Longer than the gateway takes to see that a replica's health is off.
NOTICE_SECONDS = "2.5"
READY_SECONDS_MAX = 90.0
POLL_SECONDS = 0.02
NO_RATES = GatewayLimits(
    caller_calls_per_second=100_000,
    caller_calls_burst=100_000,
    route_calls_per_second=100_000,
    route_calls_burst=100_000,
    idle_seconds_max=300,
)


class Part:
    """One process of the fleet, started at once; it never outlives this one."""

    def __init__(self, module: str, settings: Mapping[str, str], log: Path) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, tether.__file__, str(os.getpid()), sys.executable, "-m", module],
            env={"PATH": os.environ["PATH"], **settings},
            cwd=ROOT,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait_for(self, is_ready: Callable[[], bool]) -> None:
        """Wait until it is ready; an early end is a failure."""

        def ready() -> bool:
            assert self.process.poll() is None, Path(self._log.name).read_text()
            return is_ready()

        until(ready, READY_SECONDS_MAX)

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def resident_bytes(self) -> int:
        """Memory that it and its children hold."""
        whole = [psutil.Process(self.process.pid)]
        whole += whole[0].children(recursive=True)
        return sum(process.memory_info().rss for process in whole)


class Fleet:
    """Two replicas and a gateway; a context manager that ends whatever runs."""

    def __init__(self, home: Path, limits: GatewayLimits = NO_RATES, **settings: str) -> None:
        """Prepare; `settings` are further BATCHPIX_* variables of the replicas."""
        self.home = home
        self._settings = settings
        self._limits = limits
        self._certificates = make_development_certificates(home / "certificates", ["stylize"])
        self._key = load_or_make_key(home / "tokens")
        self._port, self._health_port, self.gateway_port = free_ports(3)
        self._parts = ExitStack()
        self.replicas: dict[str, Part] = {}
        self.authority = self._certificates.authority

    def __enter__(self) -> Self:
        """Start both replicas and the gateway."""
        try:
            for host in REPLICA_HOSTS:
                self.start_replica(host)
            self.gateway = self.start_gateway()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every process."""
        self._parts.close()

    def token(self, subject: str = "someone") -> str:
        """Sign a token for stylize."""
        return make_token(self._key, subject, ["stylize"])

    def renew_certificates(self) -> None:
        """Replace every certificate and key but the authority's."""
        folder = self.home / "certificates"
        make_development_certificates(folder, ["stylize"], renew_before=LEAF_LIFETIME)

    def start_replica(self, host: str) -> None:
        """Start a replica and wait until it serves."""
        folder = self._certificates.services["stylize"]
        variables = {
            "BATCHPIX_LISTEN": f"{host}:{self._port}",
            "BATCHPIX_HEALTH_LISTEN": f"{host}:{self._health_port}",
            "BATCHPIX_METRICS_LISTEN": "",
            "BATCHPIX_NOTICE_SECONDS": NOTICE_SECONDS,
            "BATCHPIX_CERTIFICATES": str(folder),
            "BATCHPIX_RECEIPT_KEY": str(folder / "receipt.key"),
            **self._settings,
        }
        part = self._start("tests.e2e.replica", variables)
        part.wait_for(lambda: is_serving(f"{host}:{self._health_port}"))
        self.replicas[host] = part

    def start_gateway(self) -> Part:
        """Start a gateway on the fleet's port, beside any that listens there already."""
        (admin_port,) = free_ports(1)
        settings = GatewaySettings(
            upstreams={
                "stylize": Upstream(
                    host=REPLICA_HOSTS[0], port=self._port, more_hosts=REPLICA_HOSTS[1:]
                )
            },
            certificate_folder=self._certificates.gateway,
            client_certificate_folder=self._certificates.clients["gateway"],
            watched_folder=self.home / "watched",
            key_set_file=self.home / "tokens" / KEY_SET_FILE,
            listen_port=self.gateway_port,
            admin_port=admin_port,
            concurrency=1,
            drain_seconds=90,
            limits=self._limits,
        )
        part = self._start("gateway.run", to_mapping(settings))
        part.wait_for(lambda: counter(admin_port, "membership_healthy") >= len(self.replicas))
        return part

    def _start(self, module: str, settings: Mapping[str, str]) -> Part:
        part = Part(module, settings, self.home / f"{module}.log")
        self._parts.callback(part.kill)
        return part


def counter(admin_port: int, name: str) -> int:
    """Read a number of the cluster `stylize` from a gateway's page, -1 while there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", admin_port, timeout=2)
    with suppress(OSError, http.client.HTTPException, ValueError):
        try:
            connection.request("GET", f"/stats?filter=^cluster.stylize.{name}$")
            return int(connection.getresponse().read().decode().partition(":")[2])
        finally:
            connection.close()
    return -1


def until(condition: Callable[[], bool], seconds_max: float) -> None:
    """Ask again and again until it is so; another process can't tell by itself."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(POLL_SECONDS)
