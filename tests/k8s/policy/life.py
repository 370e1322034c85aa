"""How pods start, are asked how they are, take turns, and go."""

from collections.abc import Iterator

from services.chassis.settings import Settings
from tests.k8s.manifests import HANDLERS, Cluster, Workload, selects, title
from tests.k8s.policy.rule import Rule

START_SECONDS_MIN = 30
LIVENESS_SECONDS_MIN = 30
PRE_STOP_SECONDS_MIN = 5
# What a service needs after its last call to wipe, close and end; Envoy's own end is shorter.
END_SECONDS = 15
READY_SECONDS_MIN = 5
HANDLER_KINDS = ("grpc", "httpGet", "tcpSocket")
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
# What services and Envoy count of calls; nothing that says how busy a processor is.
CALL_METRICS = {"batchpix_calls_in_flight", "envoy_http_downstream_rq_active"}


def probes(cluster: Cluster) -> Iterator[str]:
    """Find containers without a probe of each kind, and probes that could ask the wrong port."""
    for workload in cluster.workloads():
        for name in HANDLERS:
            probe = workload.main.get(name)
            if probe is None:
                yield f"{workload.title}: has no {name}"
                continue
            ports = [probe[kind].get("port") for kind in HANDLER_KINDS if kind in probe]
            if not all(isinstance(port, int) for port in ports) or "timeoutSeconds" not in probe:
                yield f"{workload.title}: {name} has no numeric port or no time limit"
            asked = probe.get("grpc", {}).get("port")
            if workload.is_service and asked != _health_port(workload):
                yield f"{workload.title}: {name} does not ask grpc.health.v1 on the health port"


def startup(cluster: Cluster) -> Iterator[str]:
    """Find start probes that give up before networks are loaded and warm."""
    for workload in cluster.workloads():
        probe = workload.main.get("startupProbe", {})
        seconds = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
        if seconds < START_SECONDS_MIN * (4 if workload.is_service else 1):
            yield f"{workload.title}: may take only {seconds} s to start"


def liveness(cluster: Cluster) -> Iterator[str]:
    """Find liveness probes that a busy or draining replica fails."""
    for workload in cluster.workloads():
        probe, ready = (workload.main.get(name, {}) for name in ("livenessProbe", "readinessProbe"))
        seconds = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
        if seconds < LIVENESS_SECONDS_MIN:
            yield f"{workload.title}: is ended after {seconds} s of silence"
        if probe.get("grpc", probe.get("tcpSocket")) == ready.get("grpc", ready.get("httpGet")):
            yield f"{workload.title}: liveness asks what readiness asks"


def drain(cluster: Cluster) -> Iterator[str]:
    """Find pods that are killed while a call may still run."""
    for workload in cluster.workloads():
        variables = cluster.environment(workload.main)
        if workload.is_service:
            longest, drained = _service_seconds(variables)
        else:
            longest = float(variables["BATCHPIX_GATEWAY_CALL_SECONDS_MAX"])
            drained = float(variables["BATCHPIX_GATEWAY_DRAIN_SECONDS"])
        hook = workload.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        pause = hook.get("seconds", 0)
        if pause < PRE_STOP_SECONDS_MIN:
            yield f"{workload.title}: goes before balancers look away"
        if drained < longest:
            yield f"{workload.title}: drains {drained} s, but a call may take {longest} s"
        if workload.pod.get("terminationGracePeriodSeconds", 30) < pause + drained + END_SECONDS:
            yield f"{workload.title}: is killed before its drain is over"


def rolling(cluster: Cluster) -> Iterator[str]:
    """Find deployments that take a replica away before another serves."""
    for item in cluster.of("Deployment"):
        spec = item["spec"]
        step = spec.get("strategy", {}).get("rollingUpdate", {})
        if step.get("maxUnavailable") != 0 or step.get("maxSurge", 0) == 0:
            yield f"{title(item)}: rolls by taking away first"
        if spec.get("minReadySeconds", 0) < READY_SECONDS_MIN:
            yield f"{title(item)}: counts a replica at once"


def disruption(cluster: Cluster) -> Iterator[str]:
    """Find workloads without a budget, and budgets that let too many go or none."""
    for workload in cluster.workloads():
        budgets = [
            item["spec"]
            for item in cluster.of("PodDisruptionBudget")
            if selects(item["spec"]["selector"], workload.labels)
        ]
        if len(budgets) != 1:
            yield f"{workload.title}: has {len(budgets)} disruption budgets"
        for budget in budgets:
            if budget.get("maxUnavailable") != 1:
                yield f"{workload.title}: does not go one at a time"
            if budget.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
                yield f"{workload.title}: a broken replica can keep a node from being emptied"


