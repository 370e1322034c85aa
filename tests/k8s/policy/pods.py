"""Pod Security `restricted`, field by field, and stricter where the mesh needs less."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.k8s.manifests import HANDLERS, Cluster, Node, Workload
from tests.k8s.policy.rule import Rule

HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
PROFILES = ("RuntimeDefault", "Localhost")
VOLUME_KINDS = {"configMap", "projected", "emptyDir"}
PROJECTED_KINDS = {"secret", "configMap"}


def host_namespaces(cluster: Cluster) -> Iterator[str]:
    """Find pods that share a namespace with their node or between containers."""
    for workload in cluster.workloads():
        for field in HOST_FIELDS:
            if workload.pod.get(field, False):
                yield f"{workload.title}: {field}"


def host_users(cluster: Cluster) -> Iterator[str]:
    """Find pods whose users are users of the node."""
    for workload in cluster.workloads():
        if workload.pod.get("hostUsers") is not False:
            yield f"{workload.title}: hostUsers is not false"


def privileges(cluster: Cluster) -> Iterator[str]:
    """Find containers that have, or may gain, privileges."""
    for where, context in _contexts(cluster):
        for field in ("privileged", "allowPrivilegeEscalation"):
            if context.get(field) is not False:
                yield f"{where}: {field} is not false"


def capabilities(cluster: Cluster) -> Iterator[str]:
    """Find containers that keep or add a capability."""
    for where, context in _contexts(cluster):
        held = context.get("capabilities", {})
        if held.get("drop") != ["ALL"] or held.get("add"):
            yield f"{where}: capabilities are not dropped"


def users(cluster: Cluster) -> Iterator[str]:
    """Find pods and containers that are, or could be, root."""
    for workload in cluster.workloads():
        context = workload.pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True:
            yield f"{workload.title}: runAsNonRoot is not true"
        for field in ("runAsUser", "runAsGroup", "fsGroup"):
            if not context.get(field):
                yield f"{workload.title}: {field} is missing or 0"
    for where, context in _contexts(cluster):
        for field in ("runAsUser", "runAsGroup"):
            if context.get(field) == 0:
                yield f"{where}: {field} is 0"
        if context.get("runAsNonRoot") is False:
            yield f"{where}: runAsNonRoot is false"


def seccomp(cluster: Cluster) -> Iterator[str]:
    """Find pods and containers without a filter of system calls."""
    return _profile(cluster, "seccompProfile")


def apparmor(cluster: Cluster) -> Iterator[str]:
    """Find pods and containers without an AppArmor profile."""
    return _profile(cluster, "appArmorProfile")


def kernel_views(cluster: Cluster) -> Iterator[str]:
    """Find containers that see more of /proc, or choose an SELinux label."""
    for where, context in _contexts(cluster):
        if context.get("procMount", "Default") != "Default":
            yield f"{where}: procMount"
        if context.get("seLinuxOptions"):
            yield f"{where}: seLinuxOptions"
    for workload in cluster.workloads():
        if workload.pod.get("securityContext", {}).get("seLinuxOptions"):
            yield f"{workload.title}: seLinuxOptions"


def host_ports(cluster: Cluster) -> Iterator[str]:
    """Find containers that open a port of their node."""
    for where, container in _containers(cluster):
        if any("hostPort" in port for port in container.get("ports", ())):
            yield f"{where}: hostPort"


def handler_hosts(cluster: Cluster) -> Iterator[str]:
    """Find probes and hooks that make the kubelet talk to another host."""
    for where, container in _containers(cluster):
        handlers = [container.get(name, {}) for name in HANDLERS]
        handlers += container.get("lifecycle", {}).values()
        for handler in handlers:
            if any("host" in handler.get(kind, {}) for kind in ("httpGet", "tcpSocket")):
                yield f"{where}: a probe or hook names a host"


def sysctls(cluster: Cluster) -> Iterator[str]:
    """Find pods that set kernel parameters."""
    for workload in cluster.workloads():
        if workload.pod.get("securityContext", {}).get("sysctls"):
            yield f"{workload.title}: sysctls"


def volume_kinds(cluster: Cluster) -> Iterator[str]:
    """Find volumes that are on a disk, come from outside, or last longer than the pod."""
    for workload in cluster.workloads():
        for volume in workload.pod.get("volumes", ()):
            kinds = set(volume) - {"name"}
            sources = {kind for item in _sources(volume) for kind in item}
            if not kinds <= VOLUME_KINDS or not sources <= PROJECTED_KINDS:
                yield f"{workload.title}: volume {volume['name']} is of a kind that is not allowed"


def memory_volumes(cluster: Cluster) -> Iterator[str]:
    """Find empty directories that are on a disk or unbounded, and any at all in a service."""
    for workload in cluster.workloads():
        for volume in workload.pod.get("volumes", ()):
            if "emptyDir" not in volume:
                continue
            directory = volume["emptyDir"]
            if directory.get("medium") != "Memory" or "sizeLimit" not in directory:
                yield f"{workload.title}: volume {volume['name']} is not bounded memory"
            if workload.is_service:
                yield f"{workload.title}: a service has a place to write to"


def read_only(cluster: Cluster) -> Iterator[str]:
    """Find containers that could write anywhere but into memory."""
    for where, context in _contexts(cluster):
        if context.get("readOnlyRootFilesystem") is not True:
            yield f"{where}: the root file system is writable"
    for workload in cluster.workloads():
        in_memory = {each["name"] for each in workload.pod.get("volumes", ()) if "emptyDir" in each}
        for container in workload.containers:
            for mount in container.get("volumeMounts", ()):
                if mount["name"] not in in_memory and mount.get("readOnly") is not True:
                    yield f"{workload.title}: mount {mount['mountPath']} is writable"


def _sources(volume: Node) -> list[Mapping[str, Any]]:
    sources: list[Mapping[str, Any]] = volume.get("projected", {}).get("sources", [])
    return sources


def _containers(cluster: Cluster) -> Iterator[tuple[str, Node]]:
    for workload in cluster.workloads():
        for container in workload.containers:
            yield f"{workload.title}/{container['name']}", container


def _contexts(cluster: Cluster) -> Iterator[tuple[str, Node]]:
    for where, container in _containers(cluster):
        yield where, container.get("securityContext", {})


def _profile(cluster: Cluster, field: str) -> Iterator[str]:
    for workload in cluster.workloads():
        for where, context in _profiled(workload):
            given = context.get(field)
            is_pod = where == workload.title
            if (is_pod or given) and (given or {}).get("type") not in PROFILES:
                yield f"{where}: {field}"


def _profiled(workload: Workload) -> Iterator[tuple[str, Node]]:
    yield workload.title, workload.pod.get("securityContext", {})
    for container in workload.containers:
        yield f"{workload.title}/{container['name']}", container.get("securityContext", {})


RULES = (
    Rule(id="K01", check=host_namespaces, reason="A pod sees nothing of its node's processes."),
    Rule(id="K02", check=host_users, reason="Who escapes a container is nobody on the node."),
    Rule(id="K03", check=privileges, reason="No process has or gains privileges."),
    Rule(id="K04", check=capabilities, reason="No capability is needed, so none is held."),
    Rule(id="K05", check=users, reason="Nothing runs as root."),
    Rule(id="K06", check=seccomp, reason="The kernel offers only the usual system calls."),
    Rule(id="K07", check=apparmor, reason="A second, independent confinement is in force."),
    Rule(id="K08", check=kernel_views, reason="The kernel's masks stay as the runtime set them."),
    Rule(id="K09", check=host_ports, reason="No pod can be reached around its network policy."),
    Rule(id="K10", check=handler_hosts, reason="Nobody makes the kubelet call another machine."),
    Rule(id="K11", check=sysctls, reason="No pod changes its node's kernel."),
    Rule(id="K12", check=volume_kinds, reason="Nothing of a pod outlives it or lies on a disk."),
    Rule(id="K13", check=memory_volumes, reason="What can be written is memory, little of it."),
    Rule(id="K14", check=read_only, reason="A picture can't be written to any file."),
)
