"""The gateway's configuration in a cluster is held to what it is held to anywhere else."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.certs import CertificatePaths
from gateway.lint.__main__ import main as lint
from gateway.render import render_bootstrap
from gateway.run import command, write_watched
from gateway.settings import GatewaySettings, from_mapping
from services.chassis.settings import Settings
from tests.k8s.manifests import Cluster


@pytest.fixture(params=["local", "production"])
def cluster(request: pytest.FixtureRequest, clusters: Mapping[str, Cluster]) -> Cluster:
    """Take each of the overlays in turn."""
    return clusters[request.param]


def gateway_settings(cluster: Cluster) -> GatewaySettings:
    """Read what the gateway of an overlay reads."""
    return from_mapping(cluster.environment(cluster.gateway().main))


def key_set(cluster: Cluster) -> str:
    """Read the key set that an overlay comes with."""
    maps = {item["metadata"]["name"].rpartition("-")[0]: item for item in cluster.of("ConfigMap")}
    text: str = maps["keys"]["data"]["jwks.json"]
    return text


def test_the_linter_finds_nothing(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The configuration that a cluster's settings render to meets every rule of the linter."""
    file = tmp_path / "envoy.yaml"
    file.write_text(render_bootstrap(gateway_settings(cluster)))

    status = lint([str(file)])

    assert (status, capsys.readouterr().err) == (0, "")


def test_envoy_takes_it(cluster: Cluster, certificates: CertificatePaths, tmp_path: Path) -> None:
    """Envoy itself accepts the configuration, once files stand where it looks for them."""
    keys = tmp_path / "jwks.json"
    keys.write_text(key_set(cluster))
    settings = replace(
        gateway_settings(cluster),
        certificate_folder=certificates.gateway,
        client_certificate_folder=certificates.clients["gateway"],
        watched_folder=tmp_path / "watched",
        key_set_file=keys,
    )
    write_watched(settings)

    checked = subprocess.run(
        command(settings, mode="validate"), check=False, capture_output=True, timeout=60
    )

    assert checked.returncode == 0, checked.stderr.decode()


def test_a_call_may_last_as_long_at_the_gateway_as_at_a_service(cluster: Cluster) -> None:
    """Neither of the two ends a call that the other still allows."""
    workload = next(cluster.services())
    mesh = cluster.environment(workload.main)
    service = Settings.from_env({key: mesh[key] for key in mesh if key.startswith("BATCHPIX_")})

    assert service.deadline_seconds_max == gateway_settings(cluster).limits.call_seconds_max


def test_an_overlay_comes_with_no_key(cluster: Cluster) -> None:
    """Nobody gets in until an operator has put in the keys of an issuer."""
    assert json.loads(key_set(cluster)) == {"keys": []}
