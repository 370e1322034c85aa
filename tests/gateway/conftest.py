"""One set of credentials, one echo service and one gateway for all tests that don't stop them."""

from collections.abc import Iterator

import pytest

from tests.gateway.door import Credentials, Door, make_credentials, open_door, settings_for
from tests.gateway.echo import EchoService


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """Make an authority and a token key of this test run."""
    return make_credentials(tmp_path_factory.mktemp("credentials"))


@pytest.fixture(scope="session")
def echo(credentials: Credentials) -> Iterator[EchoService]:
    """Run the echo service as `stylize`."""
    with EchoService(credentials.certificates.services["stylize"]) as service:
        yield service


@pytest.fixture(scope="session")
def door(credentials: Credentials, echo: EchoService) -> Iterator[Door]:
    """Run a gateway in front of the echo service; `video` is routed but never up."""
    settings = settings_for(credentials, {"stylize": echo.port, "video": 9})
    with open_door(settings, credentials) as running:
        yield running
