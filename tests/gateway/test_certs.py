"""Development certificates: what they say, who may read them, when they are renewed."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from gateway.certs import AUTHORITY_LIFETIME, LEAF_LIFETIME, make_development_certificates

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def certificate(bundle: Path) -> x509.Certificate:
    """Read a folder's certificate."""
    return x509.load_pem_x509_certificate((bundle / "tls.crt").read_bytes())


def names(bundle: Path) -> list[object]:
    """Read whom a folder's certificate names."""
    extension = certificate(bundle).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


def test_each_certificate_names_its_holder(tmp_path: Path) -> None:
    """Gateway, services and callers each get the identity of their role."""
    paths = make_development_certificates(tmp_path, ["stylize"], ["loadtest"], now=NOW)

    assert names(paths.gateway) == ["localhost", "127.0.0.1", "::1"]
    assert "spiffe://batchpix/service/stylize" in names(paths.services["stylize"])
    assert names(paths.clients["gateway"]) == ["spiffe://batchpix/gateway"]
    assert names(paths.clients["loadtest"]) == ["spiffe://batchpix/client/loadtest"]


def test_authority_signs_all(tmp_path: Path) -> None:
    """Every certificate chains to the one authority, whose copy stands beside it."""
    paths = make_development_certificates(tmp_path, ["stylize", "video"], now=NOW)
    authority = x509.load_pem_x509_certificate(paths.authority.read_bytes())
    bundles = [paths.gateway, *paths.services.values(), *paths.clients.values()]
    for bundle in bundles:
        certificate(bundle).verify_directly_issued_by(authority)

    assert {(bundle / "ca.crt").read_bytes() for bundle in bundles} == {
        paths.authority.read_bytes()
    }


def test_keys_are_private(tmp_path: Path) -> None:
    """Nobody but the owner can read a key or enter the folder."""
    paths = make_development_certificates(tmp_path / "made", ["stylize"], now=NOW)
    keys = [tmp_path / "made/ca.key", paths.services["stylize"] / "receipt.key"]
    keys += [paths.gateway / "tls.key", paths.services["stylize"] / "tls.key"]

    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def test_second_time_changes_nothing(tmp_path: Path) -> None:
    """Certificates with more than a day to live are kept."""
    paths = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    before = certificate(paths.gateway).serial_number
    make_development_certificates(
        tmp_path, ["stylize"], now=NOW + LEAF_LIFETIME - timedelta(days=2)
    )

    assert certificate(paths.gateway).serial_number == before


def test_renewed_within_a_day_of_the_end(tmp_path: Path) -> None:
    """A certificate about to end is renewed; the receipt key stays, so old receipts hold."""
    paths = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    service = paths.services["stylize"]
    before, receipt = certificate(service), (service / "receipt.key").read_bytes()
    later = NOW + LEAF_LIFETIME - timedelta(hours=23)
    make_development_certificates(tmp_path, ["stylize"], now=later)

    assert certificate(service).serial_number != before.serial_number
    assert certificate(service).not_valid_after_utc > later + timedelta(days=20)
    assert (service / "receipt.key").read_bytes() == receipt
    assert [entry.name for entry in service.iterdir() if entry.is_dir()] != []


def test_all_can_be_renewed_at_will(tmp_path: Path) -> None:
    """Who asks for renewal gets new certificates of the same authority, and keeps receipt keys."""
    paths = make_development_certificates(tmp_path, ["stylize"])
    folder = paths.services["stylize"]
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    make_development_certificates(tmp_path, ["stylize"], renew_before=LEAF_LIFETIME)
    after = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"tls.crt", "tls.key"}


def test_old_versions_are_removed(tmp_path: Path) -> None:
    """After a renewal no old key stays on the disk."""
    paths = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    make_development_certificates(tmp_path, ["stylize"], now=NOW + LEAF_LIFETIME)
    versions = [
        entry for entry in paths.gateway.iterdir() if entry.is_dir() and not entry.is_symlink()
    ]

    assert len(versions) == 1


def test_new_authority_replaces_all(tmp_path: Path) -> None:
    """When the authority nears its end, it and all that it signed are made anew."""
    paths = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    before = paths.authority.read_bytes()
    later = NOW + AUTHORITY_LIFETIME - timedelta(days=5)
    make_development_certificates(tmp_path, ["stylize"], now=later)
    authority = x509.load_pem_x509_certificate(paths.authority.read_bytes())
    certificate(paths.gateway).verify_directly_issued_by(authority)

    assert paths.authority.read_bytes() != before


def test_added_feature_is_added(tmp_path: Path) -> None:
    """A feature that comes later gets its certificate and the others keep theirs."""
    first = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    before = certificate(first.services["stylize"]).serial_number
    both = make_development_certificates(tmp_path, ["stylize", "dance"], now=NOW)

    assert certificate(both.services["stylize"]).serial_number == before
    assert "spiffe://batchpix/service/dance" in names(both.services["dance"])


@pytest.mark.parametrize("lost", ["tls.crt", "tls.key", "ca.crt"])
def test_lost_file_is_made_again(tmp_path: Path, lost: str) -> None:
    """A folder that lacks a file is made whole."""
    paths = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    (paths.gateway / lost).unlink()
    make_development_certificates(tmp_path, ["stylize"], now=NOW)

    assert (paths.gateway / lost).exists()


def test_damaged_certificate_is_made_again(tmp_path: Path) -> None:
    """A file that is no certificate counts as none."""
    paths = make_development_certificates(tmp_path, ["stylize"], now=NOW)
    (paths.gateway / "tls.crt").resolve().write_text("rubbish")
    make_development_certificates(tmp_path, ["stylize"], now=NOW)

    assert names(paths.gateway) == ["localhost", "127.0.0.1", "::1"]


def test_services_share_their_receipt_key(tmp_path: Path) -> None:
    """Any service tells the key of all, also one that joins later."""
    make_development_certificates(tmp_path, ("stylize", "video"))
    paths = make_development_certificates(tmp_path, ("stylize", "video", "dance"))

    assert len({(each / "receipt.pub").read_bytes() for each in paths.services.values()}) == 1


def test_receipt_keys_belong_together(tmp_path: Path) -> None:
    """What receipt.key signs, receipt.pub confirms."""
    service = make_development_certificates(tmp_path, ["stylize"], now=NOW).services["stylize"]
    private = serialization.load_pem_private_key((service / "receipt.key").read_bytes(), None)
    public = serialization.load_pem_public_key((service / "receipt.pub").read_bytes())
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    assert isinstance(public, ed25519.Ed25519PublicKey)

    public.verify(private.sign(b"receipt"), b"receipt")


def test_two_makers_agree(tmp_path: Path) -> None:
    """Makers that run at the same time end with one authority."""
    makers = [
        threading.Thread(target=make_development_certificates, args=(tmp_path, ["stylize"]))
        for _ in range(4)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())

    certificate(tmp_path / "gateway").verify_directly_issued_by(authority)
