"""What the blocking client is beside its stylize call: connections and small questions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchpix_client import BatchpixError, Client
from batchpix_client.catalogue import NamedStyle, Policy
from gateway.certs import CertificatePaths, make_development_certificates
from tests.client import fakes
from tests.client.fakes import FakeMesh, backwards, serve, service_credentials


def test_styles_are_listed(client: Client) -> None:
    """Each style comes with its name, title, painter and year."""
    expected = NamedStyle(
        name="starry_night", title="The Starry Night", painter="Vincent van Gogh", year=1889
    )

    assert (expected,) == client.styles()


def test_the_policy_is_told(client: Client) -> None:
    """The policy comes whole, with the keys that receipts are checked with."""
    expected = Policy(
        version=fakes.POLICY_VERSION,
        effective=datetime(2026, 11, 23, tzinfo=UTC),
        text="# Policy",
        feedback_address="x@y.z",
        receipt_keys_pem=(fakes.RECEIPT_KEY_PEM.decode(),),
    )

    assert expected == client.policy()


def test_an_internal_caller_shows_its_certificate(certificates: CertificatePaths) -> None:
    """A service that demands a certificate serves a client that has one."""
    folder = certificates.clients["developer"]
    with (
        serve(FakeMesh(script=backwards), service_credentials(certificates)) as address,
        Client(
            address,
            ca=str(folder / "ca.crt"),
            certificate=folder / "tls.crt",
            key=(folder / "tls.key").read_bytes(),
        ) as client,
    ):
        assert len(client.styles()) == 1


def test_a_caller_without_a_certificate_is_turned_away(certificates: CertificatePaths) -> None:
    """A service that demands a certificate does not answer a client that has none."""
    with (
        serve(FakeMesh(script=backwards), service_credentials(certificates)) as address,
        Client(address, ca=certificates.authority) as client,
        pytest.raises(BatchpixError) as caught,
    ):
        client.styles()

    assert caught.value.code == "UNAVAILABLE"


def test_a_server_of_another_authority_is_not_believed(address: str, tmp_path: Path) -> None:
    """A server whose certificate another authority signed gets neither token nor picture."""
    other = make_development_certificates(tmp_path, ["stylize"])
    with (
        Client(address, ca=other.authority, token=fakes.BEARER) as client,
        pytest.raises(BatchpixError) as caught,
    ):
        client.styles()

    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"ca": Path("none.crt")}, "ca"),
        ({"certificate": b"pem"}, "certificate"),
        ({"key": b"pem"}, "certificate"),
    ],
)
def test_a_client_that_is_set_up_wrongly_says_so(
    arguments: dict[str, Path | bytes], field: str
) -> None:
    """Missing files and half a key pair are refused before anything is connected."""
    with pytest.raises(BatchpixError) as caught:
        Client("localhost:1", **arguments)  # type: ignore[arg-type]  # one of several keywords

    assert ("CONFIGURATION_INVALID", field) == (caught.value.reason, caught.value.field)
