"""Who is let through: tokens of every wrong kind are refused."""

import base64
import hmac
import json
import time

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.tokens import AUDIENCE, ISSUER, key_id, make_token
from tests.gateway.door import LIST_STYLES, Credentials, Door

UNAUTHENTICATED = (grpc.StatusCode.UNAUTHENTICATED, "CALLER_UNKNOWN")
DENIED = (grpc.StatusCode.PERMISSION_DENIED, "CALLER_UNKNOWN")


def claims(**changes: object) -> dict[str, object]:
    """Claim everything that a valid token claims, but for the changes; None leaves one out."""
    now = int(time.time())
    valid = {"iss": ISSUER, "aud": AUDIENCE, "sub": "a", "scope": "stylize", "iat": now}
    return {k: v for k, v in {**valid, "exp": now + 60, **changes}.items() if v is not None}


def signed(credentials: Credentials, **changes: object) -> str:
    """Sign changed claims with the right key."""
    headers = {"kid": key_id(credentials.key.public_key())}
    return jwt.encode(claims(**changes), credentials.key, algorithm="ES256", headers=headers)


def unsigned() -> str:
    """Write a token that says it needs no signature."""
    return f"{written({'alg': 'none', 'typ': 'JWT'})}.{written(claims())}."


def signed_with_public_key(credentials: Credentials) -> str:
    """Take the published key for a shared secret, a well-known forgery."""
    key = credentials.key.public_key()
    secret = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = f"{written({'alg': 'HS256', 'kid': key_id(key)})}.{written(claims())}"
    signature = hmac.digest(secret, content.encode(), "sha256")
    return f"{content}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def written(part: dict[str, object]) -> str:
    """Write one part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_no_token(door: Door) -> None:
    """A caller without a token is unknown."""
    assert door.refusal(LIST_STYLES, None) == UNAUTHENTICATED


def test_rubbish_for_a_token(door: Door) -> None:
    """A header that holds no token is no token."""
    assert door.refusal(LIST_STYLES, "rubbish") == UNAUTHENTICATED


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": 9_999_999_999},
        {"nbf": 9_999_999_990},
        {"iss": "https://elsewhere.example"},
    ],
    ids=["expired", "endless", "too long", "not yet", "other issuer"],
)
def test_wrong_claims(door: Door, changes: dict[str, object]) -> None:
    """A token out of its time, without an end, or of another issuer is refused."""
    assert door.refusal(LIST_STYLES, signed(door.credentials, **changes)) == UNAUTHENTICATED


def test_wrong_audience(door: Door) -> None:
    """A token that was made for another system is not accepted here."""
    assert door.refusal(LIST_STYLES, signed(door.credentials, aud="elsewhere")) == DENIED


def test_wrong_key(door: Door) -> None:
    """A token signed by a key that is not in the key set is refused."""
    token = make_token(ec.generate_private_key(ec.SECP256R1()), "someone", ["stylize"])

    assert door.refusal(LIST_STYLES, token) == UNAUTHENTICATED


def test_no_signature(door: Door) -> None:
    """A token that claims to need no signature is refused."""
    assert door.refusal(LIST_STYLES, unsigned()) == UNAUTHENTICATED


def test_public_key_as_secret(door: Door) -> None:
    """The published key can't be used to forge a signature."""
    token = signed_with_public_key(door.credentials)

    assert door.refusal(LIST_STYLES, token) == UNAUTHENTICATED


def test_scope_among_others(door: Door) -> None:
    """The feature's scope may stand anywhere in the token's list."""
    token = door.credentials.token("video", "stylize", "dance")

    assert LIST_STYLES.encode() == door.call(LIST_STYLES, token)


@pytest.mark.parametrize("scope", ["", "video", "stylizer", "re-stylize", "STYLIZE", "stylize,x"])
def test_other_scope(door: Door, scope: str) -> None:
    """A token for something else, however alike in name, opens nothing."""
    assert door.refusal(LIST_STYLES, signed(door.credentials, scope=scope)) == DENIED


def test_token_in_the_address(door: Door) -> None:
    """A token in the path's query, where logs and histories would keep it, does not count."""
    path = f"{LIST_STYLES}?access_token={door.credentials.token()}"

    assert door.refusal(path, None) == UNAUTHENTICATED
