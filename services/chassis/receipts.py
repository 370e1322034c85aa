"""Signed statements: that a call's memory was erased can be shown to others, and not be forged.

Ed25519 as in RFC 8032, by the package cryptography. What is signed are bytes: whoever checks a
receipt checks exactly what was sent, whatever it is serialised with.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.chassis.errors import InternalError, Reason

KEY_ID_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """The three parts of a receipt."""

    statement: bytes
    """What is stated, serialised."""
    signature: bytes
    """Ed25519 signature of `statement`, 64 bytes."""
    key_id: str
    """Which key signed; see `key_id_of`."""


class ReceiptSigner:
    """Signs statements with the key of one service.

    Attributes:
        key_id: names the key, in every receipt.
        public_key_pem: the public half, for whoever checks receipts.
    """

    def __init__(self, private_key_pem: bytes) -> None:
        """Load an unencrypted Ed25519 key (PKCS #8 PEM).

        Raises:
            InternalError: the text is no such key.
        """
        self._key = _private_key(private_key_pem)
        public_key = self._key.public_key()
        self.key_id = _key_id(public_key)
        self.public_key_pem = public_key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, statement: bytes) -> SignedStatement:
        """Sign a serialised statement."""
        return SignedStatement(
            statement=statement, signature=self._key.sign(statement), key_id=self.key_id
        )


def verify(statement: bytes, signature: bytes, public_key_pem: bytes) -> bool:
    """Tell whether the holder of the key signed exactly this statement.

    Raises:
        InternalError: the text is no Ed25519 public key (SubjectPublicKeyInfo PEM).
    """
    try:
        _public_key(public_key_pem).verify(signature, statement)
    except InvalidSignature:
        return False
    return True


def key_id_of(public_key_pem: bytes) -> str:
    """Name a public key: the first 16 bytes of the SHA-256 of its raw 32 bytes, in hexadecimal.

    Raises:
        InternalError: the text is no Ed25519 public key (SubjectPublicKeyInfo PEM).
    """
    return _key_id(_public_key(public_key_pem))


def _key_id(public_key: Ed25519PublicKey) -> str:
    digest = hashlib.sha256(public_key.public_bytes_raw()).digest()
    return digest[:KEY_ID_BYTES].hex()


def _private_key(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InternalError(Reason.INTERNAL, "the receipt key is no unencrypted Ed25519 key (PEM)")
    return key


def _public_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InternalError(Reason.INTERNAL, "the receipt key is no Ed25519 public key (PEM)")
    return key
