"""What pods may take, and whether it is enough for what they are set to do."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from gateway.settings import GatewayLimits
from services.chassis.settings import Settings, SettingsError
from tests.k8s.manifests import Cluster, Workload
from tests.k8s.policy.quantity import amount
from tests.k8s.policy.rule import Rule

MEBIBYTE = 2**20
BOUNDED = ("cpu", "memory", "ephemeral-storage")
LOG_BYTES_MAX = 64 * MEBIBYTE
# A service before its first call: interpreter, libraries, networks and what warming left.
PROCESS_BYTES = 1024 * MEBIBYTE
# Of one call, outside its arena: a message of two chunks on the way in and one on the way out.
MESSAGE_CHUNKS = 4
# Envoy's allocator and the process that watches Envoy, beside its heap.
GATEWAY_BYTES = 192 * MEBIBYTE
GPU = "nvidia.com/gpu"
SLICE = "nvidia.com/mig-"
SHARING = "nvidia.com/gpu.sharing-strategy"


def guaranteed(cluster: Cluster) -> Iterator[str]:
    """Find containers that may be squeezed, or are bounded in only some of what they take."""
    for workload in cluster.workloads():
        for container in workload.containers:
            resources = container.get("resources", {})
            limits, requests = resources.get("limits", {}), resources.get("requests", {})
            if limits != requests or not set(BOUNDED) <= set(limits):
                yield f"{workload.title}/{container['name']}: requests are not limits"


def logs(cluster: Cluster) -> Iterator[str]:
    """Find containers whose log and layer may take more of a disk than a short log needs."""
    for workload in cluster.workloads():
        for container in workload.containers:
            limit = container.get("resources", {}).get("limits", {}).get("ephemeral-storage")
            if limit is None or amount(limit) > LOG_BYTES_MAX:
                yield f"{workload.title}/{container['name']}: may write more than a short log"


def processors(cluster: Cluster) -> Iterator[str]:
    """Find services that start more or fewer threads than they have processors."""
    for workload in cluster.services():
        threads = cluster.environment(workload.main).get("BATCHPIX_THREADS")
        if threads is None or amount(threads) != _limit(workload, "cpu"):
            yield f"{workload.title}: BATCHPIX_THREADS is not the processor limit"


def memory(cluster: Cluster) -> Iterator[str]:
    """Find services that the kernel would kill before they refuse a call."""
    for workload in cluster.services():
        try:
            settings = Settings.from_env(_mesh_variables(cluster, workload))
        except SettingsError:
            continue
        transport = settings.calls_in_flight_max * MESSAGE_CHUNKS * settings.chunk_bytes_max
        needed = settings.call_memory_bytes + transport + PROCESS_BYTES
        if _limit(workload, "memory") < needed:
            yield f"{workload.title}: needs {needed // MEBIBYTE} MiB"


def gateway_memory(cluster: Cluster) -> Iterator[str]:
    """Find a gateway that the kernel would kill before its overload manager acts."""
    workload = cluster.gateway()
    heap = cluster.environment(workload.main).get("BATCHPIX_GATEWAY_HEAP_BYTES_MAX")
    if heap is None or _limit(workload, "memory") < int(heap) + GATEWAY_BYTES:
        yield f"{workload.title}: its heap does not fit into its memory"


def gateway_calls(cluster: Cluster) -> Iterator[str]:
    """Find a gateway that turns calls away while replicas, who share fairly, have places."""
    gateway = cluster.gateway()
    given = cluster.environment(gateway.main).get("BATCHPIX_GATEWAY_CALLS_MAX")
    calls = int(given or GatewayLimits().calls_max)
    for workload in cluster.services():
        each = cluster.environment(workload.main).get("BATCHPIX_CALLS_IN_FLIGHT_MAX")
        places = int(each or Settings().calls_in_flight_max) * _replicas_max(cluster, workload)
        if calls < places:
            yield f"{gateway.title}: takes {calls} calls of {workload.name}, which takes {places}"


def quota(cluster: Cluster) -> Iterator[str]:
    """Find a quota that stops the autoscalers before they are at their limit."""
    needed: Counter[str] = Counter()
    for workload in cluster.workloads():
        replicas = _replicas_max(cluster, workload)
        needed["pods"] += replicas
        for name in BOUNDED:
            parts = [
                each.get("resources", {}).get("limits", {}).get(name, 0)
                for each in workload.containers
            ]
            needed[f"limits.{name}"] += replicas * int(sum(map(amount, parts)) * 1000)
    for item in cluster.of("ResourceQuota"):
        hard = item["spec"]["hard"]
        for name, value in needed.items():
            factor = 1 if name == "pods" else 1000
            if amount(hard.get(name, 0)) * factor < value:
                yield f"ResourceQuota/{item['metadata']['name']}: {name} is under what may run"


def accelerators(cluster: Cluster) -> Iterator[str]:
    """Find GPUs that are shared by taking turns, or asked for without being used."""
    for workload in cluster.services():
        limits = workload.main.get("resources", {}).get("limits", {})
        taken = {name: count for name, count in limits.items() if name.startswith("nvidia.com/")}
        device = cluster.environment(workload.main).get("BATCHPIX_DEVICE")
        if (device == "cuda") != bool(taken):
            yield f"{workload.title}: BATCHPIX_DEVICE and the GPU it has do not agree"
        if not taken:
            continue
        is_whole = all(name == GPU or name.startswith(SLICE) for name in taken)
        if not is_whole or any(name.endswith(".shared") for name in taken):
            yield f"{workload.title}: takes something else than a whole GPU or a slice"
        if [str(count) for count in taken.values()] != ["1"]:
            yield f"{workload.title}: takes more or less than one GPU or slice"
        if not _keeps_off_shared_nodes(workload):
            yield f"{workload.title}: may stand on a node whose GPUs take turns"
        if workload.pod.get("runtimeClassName") is None:
            yield f"{workload.title}: names no runtime that brings the driver in"


def _keeps_off_shared_nodes(workload: Workload) -> bool:
    nodes = workload.pod.get("affinity", {}).get("nodeAffinity", {})
    required = nodes.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms = required.get("nodeSelectorTerms", [])
    wanted = {"key": SHARING, "operator": "In", "values": ["none"]}
    # Any one of the terms suffices for a node, so each must hold it.
    return bool(terms) and all(wanted in term.get("matchExpressions", ()) for term in terms)


def _mesh_variables(cluster: Cluster, workload: Workload) -> dict[str, str]:
    variables = cluster.environment(workload.main)
    return {name: value for name, value in variables.items() if name.startswith("BATCHPIX_")}


def _limit(workload: Workload, name: str) -> Decimal:
    return amount(workload.main.get("resources", {}).get("limits", {}).get(name, 0))


def _replicas_max(cluster: Cluster, workload: Workload) -> int:
    """Tell how many pods may run at a time, those of a roll included."""
    for item in cluster.of("HorizontalPodAutoscaler"):
        if item["spec"]["scaleTargetRef"]["name"] == workload.name:
            return int(item["spec"]["maxReplicas"]) + 1
    return 1


RULES = (
    Rule(id="K60", check=guaranteed, reason="A pod's memory is its own; none is taken back."),
    Rule(id="K61", check=logs, reason="There is no room on a disk for a picture."),
    Rule(id="K62", check=processors, reason="A container sees all processors of its node."),
    Rule(id="K63", check=memory, reason="A service refuses a call before the kernel ends it."),
    Rule(id="K64", check=gateway_memory, reason="The gateway sheds load before it is ended."),
    Rule(id="K65", check=quota, reason="Bounds of the namespace hold off strangers, not callers."),
    Rule(id="K66", check=accelerators, reason="Replicas that share a GPU share no memory of it."),
    Rule(id="K67", check=gateway_calls, reason="Who gets in is chosen where it is done fairly."),
)
