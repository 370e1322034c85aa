"""One list of features, told in many places: a feature that is added is added to all of them."""

import re
from pathlib import Path

import pytest
import yaml

from batchpix_client import mesh
from gateway.settings import SERVICES

ROOT = Path(__file__).resolve().parents[1]
K8S = ROOT / "k8s"
# A service of the mesh and not of a feature: every process answers it.
POLICY = "policy"
# The shared words of all features.
MEDIA = "media"


def built_features() -> list[str]:
    """List the features that serve: folders under services/ with a servicer."""
    return sorted(file.parent.name for file in ROOT.glob("services/*/servicer.py"))


def contracts() -> dict[str, str]:
    """Tell the gRPC service of every contract, by the name of its folder."""
    found = {}
    for file in ROOT.glob("protos/batchpix/*/v1/*.proto"):
        name = file.parent.parent.name
        service = re.search(r"^service (\w+) \{", file.read_text(encoding="utf-8"), re.MULTILINE)
        if name not in (POLICY, MEDIA) and service:
            found[name] = service[1]
    return found


def facts(feature: str) -> dict[str, str]:
    """Read what the cluster's base is told of a feature."""
    file = K8S / "services" / feature / "facts.yaml"
    data: dict[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))["data"]
    return data


def readme_rows() -> dict[str, str]:
    """Read the README's table: feature -> its last column, what state it is in."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(.+)\|$", text, re.MULTILINE)
    return {name: cells.rpartition("|")[2].strip() for name, cells in rows if name in SERVICES}


def test_something_is_built() -> None:
    """The comparisons below compare something."""
    assert "stylize" in built_features()


def test_the_gateway_routes_every_contract() -> None:
    """Each feature's contract has a route, under the very name of its gRPC service."""
    assert dict(SERVICES) == contracts()


def test_every_feature_that_is_built_has_a_contract() -> None:
    """No service serves what no contract describes."""
    assert set(built_features()) <= set(contracts())


@pytest.mark.parametrize("part", ["__main__.py", "pipeline.py", "servicer.py"])
def test_every_feature_has_the_same_parts(part: str) -> None:
    """A reader finds the same files in every feature."""
    missing = [name for name in built_features() if not (ROOT / "services" / name / part).exists()]

    assert missing == []


def test_a_cluster_runs_every_feature_that_is_built() -> None:
    """Folders, list and facts of the cluster are those of the features; nothing is left over."""
    folder = K8S / "services"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    expected = {
        name: {"name": name, "service": f"batchpix.{name}.v1.{SERVICES[name]}"}
        for name in built_features()
    }

    assert sorted(listed["resources"]) == built_features()
    assert sorted(each.name for each in folder.iterdir() if each.is_dir()) == built_features()
    assert {name: facts(name) for name in built_features()} == expected


def test_a_cluster_routes_every_feature_that_is_built() -> None:
    """The gateway in a cluster knows where each feature is."""
    lines = (K8S / "gateway" / "gateway.env").read_text(encoding="utf-8").splitlines()
    upstreams = dict(line.split("=", 1) for line in lines)["BATCHPIX_GATEWAY_UPSTREAMS"]

    assert sorted(entry.partition("=")[0] for entry in upstreams.split(",")) == built_features()


def test_a_local_mesh_runs_every_feature_that_is_built() -> None:
    """`batchpix up` starts what a cluster runs."""
    assert sorted(mesh.built_features()) == built_features()


def test_the_readme_tells_which_features_serve() -> None:
    """The table names every contract, and says `serves` of those that are built alone."""
    rows = readme_rows()

    assert sorted(rows) == sorted(contracts())
    assert sorted(name for name, state in rows.items() if state == "serves") == built_features()
