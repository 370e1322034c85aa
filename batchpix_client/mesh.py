"""A mesh on this machine: certificates, a token, every built service and the gateway."""

import importlib.util
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from batchpix_client.children import Child, LogLine
from batchpix_client.client import Client
from batchpix_client.errors import BatchpixError
from batchpix_client.ports import LOOPBACK, free_ports, is_free
from batchpix_client.profile import Profile
from batchpix_client.settings import inherited_environment
from gateway.certs import CertificatePaths, make_development_certificates
from gateway.files import replace_file
from gateway.settings import SERVICES, GatewaySettings, Upstream, to_mapping
from gateway.tokens import KEY_SET_FILE, load_or_make_key, make_token

GATEWAY_PORT = 8443
INTERNAL_CALLER = "developer"
START_SECONDS_MAX = 60.0  # models are read and warmed up
POLL_SECONDS = 0.05
DRAIN_SECONDS = 5  # running calls get this long to end
END_SECONDS_MAX = DRAIN_SECONDS + 3.0
RENEW_SECONDS = 3600.0  # well before any token or certificate ends


class LocalMesh:
    """The processes of one mesh; a context manager that starts and stops them all."""

    def __init__(
        self,
        home: Path,
        *,
        features: Sequence[str] | None = None,
        replicas: int = 1,
        gateway_port: int | None = None,
        environment: Mapping[str, str] | None = None,
        log_line: LogLine = lambda _name, _line: None,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            home: folder for certificates, keys and the token, made with mode 0700.
            features: those to bring up; None = all that are built.
            replicas: services of each feature, among which the gateway shares calls out.
            gateway_port: where callers connect; None = any free port.
            environment: BATCHPIX_* settings for the services, over those of this process.
            log_line: is given each line that a process of the mesh writes.
        """
        self._home = home.absolute()
        self._token_file = self._home / "token"
        self._environment = {**inherited_environment(), **(environment or {})}
        self._log_line = log_line
        self._children: list[Child] = []
        self._ended: SimpleQueue[Child] = SimpleQueue()
        self._features = tuple(features or built_features())
        # Every address of 127.0.0.0/8 is this machine: each replica has one, as in a cluster.
        self._hosts = tuple(f"127.0.0.{number + 1}" for number in range(replicas))
        self._ports = free_ports(2 + 3 * len(self._features))
        self._gateway_port = gateway_port or self._ports[0]
        self.profile = self._make_profile()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Keep the mesh up until a process of it ends; renew its token and certificates meanwhile.

        Raises:
            BatchpixError: a process ended, told with the last thing that it wrote.
        """
        while True:
            self._refuse_ended(pause_seconds=RENEW_SECONDS)
            self._renew()

    def stop(self) -> None:
        """End all processes, the gateway first so that nothing new comes in."""
        gateways = [child for child in self._children if child.name == "gateway"]
        services = [child for child in self._children if child.name != "gateway"]
        for group in (gateways, services):
            for child in group:
                child.terminate()
            for child in group:
                child.end(END_SECONDS_MAX)
        self._children.clear()

    @property
    def process_ids(self) -> Mapping[str, int]:
        """Processes of the mesh by name: each feature's, "feature-2" and so on, and "gateway"."""
        return {child.name: child.process_id for child in self._children}

    def client(self) -> Client:
        """Connect through the gateway, as a caller from outside."""
        token = self._token_file.read_text(encoding="utf-8")
        return Client(self.profile.address, ca=self.profile.ca, token=token)

    def _start(self) -> None:
        if not self._features:
            raise mesh_error("no service is built")
        if not is_free(self._gateway_port):
            raise mesh_error(f"port {self._gateway_port} is taken")
        certificates = self._renew()
        for feature in self._features:
            for host in self._hosts:
                name = replica_name(feature, host)
                settings = self._service_settings(certificates, feature, host)
                self._run(name, f"services.{feature}", settings)
        self._run("gateway", "gateway.run", to_mapping(self._gateway_settings(certificates)))
        for feature, address in self.profile.health.items():
            for host in self._hosts:
                health = address.replace(LOOPBACK, host)
                self._until(lambda health=health: is_serving(health), feature)  # type: ignore[misc]
        self._until(self._answers, "gateway")

    def _make_profile(self) -> Profile:
        numbers = iter(self._ports[2:])
        addresses = {
            feature: [f"{LOOPBACK}:{next(numbers)}" for _ in range(3)] for feature in self._features
        }
        certificates = self._home / "certificates"
        return Profile(
            address=f"localhost:{self._gateway_port}",
            ca=certificates / "ca.crt",
            token_file=self._token_file,
            receipt_keys=tuple(
                certificates / "services" / feature / "receipt.pub"
                for feature in self._features[:1]
            ),
            admin_address=f"{LOOPBACK}:{self._ports[1]}",
            internal={feature: listed[0] for feature, listed in addresses.items()},
            health={feature: listed[1] for feature, listed in addresses.items()},
            metrics={feature: listed[2] for feature, listed in addresses.items()},
            client_certificates=certificates / "clients" / INTERNAL_CALLER,
        )

    def _renew(self) -> CertificatePaths:
        """Make certificates and token, or those of them that are about to end."""
        folder = self._home / "certificates"
        paths = make_development_certificates(folder, self._features, [INTERNAL_CALLER])
        key = load_or_make_key(self._home / "tokens")
        token = make_token(key, INTERNAL_CALLER, list(self._features))
        replace_file(self._token_file, token.encode())
        return paths

    def _service_settings(
        self, certificates: CertificatePaths, feature: str, host: str
    ) -> dict[str, str]:
        folder = certificates.services[feature]
        callers = ("gateway", f"client/{INTERNAL_CALLER}")
        return {
            "BATCHPIX_DRAIN_SECONDS": str(DRAIN_SECONDS),
            **self._environment,
            "BATCHPIX_LISTEN": self.profile.internal[feature].replace(LOOPBACK, host),
            "BATCHPIX_HEALTH_LISTEN": self.profile.health[feature].replace(LOOPBACK, host),
            "BATCHPIX_METRICS_LISTEN": self.profile.metrics[feature].replace(LOOPBACK, host),
            "BATCHPIX_CERTIFICATES": str(folder),
            "BATCHPIX_RECEIPT_KEY": str(folder / "receipt.key"),
            "BATCHPIX_ALLOWED_CALLERS": ",".join(f"spiffe://batchpix/{name}" for name in callers),
        }

    def _gateway_settings(self, certificates: CertificatePaths) -> GatewaySettings:
        ports = {name: int(at.rpartition(":")[2]) for name, at in self.profile.internal.items()}
        return GatewaySettings(
            upstreams={
                name: Upstream(host=LOOPBACK, port=port, more_hosts=self._hosts[1:])
                for name, port in ports.items()
            },
            certificate_folder=certificates.gateway,
            client_certificate_folder=certificates.clients["gateway"],
            watched_folder=self._home / "gateway",
            key_set_file=self._home / "tokens" / KEY_SET_FILE,
            listen_port=self._gateway_port,
            admin_port=self._ports[1],
            drain_seconds=DRAIN_SECONDS,
        )

    def _run(self, name: str, module: str, settings: Mapping[str, str]) -> None:
        child = Child(
            name,
            [sys.executable, "-m", module],
            {**self._environment, **settings},
            log_line=self._log_line,
            ended=self._ended,
        )
        self._children.append(child)

    def _until(self, is_ready: Callable[[], bool], name: str) -> None:
        """Wait for a process of the mesh to be ready, or for any of them to end."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_ready():
            self._refuse_ended(pause_seconds=POLL_SECONDS)
            if time.monotonic() > deadline:
                raise mesh_error(f"{name} was not ready within {START_SECONDS_MAX:.0f} seconds")

    def _refuse_ended(self, pause_seconds: float) -> None:
        with suppress(Empty):
            raise mesh_error(self._ended.get(timeout=pause_seconds).why())

    def _answers(self) -> bool:
        with suppress(BatchpixError), self.client() as client:
            return bool(client.policy().version)
        return False


def replica_name(feature: str, host: str) -> str:
    """Name a replica by the last number of its address; the first has its feature's own name."""
    number = host.rpartition(".")[2]
    return feature if number == "1" else f"{feature}-{number}"


def built_features() -> tuple[str, ...]:
    """List the features whose service can be started here."""
    return tuple(name for name in SERVICES if has_service(name))


def has_service(feature: str) -> bool:
    """Tell whether the program of a feature's service is installed."""
    try:
        return importlib.util.find_spec(f"services.{feature}.__main__") is not None
    except ModuleNotFoundError:
        return False


def default_gateway_port() -> int | None:
    """Name the usual port, None if somebody listens there already."""
    return GATEWAY_PORT if is_free(GATEWAY_PORT) else None


def is_serving(health_address: str) -> bool:
    """Ask a service's health check; False while it cannot be reached."""
    with grpc.insecure_channel(health_address) as channel, suppress(grpc.RpcError):
        answer = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=1.0
        )
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False


def mesh_error(message: str) -> BatchpixError:
    """Make the error of a mesh that cannot be started or kept up."""
    return BatchpixError("UNAVAILABLE", "MESH_FAILED", message)
