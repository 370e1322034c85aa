"""One real mesh for all tests that do not stop it: services, gateway, TLS and all."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchpix_client import Client
from batchpix_client.mesh import LocalMesh
from batchpix_client.profile import Profile

LOG_LINES_KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningMesh:
    """A mesh that is up.

    Attributes:
        mesh: its supervisor.
        home: folder of its keys, certificates and token.
        log: the last lines that its processes wrote, each after the name of its process.
    """

    mesh: LocalMesh
    home: Path
    log: deque[str]

    @property
    def profile(self) -> Profile:
        """How to reach it."""
        return self.mesh.profile

    def receipt_keys(self) -> list[bytes]:
        """Read the public keys that its receipts are signed with."""
        return [path.read_bytes() for path in self.profile.receipt_keys]


@pytest.fixture(scope="session")
def running_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """Start a mesh on free ports and stop it after the last test."""
    home = tmp_path_factory.mktemp("mesh")
    log: deque[str] = deque(maxlen=LOG_LINES_KEPT)
    with LocalMesh(home, log_line=lambda name, line: log.append(f"{name} {line}")) as mesh:
        yield RunningMesh(mesh=mesh, home=home, log=log)


@pytest.fixture
def client(running_mesh: RunningMesh) -> Iterator[Client]:
    """Connect through the gateway, with a token."""
    with running_mesh.mesh.client() as connected:
        yield connected


@pytest.fixture(scope="session")
def samples() -> Path:
    """Find the sample pictures."""
    return Path(__file__).parents[2] / "samples"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, of those that passed too."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == "figure":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
