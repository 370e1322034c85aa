"""Development tokens: an ES256 key, its public key set, and bearer tokens that it signs."""

import argparse
import base64
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.files import replace_file
from gateway.settings import SERVICES

AUDIENCE = "batchpix"
ISSUER = "https://batchpix.example/dev"
LIFETIME_SECONDS = 12 * 3600
KEY_FILE = "signing.key"
KEY_SET_FILE = "jwks.json"


def main() -> None:
    """Print one token to standard output, making key and key set if there are none yet."""
    parser = argparse.ArgumentParser(prog="python -m gateway.tokens", description=main.__doc__)
    parser.add_argument("folder", type=Path, help=f"holds {KEY_FILE} and {KEY_SET_FILE}")
    parser.add_argument("--subject", default="developer", help="who the token is for")
    parser.add_argument(
        "--scope", action="append", choices=sorted(SERVICES), help="a feature; default all"
    )
    parser.add_argument("--seconds", type=int, default=LIFETIME_SECONDS, help="lifetime")
    options = parser.parse_args()
    key = load_or_make_key(options.folder)
    scopes = options.scope or list(SERVICES)
    sys.stdout.write(make_token(key, options.subject, scopes, options.seconds) + "\n")


def load_or_make_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    """Load the signing key of a folder; make it, and its key set, if it is not there.

    Args:
        folder: made with mode 0700; the key has mode 0600.
    """
    file = folder / KEY_FILE
    if file.exists():
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        replace_file(file, pem)
    if not (folder / KEY_SET_FILE).exists():
        write_key_set(folder / KEY_SET_FILE, [key.public_key()])
    return key


def make_token(
    key: ec.EllipticCurvePrivateKey,
    subject: str,
    scopes: Sequence[str],
    lifetime_seconds: int = LIFETIME_SECONDS,
    *,
    audience: str = AUDIENCE,
    issuer: str = ISSUER,
) -> str:
    """Sign a bearer token that admits its subject to the features named in `scopes`."""
    issued = int(time.time())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": issued,
        "exp": issued + lifetime_seconds,
    }
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": key_id(key.public_key())})


def write_key_set(file: Path, keys: Sequence[ec.EllipticCurvePublicKey]) -> None:
    """Replace the key set in one step; during a rotation it names the old key and the new one."""
    document = {"keys": [_public_jwk(key) for key in keys]}
    replace_file(file, json.dumps(document, indent=1).encode())


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Name a key by its RFC 7638 thumbprint."""
    canonical = json.dumps(_coordinates(key), sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def _public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    return {**_coordinates(key), "use": "sig", "alg": "ES256", "kid": key_id(key)}


def _coordinates(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    size_bytes = (key.curve.key_size + 7) // 8
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(numbers.x.to_bytes(size_bytes, "big")),
        "y": _base64url(numbers.y.to_bytes(size_bytes, "big")),
    }


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


if __name__ == "__main__":
    main()
