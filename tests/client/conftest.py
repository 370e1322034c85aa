"""Fakes that speak TLS, and a client of theirs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from batchpix_client import Client
from batchpix_client.cli import app
from batchpix_client.profile import Profile
from gateway.certs import CertificatePaths
from tests.client.fakes import (
    BEARER,
    RECEIPT_KEY_PEM,
    FakeMesh,
    backwards,
    gateway_credentials,
    serve,
)

Batchpix = Callable[..., Result]


@pytest.fixture
def mesh() -> FakeMesh:
    """Make a fake that keeps to the protocol."""
    return FakeMesh(script=backwards)


@pytest.fixture
def address(mesh: FakeMesh, certificates: CertificatePaths) -> Iterator[str]:
    """Run the fake as a gateway."""
    with serve(mesh, gateway_credentials(certificates)) as running:
        yield running


@pytest.fixture
def client(address: str, certificates: CertificatePaths) -> Iterator[Client]:
    """Connect to the fake."""
    with Client(address, ca=certificates.authority, token=BEARER) as connected:
        yield connected


@pytest.fixture
def home(tmp_path: Path, address: str, certificates: CertificatePaths) -> Path:
    """Write the profile of the fake mesh, as `batchpix up` would."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "token").write_text("secret\n")
    (folder / "receipt.pub").write_bytes(RECEIPT_KEY_PEM)
    Profile(
        address=address,
        ca=certificates.authority,
        token_file=folder / "token",
        receipt_keys=(folder / "receipt.pub",),
    ).save(folder)
    return folder


@pytest.fixture
def batchpix(home: Path) -> Batchpix:
    """Run the command in this process, standard output and standard error apart."""

    def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(
            app, [str(each) for each in arguments], env={"BATCHPIX_HOME": str(home), **(env or {})}
        )

    return run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Write what the fake takes for a photo."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"one")
    return file
