"""Development certificates: one machine's authority, and what it signs for all who take part.

A cluster gets its certificates from its own issuer; the folders look the same there.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.files import replace_file

TRUST_DOMAIN = "spiffe://batchpix"
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")

AUTHORITY_LIFETIME = timedelta(days=365)
LEAF_LIFETIME = timedelta(days=30)
RENEW_BEFORE = timedelta(days=1)
# Clocks of two machines, or of a host and its guest, may differ by this much.
BACKDATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePaths:
    """Where everything stands; each folder holds tls.crt, tls.key and ca.crt."""

    authority: Path
    """ca.crt, what every client has to trust."""
    gateway: Path
    """Folder of what the gateway shows to the outside."""
    services: Mapping[str, Path]
    """Folder per feature; it also holds receipt.key and receipt.pub (Ed25519), alike in all."""
    clients: Mapping[str, Path]
    """Folder per internal caller; `gateway` is the gateway itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a certificate says of its holder."""

    common_name: str
    names: tuple[str, ...] = ()
    """DNS names and addresses."""
    uri: str = ""
    """SPIFFE identity, empty for one that only the outside sees."""
    is_server: bool = False
    is_client: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The development authority, able to sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_development_certificates(
    folder: Path,
    features: Sequence[str],
    clients: Sequence[str] = ("developer",),
    *,
    now: datetime | None = None,
    renew_before: timedelta = RENEW_BEFORE,
) -> CertificatePaths:
    """Make what is missing and renew what ends soon; leave the rest alone.

    Args:
        folder: made with mode 0700; private keys in it have mode 0600.
        features: services to make certificates for.
        clients: internal callers, `spiffe://batchpix/client/<name>`.
        now: moment to judge by, default this one.
        renew_before: what ends within so long is renewed; `LEAF_LIFETIME` renews all.
    """
    moment = now or datetime.now(UTC)
    paths = CertificatePaths(
        authority=folder / "ca.crt",
        gateway=folder / "gateway",
        services={feature: folder / "services" / feature for feature in features},
        clients={name: folder / "clients" / name for name in ("gateway", *clients)},
    )
    with _locked(folder):
        authority = _authority(folder, moment)
        for bundle, identity in _identities(paths).items():
            if not _is_current(bundle, identity, authority, moment + renew_before):
                files = _signed_files(identity, authority, moment)
                if bundle in paths.services.values():
                    files |= _receipt_files(paths.services.values())
                _swap(bundle, files)
    return paths


def _identities(paths: CertificatePaths) -> dict[Path, Identity]:
    """Say for each folder what its certificate has to tell."""
    identities = {
        paths.gateway: Identity(common_name="Batchpix gateway", names=LOCAL_NAMES, is_server=True)
    }
    for feature, bundle in paths.services.items():
        identities[bundle] = Identity(
            common_name=f"Batchpix {feature}",
            names=(*LOCAL_NAMES, f"{feature}.batchpix.internal"),
            uri=f"{TRUST_DOMAIN}/service/{feature}",
            is_server=True,
        )
    for name, bundle in paths.clients.items():
        role = "gateway" if name == "gateway" else f"client/{name}"
        identities[bundle] = Identity(
            common_name=f"Batchpix {name}", uri=f"{TRUST_DOMAIN}/{role}", is_client=True
        )
    return identities


def _authority(folder: Path, now: datetime) -> Authority:
    """Load the authority, or make one; a new one lets every older certificate be replaced."""
    certificate_file, key_file = folder / "ca.crt", folder / "ca.key"
    if certificate_file.exists() and key_file.exists():
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        # A leaf must never outlive its authority.
        if certificate.not_valid_after_utc > now + LEAF_LIFETIME:
            return Authority(certificate=certificate, key=key)
    authority = new_authority(now)
    replace_file(key_file, _private_pem(authority.key))
    replace_file(certificate_file, authority.certificate.public_bytes(serialization.Encoding.PEM))
    return authority


def new_authority(now: datetime) -> Authority:
    """Make a self-signed ECDSA P-256 authority that may sign end certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Batchpix development authority")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    return Authority(certificate=builder.sign(key, hashes.SHA256()), key=key)


def sign(
    identity: Identity, authority: Authority, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a key and a certificate for it, valid for `LEAF_LIFETIME`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)])
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH] * identity.is_server
    purposes += [ExtendedKeyUsageOID.CLIENT_AUTH] * identity.is_client
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(name, authority.certificate.subject, key.public_key(), now, LEAF_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(_general_names(identity)), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return builder.sign(authority.key, hashes.SHA256()), key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(identity: Identity) -> list[x509.GeneralName]:
    names = [_host_name(name) for name in identity.names]
    return [*names, x509.UniformResourceIdentifier(identity.uri)] if identity.uri else names


def _host_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_current(bundle: Path, identity: Identity, authority: Authority, until: datetime) -> bool:
    """Tell whether a folder's certificate says the right thing, and does so for long enough."""
    files = {name: bundle / name for name in ("tls.crt", "tls.key", "ca.crt")}
    if not all(file.exists() for file in files.values()):
        return False
    authority_pem = authority.certificate.public_bytes(serialization.Encoding.PEM)
    try:
        certificate = x509.load_pem_x509_certificate(files["tls.crt"].read_bytes())
        certificate.verify_directly_issued_by(authority.certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, x509.ExtensionNotFound):
        return False
    return (
        files["ca.crt"].read_bytes() == authority_pem
        and list(names) == _general_names(identity)
        and certificate.not_valid_after_utc > until
    )


def _signed_files(identity: Identity, authority: Authority, now: datetime) -> dict[str, bytes]:
    certificate, key = sign(identity, authority, now)
    return {
        "tls.crt": certificate.public_bytes(serialization.Encoding.PEM),
        "tls.key": _private_pem(key),
        "ca.crt": authority.certificate.public_bytes(serialization.Encoding.PEM),
    }


def _receipt_files(bundles: Iterable[Path]) -> dict[str, bytes]:
    """Give every service one key, since any of them tells callers its public half.

    It is kept when certificates are renewed: old receipts stay checkable.
    """
    for bundle in bundles:
        files = {name: bundle / name for name in ("receipt.key", "receipt.pub")}
        if all(file.exists() for file in files.values()):
            return {name: file.read_bytes() for name, file in files.items()}
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {"receipt.key": _private_pem(key), "receipt.pub": public}


def _private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _swap(bundle: Path, files: Mapping[str, bytes]) -> None:
    """Replace all files of a folder in one step, the way a mounted Kubernetes secret changes.

    Each name is a link through `..data`, and renaming that one link is the whole change: no
    reader meets a new certificate beside an old key.
    """
    bundle.mkdir(mode=0o700, parents=True, exist_ok=True)
    version = bundle / f"..{uuid4().hex}"
    version.mkdir(mode=0o700)
    for name, content in files.items():
        replace_file(version / name, content)
    data = bundle / "..data"
    previous = data.resolve() if data.is_symlink() else None
    for name in files:
        if not (bundle / name).is_symlink():
            (bundle / name).unlink(missing_ok=True)
            (bundle / name).symlink_to(Path("..data") / name)
    fresh = bundle / "..data_new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version.name)
    fresh.replace(data)
    if previous:
        shutil.rmtree(previous)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder and keep other makers out of it meanwhile."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
