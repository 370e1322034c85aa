"""The processes that an audit looks into, and its look into all of them."""

from collections.abc import Iterable, Sequence

import psutil

from batchpix_client.audit.memory import Findings, scan_process
from batchpix_client.audit.needles import Haystack, Needle
from batchpix_client.mesh import LocalMesh

GATEWAY = "gateway"


def service_ids(mesh: LocalMesh) -> Sequence[int]:
    """List the processes of the services, and what they may have started."""
    return with_children(number for name, number in mesh.process_ids.items() if name != GATEWAY)


def gateway_ids(mesh: LocalMesh) -> Sequence[int]:
    """List the processes of the gateway: the one that renders its settings, and Envoy."""
    return with_children([mesh.process_ids[GATEWAY]])


def scan_services(mesh: LocalMesh, needles: Iterable[Needle]) -> Findings:
    """Look through all memory of all services."""
    return scan_all(service_ids(mesh), Haystack(needles))


def scan_all(process_ids: Iterable[int], haystack: Haystack) -> Findings:
    """Look through all memory of several processes."""
    findings = Findings()
    for process_id in process_ids:
        findings.add(scan_process(process_id, haystack))
    return findings


def with_children(process_ids: Iterable[int]) -> list[int]:
    """Add the processes that these have started."""
    found: list[int] = []
    for number in process_ids:
        found += [number, *(child.pid for child in psutil.Process(number).children(recursive=True))]
    return found
