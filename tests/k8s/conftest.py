"""Every overlay, rendered once."""

from collections.abc import Mapping

import pytest

from tests.k8s.manifests import Cluster, render
from tests.k8s.overlays import FOLDERS


@pytest.fixture(scope="session")
def clusters() -> Mapping[str, Cluster]:
    """Render all overlays, and production with each of the components for GPUs."""
    return {
        name: Cluster(objects=render(folder), is_production=name != "local")
        for name, folder in FOLDERS.items()
    }
