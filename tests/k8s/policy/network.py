"""Who may speak to whom: nobody, but for the few pairs that the mesh consists of."""

from collections.abc import Iterator, Mapping

from tests.k8s.manifests import Cluster, Node, Workload, selects, title
from tests.k8s.policy.rule import Rule

PROMETHEUS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
}
CLUSTER_DNS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
BOTH_WAYS = {"Ingress", "Egress"}


def default_deny(cluster: Cluster) -> Iterator[str]:
    """Find a namespace whose pods are open unless something closes them."""
    for policy in cluster.of("NetworkPolicy"):
        spec = policy["spec"]
        is_closed = not spec.get("ingress") and not spec.get("egress")
        if not spec["podSelector"] and set(spec["policyTypes"]) == BOTH_WAYS and is_closed:
            return
    yield "NetworkPolicy: no policy closes every pod both ways"


def services_in(cluster: Cluster) -> Iterator[str]:
    """Find ways to a service but the gateway's to its calls and Prometheus' to its metrics."""
    gateway = cluster.gateway()
    for workload, policy in _policies(cluster, is_service=True):
        for rule in policy["spec"].get("ingress", ()):
            ports = _numbers(rule)
            if ports == {_port(workload, "metrics")}:
                allowed = rule.get("from") == [PROMETHEUS]
            else:
                peers = rule.get("from", [])
                from_gateway = all(_is_only(cluster, peer, [gateway]) for peer in peers)
                allowed = ports == {_port(workload, "calls")} and bool(peers) and from_gateway
            if not allowed:
                yield f"{title(policy)}: lets in more than gateway and Prometheus"


def services_out(cluster: Cluster) -> Iterator[str]:
    """Find services that could send anything anywhere."""
    closed = set()
    for workload, policy in _policies(cluster, is_service=True):
        if policy["spec"].get("egress"):
            yield f"{title(policy)}: lets something out"
        elif "Egress" in policy["spec"]["policyTypes"]:
            closed.add(workload.name)
    for workload in cluster.services():
        if workload.name not in closed:
            yield f"{workload.title}: no policy of its own closes the way out"


def gateway_out(cluster: Cluster) -> Iterator[str]:
    """Find ways out of the gateway but to services' calls and to the cluster's DNS."""
    services = list(cluster.services())
    calls = {_port(workload, "calls") for workload in services}
    reached: set[str] = set()
    for _, policy in _policies(cluster, is_service=False):
        for rule in policy["spec"].get("egress", ()):
            if rule.get("to") == [CLUSTER_DNS] and _numbers(rule) == {53}:
                continue
            peers = rule.get("to", [])
            known = bool(peers) and all(_is_only(cluster, peer, services) for peer in peers)
            if not known or _numbers(rule) != calls:
                yield f"{title(policy)}: lets out to more than services and DNS"
            reached |= {each.name for each in services if any(_takes(p, each) for p in peers)}
    for workload in services:
        if workload.name not in reached:
            yield f"{workload.title}: the gateway can't reach it"


def gateway_in(cluster: Cluster) -> Iterator[str]:
    """Find ports of the gateway that are open to more than they are for."""
    for workload, policy in _policies(cluster, is_service=False):
        if set(policy["spec"]["policyTypes"]) != BOTH_WAYS:
            yield f"{title(policy)}: does not hold both ways"
        for rule in policy["spec"].get("ingress", ()):
            ports = _numbers(rule)
            is_public = ports == {_port(workload, "public")}
            is_page = ports == {_port(workload, "metrics")} and rule.get("from") == [PROMETHEUS]
            if not (is_public or is_page):
                yield f"{title(policy)}: opens more than TLS to all and metrics to Prometheus"


def addresses(cluster: Cluster) -> Iterator[str]:
    """Find service names that hide replicas, show unready ones, or open one to the outside."""
    for item in cluster.of("Service"):
        spec = item["spec"]
        behind = [each for each in cluster.workloads() if _is_behind(each, spec["selector"])]
        if len(behind) != 1:
            yield f"{title(item)}: stands for {len(behind)} workloads"
        if any(each.is_service for each in behind) and spec.get("clusterIP") != "None":
            yield f"{title(item)}: a service that is not headless"
        if spec.get("publishNotReadyAddresses") is not False:
            yield f"{title(item)}: shows replicas that are not ready"
        is_open = spec.get("type", "ClusterIP") != "ClusterIP" or "externalIPs" in spec
        if is_open and item["metadata"]["name"] != "gateway":
            yield f"{title(item)}: is open to the outside"
        if any("appProtocol" not in port for port in spec["ports"]):
            yield f"{title(item)}: does not say what it speaks"


def _policies(cluster: Cluster, *, is_service: bool) -> Iterator[tuple[Workload, Node]]:
    """Yield each policy made for some pods, with each workload that it applies to."""
    for policy in cluster.of("NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        for workload in cluster.workloads():
            is_asked_for = workload.is_service is is_service
            if is_asked_for and selector and selects(selector, workload.labels):
                yield workload, policy


def _is_behind(workload: Workload, selector: Mapping[str, str]) -> bool:
    return selects({"matchLabels": selector}, workload.labels)


def _takes(peer: Node, workload: Workload) -> bool:
    return set(peer) == {"podSelector"} and selects(peer["podSelector"], workload.labels)


def _is_only(cluster: Cluster, peer: Node, workloads: list[Workload]) -> bool:
    """Tell whether a peer is made of these workloads, and of no others."""
    names = {workload.name for workload in workloads}
    taken = {each.name for each in cluster.workloads() if _takes(peer, each)}
    return bool(taken) and taken <= names


def _numbers(rule: Node) -> set[int]:
    return {port.get("port", 0) for port in rule.get("ports", [{}])}


def _port(workload: Workload, name: str) -> int:
    ports = [port for each in workload.containers for port in each.get("ports", ())]
    return next((port["containerPort"] for port in ports if port["name"] == name), -1)


RULES = (
    Rule(id="K40", check=default_deny, reason="What nobody thought of is closed."),
    Rule(id="K41", check=services_in, reason="The gateway is the only door to a service."),
    Rule(id="K42", check=services_out, reason="A service can't send a picture anywhere."),
    Rule(id="K43", check=gateway_out, reason="The gateway reaches services and nothing else."),
    Rule(id="K44", check=gateway_in, reason="From outside there is TLS, and nothing else."),
    Rule(id="K45", check=addresses, reason="The gateway chooses among replicas that are ready."),
)
