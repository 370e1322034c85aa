"""A replica started with the very settings of a cluster answers the cluster's probes, and goes."""

import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from batchpix_client.mesh import is_serving
from batchpix_client.ports import free_ports
from gateway.certs import CertificatePaths
from tests.e2e.fleet import Part
from tests.k8s.manifests import HANDLERS, ROOT, Cluster, Workload
from tests.k8s.policy.capacity import PROCESS_BYTES

SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A running replica, with where it answers."""

    part: Part
    health_address: str
    metrics_address: str


def stylize(clusters: Mapping[str, Cluster]) -> Workload:
    """Return the workload of the one feature that the replica under test serves."""
    return next(each for each in clusters["production"].services() if each.name == "stylize")


@pytest.fixture
def replica(
    clusters: Mapping[str, Cluster], certificates: CertificatePaths, tmp_path: Path
) -> Iterator[Replica]:
    """Start a sealed replica as production does; only addresses and folders are this machine's."""
    workload = stylize(clusters)
    calls, health, metrics = (f"127.0.0.1:{port}" for port in free_ports(3))
    folder = certificates.services["stylize"]
    settings = {
        **clusters["production"].environment(workload.main),
        "BATCHPIX_LISTEN": calls,
        "BATCHPIX_HEALTH_LISTEN": health,
        "BATCHPIX_METRICS_LISTEN": metrics,
        "BATCHPIX_CERTIFICATES": str(folder),
        "BATCHPIX_RECEIPT_KEY": str(folder / "receipt.key"),
        "BATCHPIX_MODELS": str(ROOT / "models"),
    }
    part = Part("tests.e2e.replica", settings, tmp_path / "log")
    try:
        part.wait_for(lambda: is_serving(health))
        yield Replica(part=part, health_address=health, metrics_address=metrics)
    finally:
        part.kill()


def test_a_replica_answers_what_a_cluster_asks(
    clusters: Mapping[str, Cluster], replica: Replica
) -> None:
    """Each probe names a service that the health port knows; a name that is wrong is refused."""
    container = stylize(clusters).main
    names = [container[probe]["grpc"]["service"] for probe in HANDLERS]
    with grpc.insecure_channel(replica.health_address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answers = [stub.Check(health_pb2.HealthCheckRequest(service=name)).status for name in names]
        with pytest.raises(grpc.RpcError) as refusal:
            stub.Check(health_pb2.HealthCheckRequest(service="batchpix.stylize.v1.Stylize"))

    assert answers == [SERVING, SERVING, SERVING]
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND


def test_prometheus_finds_the_page_of_a_replica(replica: Replica) -> None:
    """The metrics port answers with what autoscalers go by, over plain HTTP."""
    with urllib.request.urlopen(f"http://{replica.metrics_address}/metrics") as page:
        assert b"\nbatchpix_calls_in_flight 0.0\n" in page.read()


def test_an_idle_replica_goes_at_once_and_was_small(replica: Replica) -> None:
    """A drain of ten minutes lasts no longer than calls do; the allowance for a process holds."""
    resident_bytes = replica.part.resident_bytes()

    replica.part.process.terminate()

    assert replica.part.process.wait(timeout=60.0) == 0
    assert resident_bytes < PROCESS_BYTES
