"""Fakes that speak TLS, and a client of theirs."""

from collections.abc import Iterator

import pytest

from batchpix_client import Client
from gateway.certs import CertificatePaths
from tests.client.fakes import BEARER, FakeMesh, backwards, gateway_credentials, serve


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
