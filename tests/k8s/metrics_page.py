"""The container beside the gateway, run on loopback as a cluster would run it."""

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from batchpix_client.ports import free_ports
from gateway.run import envoy_binary
from tests.gateway.door import make_credentials, open_door, settings_for, until
from tests.k8s.manifests import ROOT

METRICS_PAGE = ROOT / "k8s" / "gateway" / "metrics.yaml"


@contextmanager
def open_page(folder: Path) -> Iterator[int]:
    """Run a gateway and the page beside it; yield the page's port."""
    credentials = make_credentials(folder)
    settings = settings_for(credentials, {"stylize": 9}, drain_seconds=1)
    (port,) = free_ports(1)
    words = [str(envoy_binary()), "--config-yaml", page_config(port, settings.admin_port)]
    words += ["--concurrency", "1", "--log-level", "warning", "--disable-hot-restart"]
    with open_door(settings, credentials), subprocess.Popen(words) as process:
        try:
            until(lambda: ask(port, "/ready")[0] == 200)
            yield port
        finally:
            process.terminate()


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
