"""Who and what gets into the namespace: identities, rights, secrets, images, doors."""

from collections.abc import Iterator

from tests.k8s.manifests import Cluster, title
from tests.k8s.policy.rule import Rule

KUBERNETES_VERSION = "1.36"
NAMESPACE = "batchpix"
KINDS = {
    "Certificate",
    "ClusterIssuer",
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PriorityClass",
    "ResourceQuota",
    "Service",
    "ServiceAccount",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
STORAGE_QUOTAS = ("persistentvolumeclaims", "requests.storage")
DOORS = {
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/proxy",
    "pods/ephemeralcontainers",
}
MODES = ("enforce", "audit", "warn")


def tokens(cluster: Cluster) -> Iterator[str]:
    """Find pods and accounts that hold a token for the cluster's API."""
    accounts = {item["metadata"]["name"] for item in cluster.of("ServiceAccount")}
    for workload in cluster.workloads():
        if workload.pod.get("automountServiceAccountToken") is not False:
            yield f"{workload.title}: a token is mounted"
        if workload.pod.get("serviceAccountName") not in accounts:
            yield f"{workload.title}: has no account of its own"
    for account in cluster.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{title(account)}: its pods get a token"


def service_links(cluster: Cluster) -> Iterator[str]:
    """Find pods whose environment lists the services of the namespace."""
    for workload in cluster.workloads():
        if workload.pod.get("enableServiceLinks") is not False:
            yield f"{workload.title}: enableServiceLinks is not false"


def secret_variables(cluster: Cluster) -> Iterator[str]:
    """Find secrets in environments, where every crash and child process shows them."""
    for workload in cluster.workloads():
        for container in workload.containers:
            given = [item.get("valueFrom", {}) for item in container.get("env", ())]
            given += container.get("envFrom", ())
            if any("secretKeyRef" in item or "secretRef" in item for item in given):
                yield f"{workload.title}/{container['name']}: a secret is in the environment"


def kinds(cluster: Cluster) -> Iterator[str]:
    """Find objects that a mesh without storage, rights and secrets of its own does not need."""
    for item in cluster.objects:
        if item["kind"] not in KINDS:
            yield f"{title(item)}: objects of this kind are not allowed"


def namespaces(cluster: Cluster) -> Iterator[str]:
    """Find a namespace that admits less than restricted pods, or a version that may change."""
    found = list(cluster.of("Namespace"))
    if [item["metadata"]["name"] for item in found] != [NAMESPACE]:
        yield f"Namespace/{NAMESPACE}: is not the one namespace"
    for item in found:
        labels = item["metadata"].get("labels", {})
        for mode in MODES:
            label = f"pod-security.kubernetes.io/{mode}"
            wanted = ("restricted", f"v{KUBERNETES_VERSION}")
            if (labels.get(label), labels.get(f"{label}-version")) != wanted:
                yield f"{title(item)}: {mode} is not restricted of v{KUBERNETES_VERSION}"


def quotas(cluster: Cluster) -> Iterator[str]:
    """Find a namespace that could claim storage or take unbounded room."""
    hard = [item["spec"]["hard"] for item in cluster.of("ResourceQuota")]
    for name in STORAGE_QUOTAS:
        if not any(each.get(name) == "0" for each in hard):
            yield f"ResourceQuota: {name} is not 0"
    bounded = [rule for item in cluster.of("LimitRange") for rule in item["spec"]["limits"]]
    if not any(rule["type"] == "Container" and "max" in rule for rule in bounded):
        yield "LimitRange: containers are not bounded"


def doors(cluster: Cluster) -> Iterator[str]:
    """Find ways into a running pod that are not refused to everybody."""
    shut = set()
    for policy in cluster.of("ValidatingAdmissionPolicy"):
        spec = policy["spec"]
        refuses = [item["expression"] for item in spec["validations"]] == ["false"]
        if refuses and spec.get("failurePolicy") == "Fail":
            for rule in spec["matchConstraints"]["resourceRules"]:
                shut |= set(rule["resources"])
    bound = [item["spec"]["validationActions"] for item in cluster.of(f"{_POLICY}Binding")]
    if not any("Deny" in actions for actions in bound):
        shut.clear()
    for door in sorted(DOORS - shut):
        yield f"{_POLICY}: {door} is open"


def digests(cluster: Cluster) -> Iterator[str]:
    """Find images that could change under a name; outside production a release's tag will do."""
    for workload in cluster.workloads():
        for container in workload.containers:
            image = container["image"]
            name, _, digest = image.partition("@sha256:")
            tag = name.rpartition("/")[2].partition(":")[2]
            if cluster.is_production and len(digest) != 64:
                yield f"{workload.title}: {container['name']} is not an image by digest"
            elif not digest and tag in ("", "latest"):
                yield f"{workload.title}: {container['name']} is an image without a version"


def pull_policies(cluster: Cluster) -> Iterator[str]:
    """Find containers that leave open whether their image is fetched."""
    for workload in cluster.workloads():
        for container in workload.containers:
            if container.get("imagePullPolicy") not in ("IfNotPresent", "Always"):
                yield f"{workload.title}: {container['name']} has no pull policy"


def build_digests(cluster: Cluster) -> Iterator[str]:
    """Find services that would name another build in receipts than the one that runs."""
    for workload in cluster.services():
        told = cluster.environment(workload.main).get("BATCHPIX_BUILD_DIGEST")
        if cluster.is_production and told != workload.main["image"].partition("@")[2]:
            yield f"{workload.title}: BATCHPIX_BUILD_DIGEST is not the image's digest"


_POLICY = "ValidatingAdmissionPolicy"
RULES = (
    Rule(id="K20", check=tokens, reason="A service that is broken into has no rights at all."),
    Rule(id="K21", check=service_links, reason="An unknown BATCHPIX_* variable ends a service."),
    Rule(id="K22", check=secret_variables, reason="Secrets are files, in memory, for one process."),
    Rule(id="K23", check=kinds, reason="No storage, no rights, no secrets, no other programs."),
    Rule(id="K24", check=namespaces, reason="The cluster itself refuses pods that are less safe."),
    Rule(id="K25", check=quotas, reason="Not a byte of persistent storage can be claimed."),
    Rule(id="K26", check=doors, reason="Nobody, whatever rights they have, looks into a pod."),
    Rule(id="K30", check=digests, reason="What was audited is what runs."),
    Rule(id="K31", check=pull_policies, reason="A node never runs an image nobody asked for."),
    Rule(id="K32", check=build_digests, reason="A receipt names the build that served the call."),
)
