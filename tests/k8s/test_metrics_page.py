"""The container beside the gateway shows what Envoy counts, and nothing else of its admin page."""

import http.client
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gateway.run import envoy_binary
from tests.gateway.door import free_ports, make_credentials, open_door, settings_for, until
from tests.k8s.manifests import ROOT

METRICS_PAGE = ROOT / "k8s" / "gateway" / "metrics.yaml"


def page_config(page_port: int, admin_port: int) -> str:
    """Read the page's configuration, moved to loopback and to free ports."""
    config = yaml.safe_load(METRICS_PAGE.read_text(encoding="utf-8"))
    resources = config["static_resources"]
    listening = resources["listeners"][0]["address"]["socket_address"]
    listening |= {"address": "127.0.0.1", "port_value": page_port}
    endpoint = resources["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    endpoint["endpoint"]["address"]["socket_address"]["port_value"] = admin_port
    return yaml.safe_dump(config)


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Make one request of the page; status 0 while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except ConnectionRefusedError:
        return 0, ""
    finally:
        connection.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a gateway and the page beside it; yield the page's port."""
    credentials = make_credentials(tmp_path_factory.mktemp("credentials"))
    settings = settings_for(credentials, {"stylize": 9}, drain_seconds=1)
    (port,) = free_ports(1)
    words = [str(envoy_binary()), "--config-yaml", page_config(port, settings.admin_port)]
    words += ["--concurrency", "1", "--log-level", "warning", "--disable-hot-restart"]
    with open_door(settings, credentials), subprocess.Popen(words) as process:
        until(lambda: ask(port, "/ready")[0] == 200)
        yield port
        process.terminate()


def test_prometheus_reads_what_alerts_are_made_of(page: int) -> None:
    """The page has Envoy's counters, by the names that dashboard and scaling use."""
    status, text = ask(page, "/stats/prometheus")

    assert 200 == status
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
    assert 404 == ask(page, path, method)[0]


def test_nothing_but_reading_is_passed_on(page: int) -> None:
    """A request that is no GET does not reach the admin page, not even on the open paths."""
    assert [404, 404] == [ask(page, path, "POST")[0] for path in ("/ready", "/stats/prometheus")]


def test_the_page_is_the_file_that_the_cluster_mounts() -> None:
    """What is tested here is generated into the config map, under the name that Envoy is given."""
    kustomization = Path(METRICS_PAGE.with_name("kustomization.yaml"))
    maps = yaml.safe_load(kustomization.read_text(encoding="utf-8"))["configMapGenerator"]

    assert {"name": "metrics", "files": ["envoy.yaml=metrics.yaml"]} in maps
