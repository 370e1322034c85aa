"""Certificates and keys: short, renewed, each for one purpose, each where it belongs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.k8s.manifests import NAME_LABEL, Cluster, Node, title
from tests.k8s.policy.rule import Rule

MESH_ISSUER = "batchpix-mesh"
MESH_HOURS_MAX = 72
PUBLIC_HOURS_MAX = 2160
RECEIPT_KEY_FILE = "receipt.key"
FILE_MODE_MAX = 0o440


def leaves(cluster: Cluster) -> Iterator[str]:
    """Find certificates for TLS that last long, keep their key, or could sign others."""
    for item, spec in _of_tls(cluster):
        key = spec.get("privateKey", {})
        is_mesh = spec["issuerRef"]["name"] == MESH_ISSUER
        hours = _hours(spec.get("duration", "2160h"))
        if hours > (MESH_HOURS_MAX if is_mesh else PUBLIC_HOURS_MAX):
            yield f"{title(item)}: lasts {hours} h"
        if not hours / 4 <= _hours(spec.get("renewBefore", "0h")) < hours:
            yield f"{title(item)}: is renewed too late to notice that it fails"
        if key.get("algorithm") != "ECDSA" or key.get("rotationPolicy") != "Always":
            yield f"{title(item)}: is not ECDSA with a new key each time"
        if spec.get("isCA") is not False or spec.get("revisionHistoryLimit") != 1:
            yield f"{title(item)}: could sign others, or keeps old requests"


def identities(cluster: Cluster) -> Iterator[str]:
    """Find services whose certificate does not name them as the gateway expects."""
    named = {item["metadata"]["name"]: spec for item, spec in _of_tls(cluster)}
    for workload in cluster.services():
        spec = named.get(workload.name, {})
        if spec.get("uris") != [f"spiffe://batchpix/service/{workload.name}"]:
            yield f"Certificate/{workload.name}: names another identity"
        if f"{workload.name}.batchpix.internal" not in spec.get("dnsNames", ()):
            yield f"Certificate/{workload.name}: lacks the name that the gateway asks for"
        if "client auth" in spec.get("usages", ()) or "server auth" not in spec.get("usages", ()):
            yield f"Certificate/{workload.name}: is for more or less than a server"


def callers(cluster: Cluster) -> Iterator[str]:
    """Find services that let in other callers than the gateway, or one under a wrong name."""
    spec = next(spec for item, spec in _of_tls(cluster) if item["metadata"]["name"] == "gateway")
    if "server auth" in spec["usages"] or "client auth" not in spec["usages"]:
        yield "Certificate/gateway: is for more or less than a client"
    for workload in cluster.services():
        allowed = cluster.environment(workload.main).get("BATCHPIX_ALLOWED_CALLERS", "")
        if allowed.split(",") != spec.get("uris"):
            yield f"{workload.title}: lets in callers that are not the gateway"


def receipts(cluster: Cluster) -> Iterator[str]:
    """Find services that sign receipts with a key that is not Ed25519, kept, and for that alone."""
    made = {spec["secretName"]: spec for item, spec in _certificates(cluster)}
    for workload in cluster.services():
        path = cluster.environment(workload.main).get("BATCHPIX_RECEIPT_KEY", "")
        source = _secret_at(workload.pod, workload.main, path)
        spec = made.get(source, {})
        key = spec.get("privateKey", {})
        if key.get("algorithm") != "Ed25519" or key.get("encoding") != "PKCS8":
            yield f"{workload.title}: its receipts are not signed with Ed25519"
        if key.get("rotationPolicy") != "Never" or spec.get("usages") != ["digital signature"]:
            yield f"{workload.title}: its receipt key changes unasked, or is for more than signing"


def secrets(cluster: Cluster) -> Iterator[str]:
    """Find mounted secrets that nobody renews, or that are mounted whole or open to others."""
    made = {spec["secretName"] for _, spec in _certificates(cluster)}
    for workload in cluster.workloads():
        for volume in workload.pod.get("volumes", ()):
            for source in volume.get("projected", {}).get("sources", ()):
                secret = source.get("secret", {})
                if secret and (secret["name"] not in made or not secret.get("items")):
                    yield f"{workload.title}: {secret['name']} is not a certificate's, or is whole"
            mode = volume.get("projected", {}).get("defaultMode", FILE_MODE_MAX)
            if mode & ~FILE_MODE_MAX or (
                "projected" in volume and "defaultMode" not in volume["projected"]
            ):
                yield f"{workload.title}: files of {volume['name']} are open to others"


def public_names(cluster: Cluster) -> Iterator[str]:
    """Find a gateway that answers to other names than its certificate holds."""
    names = cluster.environment(cluster.gateway().main).get("BATCHPIX_GATEWAY_SERVER_NAMES", "")
    for item, spec in _of_tls(cluster):
        if item["metadata"]["name"] == "gateway-public" and spec.get("dnsNames") != names.split(
            ","
        ):
            yield f"{title(item)}: its names are not those of the gateway"


def authorities(cluster: Cluster) -> Iterator[str]:
    """Find authorities whose key lies where pods of the mesh could mount it."""
    for item, spec in _certificates(cluster):
        if spec.get("isCA") and item["metadata"].get("namespace") != "cert-manager":
            yield f"{title(item)}: an authority's key lies in the namespace of the mesh"
        if spec.get("isCA") and cluster.is_production:
            yield f"{title(item)}: a development authority in production"
    for item in cluster.of("ClusterIssuer"):
        if "selfSigned" in item["spec"] and cluster.is_production:
            yield f"{title(item)}: a development authority in production"


def _certificates(cluster: Cluster) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    for item in cluster.of("Certificate"):
        yield item, item["spec"]


def _of_tls(cluster: Cluster) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    """Yield the certificates of the gateway and the services, known by their label."""
    for item, spec in _certificates(cluster):
        if NAME_LABEL in item["metadata"].get("labels", {}):
            yield item, spec


def _secret_at(pod: Node, container: Node, path: str) -> str:
    """Tell which secret stands behind a path of a container; empty if none does."""
    folder, _, file = path.rpartition("/")
    mounts = {each["mountPath"]: each["name"] for each in container.get("volumeMounts", ())}
    for volume in pod.get("volumes", ()):
        if volume["name"] == mounts.get(folder):
            for source in volume.get("projected", {}).get("sources", ()):
                items = source.get("secret", {}).get("items", ())
                if {"key": "tls.key", "path": file} in items:
                    return str(source["secret"]["name"])
    return ""


def _hours(text: str) -> float:
    return float(text.removesuffix("h"))


RULES = (
    Rule(id="K70", check=leaves, reason="A stolen key is worth little, and not for long."),
    Rule(id="K71", check=identities, reason="The gateway knows the service that it speaks to."),
    Rule(id="K72", check=callers, reason="A service answers to the gateway and to nobody else."),
    Rule(id="K73", check=receipts, reason="A receipt can be checked for as long as it is kept."),
    Rule(id="K74", check=secrets, reason="Every key is renewed by a machine and seen by one."),
    Rule(id="K75", check=public_names, reason="Callers meet the name that they asked for."),
    Rule(id="K76", check=authorities, reason="No pod of the mesh can make certificates."),
)
