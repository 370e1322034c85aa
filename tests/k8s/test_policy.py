"""The rules find nothing in our manifests, and find every fault that is put into them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.k8s.breach import FIXTURES, Breach, broken, read_breaches
from tests.k8s.manifests import Cluster
from tests.k8s.overlays import FOLDERS, OVERLAYS
from tests.k8s.policy.catalogue import RULES, findings

RULES_BY_ID = {rule.id: rule for rule in RULES}
BREACHES = [
    pytest.param(rule.id, breach, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, breach in enumerate(read_breaches(rule.id))
]


@pytest.mark.parametrize("name", FOLDERS)
def test_our_manifests_meet_every_rule(clusters: Mapping[str, Cluster], name: str) -> None:
    """No rule finds anything in any overlay, with or without GPUs."""
    found = list(findings(clusters[name]))

    assert found == []


@pytest.mark.parametrize(("rule_id", "breach"), BREACHES)
def test_each_rule_finds_its_faults(
    clusters: Mapping[str, Cluster], rule_id: str, breach: Breach
) -> None:
    """A fault put into a good overlay is found by the rule that the fixture is named for."""
    cluster = clusters[breach.overlay]
    faulty = replace(cluster, objects=broken(cluster.objects, breach))

    found = list(RULES_BY_ID[rule_id].check(faulty))

    assert found


def test_each_rule_has_a_fixture_and_an_id_of_its_own() -> None:
    """No rule goes untested, and no fixture is left over."""
    assert len(RULES) == len(RULES_BY_ID)
    assert sorted(RULES_BY_ID) == sorted(file.stem for file in FIXTURES.iterdir())


def test_every_overlay_is_looked_at() -> None:
    """An overlay that is added is held to the rules without being named here."""
    assert {folder.name for folder in OVERLAYS.iterdir()} <= set(FOLDERS)
