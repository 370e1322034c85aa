"""Every overlay, rendered once, and one gateway with its metrics page."""

from collections.abc import Iterator, Mapping

import pytest

from tests.k8s.manifests import Cluster, render
from tests.k8s.metrics_page import open_page
from tests.k8s.overlays import FOLDERS


@pytest.fixture(scope="session")
def clusters() -> Mapping[str, Cluster]:
    """Render all overlays, and production with each of the components for GPUs."""
    return {
        name: Cluster(objects=render(folder), is_production=name != "local")
        for name, folder in FOLDERS.items()
    }


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a gateway and the metrics page beside it; yield the page's port."""
    with open_page(tmp_path_factory.mktemp("credentials")) as port:
        yield port
