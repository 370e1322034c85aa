"""The rendered configuration: Envoy takes it, and values stay values."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gateway.render import render_bootstrap, render_watched
from gateway.run import command, write_watched
from gateway.settings import SERVICES, GatewaySettings, Upstream
from tests.gateway.door import Credentials, settings_for

ROOT = Path(__file__).parents[2]


def texts(node: object) -> Iterator[str]:
    """Walk every text of a parsed document, keys included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from (*texts(key), *texts(value))
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)


@pytest.mark.parametrize(
    "features", [["stylize"], ["stylize", "video", "dance", "tryon"]], ids=["one", "all"]
)
def test_envoy_takes_the_configuration(credentials: Credentials, features: list[str]) -> None:
    """Envoy itself finds nothing wrong, deprecated or unknown."""
    settings = settings_for(credentials, dict.fromkeys(features, 50051))
    write_watched(settings)
    done = subprocess.run(
        command(settings, mode="validate"), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "OK" in done.stdout
    assert done.stderr.strip() == ""


def test_nothing_is_left_to_fill_in(credentials: Credentials) -> None:
    """No placeholder of the template survives."""
    settings = settings_for(credentials, {"stylize": 1, "dance": 2})
    documents = [render_bootstrap(settings), *render_watched(settings).values()]

    assert [text for text in documents if "${" in text or "$for" in text] == []


def test_each_feature_has_route_policy_and_cluster(credentials: Credentials) -> None:
    """What runs, and only that, is routed, allowed by scope, and reached."""
    settings = settings_for(credentials, {"stylize": 1, "tryon": 2})
    bootstrap = yaml.safe_load(render_bootstrap(settings))
    clusters = [cluster["name"] for cluster in bootstrap["static_resources"]["clusters"]]
    prefixes = {text for text in texts(bootstrap) if text.startswith("/batchpix.")}

    assert clusters == ["stylize", "tryon", "policy"]
    assert prefixes == {
        "/batchpix.",
        "/batchpix.policy.v1.PolicyService/",
        "/batchpix.stylize.v1.StylizeService/",
        "/batchpix.stylize.v1.StylizeService/List",
        "/batchpix.tryon.v1.TryonService/",
        "/batchpix.tryon.v1.TryonService/List",
    }


@pytest.mark.parametrize("feature", sorted(SERVICES))
def test_services_are_those_of_the_protos(feature: str) -> None:
    """The gateway's list of gRPC services agrees with the published API."""
    proto = ROOT / "protos" / "batchpix" / feature / "v1" / f"{feature}.proto"

    assert f"service {SERVICES[feature]} {{" in proto.read_text(encoding="utf-8")


def test_hostile_value_stays_a_value(credentials: Credentials) -> None:
    """A value that looks like YAML, or like a placeholder, changes no structure."""
    hostile = 'x"}, admin: {address: 0.0.0.0}\n# ${admin_port}'
    plain = settings_for(credentials, {"stylize": 1})
    odd = replace(plain, issuer=hostile, upstreams={"stylize": Upstream(host=hostile, port=1)})
    endpoint = yaml.safe_load(render_bootstrap(odd))["static_resources"]["clusters"][0]

    assert hostile in set(texts(endpoint))
    assert hostile in set(texts(yaml.safe_load(render_watched(odd)["jwt_authn.yaml"])))
    assert len(render_bootstrap(odd).splitlines()) < len(render_bootstrap(plain).splitlines()) + 9


def test_watched_files_are_written_once(credentials: Credentials, tmp_path: Path) -> None:
    """Files that are right already are left alone: a watcher sees no change."""
    settings: GatewaySettings = replace(
        settings_for(credentials, {"stylize": 1}), watched_folder=tmp_path / "watched"
    )
    write_watched(settings)
    before = {file.name: file.stat().st_ino for file in settings.watched_folder.iterdir()}
    write_watched(settings)

    assert len(before) == 4
    assert {file.name: file.stat().st_ino for file in settings.watched_folder.iterdir()} == before
