"""The container beside the gateway shows what Envoy counts, and nothing else of its admin page."""

import subprocess

import pytest
import yaml

from gateway.run import envoy_binary
from tests.k8s.metrics_page import METRICS_PAGE, ask


def test_envoy_takes_the_file_as_it_is() -> None:
    """Envoy accepts the configuration that the cluster mounts."""
    words = [str(envoy_binary()), "--mode", "validate", "--config-path", str(METRICS_PAGE)]

    checked = subprocess.run(words, check=False, capture_output=True)

    assert checked.returncode == 0, checked.stderr.decode()


def test_prometheus_reads_what_alerts_are_made_of(page: int) -> None:
    """The page has Envoy's counters, by the names that dashboard and scaling use."""
    status, text = ask(page, "/stats/prometheus")

    assert status == 200
    assert 'envoy_http_downstream_rq_active{envoy_http_conn_manager_prefix="public"} 0' in text
    assert 'envoy_cluster_membership_healthy{envoy_cluster_name="stylize"}' in text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config_dump",
        "/certs",
        "/clusters",
        "/logging",
        "/quitquitquit",
        "/stats?filter=^http",
        "/drain_listeners?graceful",
        "/healthcheck/fail",
        "/stats/prometheus/../../certs",
        "/ready/../drain_listeners",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_other_admin_page_stays_on_loopback(page: int, path: str, method: str) -> None:
    """What could change or tell more of the gateway is not found, whoever asks and how."""
    assert ask(page, path, method)[0] == 404


def test_nothing_but_reading_is_passed_on(page: int) -> None:
    """A request that is no GET does not reach the admin page, not even on the open paths."""
    assert [ask(page, path, "POST")[0] for path in ("/ready", "/stats/prometheus")] == [404, 404]


def test_the_page_is_the_file_that_the_cluster_mounts() -> None:
    """What is tested here is generated into the config map, under the name that Envoy is given."""
    kustomization = METRICS_PAGE.with_name("kustomization.yaml")
    maps = yaml.safe_load(kustomization.read_text(encoding="utf-8"))["configMapGenerator"]

    assert {"name": "metrics", "files": ["envoy.yaml=metrics.yaml"]} in maps
