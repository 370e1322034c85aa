"""Credentials that the tests of several rooms share."""

import pytest

from gateway.certs import CertificatePaths, make_development_certificates
from gateway.settings import SERVICES


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> CertificatePaths:
    """Make an authority of this test run and all that it signs."""
    folder = tmp_path_factory.mktemp("authority")
    return make_development_certificates(folder, tuple(SERVICES))