def spread(cluster: Cluster) -> Iterator[str]:
    """Find workloads that could stand all in one zone or on one machine."""
    for workload in cluster.workloads():
        wanted = {ZONE, HOST}
        for rule in workload.pod.get("topologySpreadConstraints", ()):
            is_even = rule["maxSkew"] == 1 and rule.get("matchLabelKeys") == ["pod-template-hash"]
            is_own = selects(rule.get("labelSelector", {}), workload.labels)
            is_firm = rule["whenUnsatisfiable"] == "DoNotSchedule"
            is_firm |= not (cluster.is_production and rule["topologyKey"] == ZONE)
            if is_even and is_own and is_firm:
                wanted.discard(rule["topologyKey"])
        for key in sorted(wanted):
            yield f"{workload.title}: is not spread over {key}"


def priority(cluster: Cluster) -> Iterator[str]:
    """Find pods that make room for batch work of others, and classes that evict others."""
    classes = {item["metadata"]["name"]: item for item in cluster.of("PriorityClass")}
    for workload in cluster.workloads():
        name = workload.pod.get("priorityClassName")
        if name not in classes:
            yield f"{workload.title}: has no priority"
        elif classes[name].get("preemptionPolicy") != "Never" or classes[name].get("globalDefault"):
            yield f"PriorityClass/{name}: pushes other work aside"


def scaling(cluster: Cluster) -> Iterator[str]:
    """Find deployments that are not scaled by their calls, or by two hands at once."""
    for item in cluster.of("Deployment"):
        scalers = [
            each["spec"]
            for each in cluster.of("HorizontalPodAutoscaler")
            if each["spec"]["scaleTargetRef"]["name"] == item["metadata"]["name"]
        ]
        if len(scalers) != 1 or "replicas" in item["spec"]:
            yield f"{title(item)}: is not scaled by one autoscaler alone"
        for scaler in scalers:
            names = {
                metric.get("pods", {}).get("metric", {}).get("name") for metric in scaler["metrics"]
            }
            if not names or not names <= CALL_METRICS:
                yield f"{title(item)}: is scaled by something else than calls in flight"
            if cluster.is_production and scaler.get("minReplicas", 1) < 2:
                yield f"{title(item)}: may run as a single replica"


def scaling_down(cluster: Cluster) -> Iterator[str]:
    """Find autoscalers that take replicas away while calls still run, or several at a time."""
    longest = Settings().deadline_seconds_max
    for item in cluster.of("HorizontalPodAutoscaler"):
        behaviour = item["spec"].get("behavior", {}).get("scaleDown", {})
        if behaviour.get("stabilizationWindowSeconds", 300) < longest:
            yield f"{title(item)}: shrinks within the longest call"
        steps = [(each["type"], each["value"]) for each in behaviour.get("policies", ())]
        if steps != [("Pods", 1)]:
            yield f"{title(item)}: shrinks by more than one replica at a time"


def _health_port(workload: Workload) -> int:
    ports = {port["name"]: port["containerPort"] for port in workload.main.get("ports", ())}
    return int(ports.get("health", -1))


def _service_seconds(variables: dict[str, str]) -> tuple[float, float]:
    """Tell the longest call and the drain of a service, with the defaults where none is set."""
    defaults = Settings()
    longest = variables.get("BATCHPIX_DEADLINE_SECONDS_MAX", defaults.deadline_seconds_max)
    drained = variables.get("BATCHPIX_DRAIN_SECONDS", defaults.drain_seconds)
    return float(longest), float(drained)


RULES = (
    Rule(id="K50", check=probes, reason="The kubelet asks over plaintext, so on its own port."),
    Rule(id="K51", check=startup, reason="Loading and warming take time once."),
    Rule(id="K52", check=liveness, reason="Load must not end a replica and its callers' calls."),
    Rule(id="K53", check=drain, reason="A replaced replica fails no call."),
    Rule(id="K54", check=rolling, reason="A roll never leaves fewer replicas than before."),
    Rule(id="K55", check=disruption, reason="Nodes can be emptied, one replica at a time."),
    Rule(id="K56", check=spread, reason="A zone or a machine that fails takes only its share."),
    Rule(id="K57", check=priority, reason="Callers wait; batch work does not."),
    Rule(id="K58", check=scaling, reason="A processor is as busy with few calls as with many."),
    Rule(id="K59", check=scaling_down, reason="Shrinking waits for the longest call."),
)
