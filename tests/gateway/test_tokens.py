"""Tokens and their key set."""

import json
import subprocess
import sys
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.tokens import AUDIENCE, ISSUER, KEY_SET_FILE, load_or_make_key, make_token
from tests.gateway.door import ROOT


def test_token_is_checked_by_the_key_set(tmp_path: Path) -> None:
    """The published key set confirms a token and its claims."""
    token = make_token(load_or_make_key(tmp_path), "someone", ["stylize", "video"], 60)
    keys = jwt.PyJWKSet.from_json((tmp_path / KEY_SET_FILE).read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)

    assert claims["scope"] == "stylize video"
    assert claims["exp"] - claims["iat"] == 60


def test_key_set_holds_no_secret(tmp_path: Path) -> None:
    """Only the public half of the key is published."""
    load_or_make_key(tmp_path)
    key = json.loads((tmp_path / KEY_SET_FILE).read_text())["keys"][0]

    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}


def test_key_is_kept_and_private(tmp_path: Path) -> None:
    """A second start signs with the same key, which nobody else can read."""
    first = load_or_make_key(tmp_path).private_numbers()
    second = load_or_make_key(tmp_path).private_numbers()

    assert first == second
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600


def test_key_set_follows_the_key(tmp_path: Path) -> None:
    """A key set that was lost is written again."""
    load_or_make_key(tmp_path)
    before = (tmp_path / KEY_SET_FILE).read_text()
    (tmp_path / KEY_SET_FILE).unlink()
    load_or_make_key(tmp_path)

    assert (tmp_path / KEY_SET_FILE).read_text() == before


def test_command_prints_a_token(tmp_path: Path) -> None:
    """`python -m gateway.tokens` mints one for the scopes asked for."""
    command = [sys.executable, "-m", "gateway.tokens", str(tmp_path), "--scope", "dance"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    claims = jwt.decode(done.stdout.strip(), options={"verify_signature": False})

    assert claims["scope"] == "dance"
    assert claims["exp"] - claims["iat"] == 12 * 3600


def test_keys_are_on_the_right_curve(tmp_path: Path) -> None:
    """ES256 means P-256."""
    assert isinstance(load_or_make_key(tmp_path).curve, ec.SECP256R1)
