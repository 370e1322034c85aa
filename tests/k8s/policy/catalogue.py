"""All rules, in the order of their ids."""

from collections.abc import Iterator

from tests.k8s.manifests import Cluster
from tests.k8s.policy import access, capacity, certificates, life, network, pods, settings
from tests.k8s.policy.rule import Rule

ROOMS = (pods, access, network, life, capacity, certificates, settings)
RULES: tuple[Rule, ...] = tuple(rule for room in ROOMS for rule in room.RULES)


def findings(cluster: Cluster) -> Iterator[str]:
    """Yield what every rule finds, each with the rule's id in front."""
    for rule in RULES:
        for finding in rule.check(cluster):
            yield f"{rule.id} {finding}"
