"""Tests of signed statements."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from services.chassis.errors import InternalError
from services.chassis.receipts import ReceiptSigner, key_id_of, verify

# RFC 8032, section 7.1, test 3: secret key, message and signature.
RFC_SEED = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
RFC_MESSAGE = bytes.fromhex("af82")
RFC_SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def private_pem(seed: bytes) -> bytes:
    """Build the PEM text of an Ed25519 private key."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_signature_is_ed25519_of_the_bytes() -> None:
    """The signature equals that of the standard's test vector, over the statement as given."""
    signed = ReceiptSigner(private_pem(RFC_SEED)).sign(RFC_MESSAGE)

    assert (signed.statement, signed.signature) == (RFC_MESSAGE, RFC_SIGNATURE)


def test_own_signature_verifies() -> None:
    """What a signer signs verifies with the public key that it names."""
    signer = ReceiptSigner(private_pem(RFC_SEED))
    signed = signer.sign(b"statement")

    assert verify(signed.statement, signed.signature, signer.public_key_pem)
    assert signed.key_id == key_id_of(signer.public_key_pem)


@pytest.mark.parametrize("position", [0, 4, 8])
def test_changed_statement_is_refused(position: int) -> None:
    """One flipped bit anywhere in the statement breaks the signature."""
    signer = ReceiptSigner(private_pem(RFC_SEED))
    signed = signer.sign(b"statement")
    forged = bytearray(signed.statement)
    forged[position] ^= 1

    assert not verify(bytes(forged), signed.signature, signer.public_key_pem)


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"short"])
def test_made_up_signature_is_refused(signature: bytes) -> None:
    """A signature of the wrong length or content is refused, not an error."""
    signer = ReceiptSigner(private_pem(RFC_SEED))

    assert not verify(b"statement", signature, signer.public_key_pem)


def test_other_key_is_refused() -> None:
    """A receipt does not verify with another service's key."""
    signed = ReceiptSigner(private_pem(RFC_SEED)).sign(b"statement")
    other = ReceiptSigner(private_pem(bytes(32)))

    assert not verify(signed.statement, signed.signature, other.public_key_pem)
    assert signed.key_id != other.key_id


def test_key_id_is_the_start_of_the_digest() -> None:
    """The name of a key is 16 bytes of the SHA-256 of its raw public half, in hexadecimal."""
    signer = ReceiptSigner(private_pem(RFC_SEED))

    # sha256 of fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025, first 32 digits.
    assert signer.key_id == "dac073e0123bdea59dd9b3bda9cf6037"


def elliptic_pem() -> bytes:
    """Build the PEM text of a private key of another kind."""
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("pem", [b"", b"no key", elliptic_pem()])
def test_wrong_private_key_is_named(pem: bytes) -> None:
    """A service with an unusable key says so at start, without quoting it."""
    with pytest.raises(InternalError, match="no unencrypted Ed25519 key"):
        ReceiptSigner(pem)


def test_wrong_public_key_is_named() -> None:
    """A check with an unusable key says so, and does not pass."""
    public = generate_private_key(SECP256R1()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(InternalError, match="no Ed25519 public key"):
        verify(b"statement", RFC_SIGNATURE, pem)
