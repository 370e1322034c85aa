"""Erasure receipts: read, keep and check what a service says it wiped."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import DecodeError

from batchpix.media.v1 import media_pb2
from batchpix_client.errors import BatchpixError

KEY_ID_BYTES = 16  # of the SHA-256 of the raw public key


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A signed statement of what was wiped when a call ended.

    Attributes:
        statement_bytes: serialised `batchpix.media.v1.ErasureStatement`; exactly what is signed.
        signature: Ed25519, 64 bytes.
        key_id: names the key, hexadecimal.
    """

    statement_bytes: bytes
    signature: bytes
    key_id: str

    @classmethod
    def from_message(cls, message: media_pb2.ErasureReceipt) -> Self:
        """Take over the protocol's message."""
        return cls(
            statement_bytes=message.statement, signature=message.signature, key_id=message.key_id
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            BatchpixError: the text is no such document.
        """
        try:
            document = json.loads(text)
            return cls(
                statement_bytes=base64.b64decode(document["statement"], validate=True),
                signature=base64.b64decode(document["signature"], validate=True),
                key_id=str(document["key_id"]),
            )
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise receipt_error("RECEIPT_UNREADABLE", "the document is no receipt") from None

    def to_json(self) -> str:
        """Write a JSON document; it holds the signed bytes and no second copy of their content."""
        document = {
            "statement": base64.b64encode(self.statement_bytes).decode("ascii"),
            "signature": base64.b64encode(self.signature).decode("ascii"),
            "key_id": self.key_id,
        }
        return json.dumps(document, indent=2) + "\n"

    @property
    def statement(self) -> media_pb2.ErasureStatement:
        """What the service states; believe it only after `verify`.

        Raises:
            BatchpixError: the bytes are no statement.
        """
        try:
            return media_pb2.ErasureStatement.FromString(self.statement_bytes)
        except DecodeError:
            raise receipt_error("RECEIPT_UNREADABLE", "the statement cannot be parsed") from None

    def verify(self, *public_keys_pem: bytes | str) -> media_pb2.ErasureStatement:
        """Check the signature and return the statement.

        Args:
            public_keys_pem: Ed25519 keys (PEM) that are trusted; the receipt's key is among them.

        Raises:
            BatchpixError: the key is not among them, or the signature does not fit.
        """
        key = self._trusted_key(public_keys_pem)
        try:
            key.verify(self.signature, self.statement_bytes)
        except InvalidSignature:
            message = "the signature does not fit the statement"
            raise receipt_error("RECEIPT_SIGNATURE_INVALID", message) from None
        return self.statement

    def _trusted_key(self, public_keys_pem: Iterable[bytes | str]) -> Ed25519PublicKey:
        for pem in public_keys_pem:
            key = load_public_key(pem)
            if key_id(key) == self.key_id:
                return key
        message = "none of the trusted keys signed this receipt"
        raise receipt_error("RECEIPT_KEY_UNKNOWN", message)


def load_public_key(pem: bytes | str) -> Ed25519PublicKey:
    """Read an Ed25519 public key.

    Raises:
        BatchpixError: the text is no PEM or the key of another kind.
    """
    data = pem.encode() if isinstance(pem, str) else pem
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise receipt_error("RECEIPT_UNREADABLE", "the public key is no PEM key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise receipt_error("RECEIPT_UNREADABLE", "the public key is no Ed25519 key")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Name a key: the first 16 bytes of the SHA-256 of its raw form, in hexadecimal."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES].hex()


def receipt_error(reason: str, message: str) -> BatchpixError:
    """Make the error of a receipt that cannot be read or does not hold."""
    return BatchpixError("DATA_LOSS", reason, message)
