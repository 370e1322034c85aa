"""Receipts: what holds, what does not, and the form they are kept in."""

import dataclasses
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from batchpix_client import BatchpixError, Receipt
from batchpix_client.receipts import key_id
from tests.client import fakes

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()


def pem(key: object) -> bytes:
    """Write a public key."""
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture
def receipt() -> Receipt:
    """Make a receipt that holds."""
    return Receipt.from_message(fakes.signed(fakes.erasure()))


def reason_of(receipt: Receipt, *keys: bytes | str) -> str:
    """Name why a receipt does not hold."""
    with pytest.raises(BatchpixError) as caught:
        receipt.verify(*keys)
    return caught.value.reason


def test_a_receipt_holds_under_its_key_among_others(receipt: Receipt) -> None:
    """Any of the trusted keys may be the receipt's; the statement is returned."""
    statement = receipt.verify(pem(OTHER_KEY), fakes.RECEIPT_KEY_PEM.decode())

    assert fakes.erasure() == statement


def test_a_receipt_of_an_unknown_key_does_not_hold(receipt: Receipt) -> None:
    """A key that is not trusted proves nothing."""
    assert reason_of(receipt, pem(OTHER_KEY)) == "RECEIPT_KEY_UNKNOWN"
    assert reason_of(receipt) == "RECEIPT_KEY_UNKNOWN"


def test_a_changed_statement_does_not_hold(receipt: Receipt) -> None:
    """One bit of the statement is enough to break the signature."""
    changed = bytes([receipt.statement_bytes[0] ^ 1]) + receipt.statement_bytes[1:]
    forged = dataclasses.replace(receipt, statement_bytes=changed)

    assert reason_of(forged, fakes.RECEIPT_KEY_PEM) == "RECEIPT_SIGNATURE_INVALID"


def test_another_key_cannot_pose_as_the_named_one(receipt: Receipt) -> None:
    """A receipt that names a trusted key but was signed by another does not hold."""
    forged = dataclasses.replace(receipt, key_id=key_id(OTHER_KEY))

    assert reason_of(forged, pem(OTHER_KEY)) == "RECEIPT_SIGNATURE_INVALID"


def test_a_signed_statement_that_cannot_be_read_does_not_hold() -> None:
    """A valid signature over something else is no receipt."""
    data = b"\xff\xff"
    receipt = Receipt(
        statement_bytes=data,
        signature=fakes.RECEIPT_KEY.sign(data),
        key_id=key_id(fakes.RECEIPT_KEY.public_key()),
    )

    assert reason_of(receipt, fakes.RECEIPT_KEY_PEM) == "RECEIPT_UNREADABLE"


@pytest.mark.parametrize("key", [b"no pem", pem(generate_private_key(SECP256R1()).public_key())])
def test_only_ed25519_keys_are_read(receipt: Receipt, key: bytes) -> None:
    """Anything but an Ed25519 key in PEM is refused."""
    assert reason_of(receipt, key) == "RECEIPT_UNREADABLE"


def test_a_receipt_survives_its_file_form(receipt: Receipt) -> None:
    """What `to_json` writes is what `from_json` reads."""
    assert receipt == Receipt.from_json(receipt.to_json())


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", json.dumps({"statement": "?", "signature": "", "key_id": ""}), "null"],
)
def test_a_document_that_is_no_receipt_is_refused(text: str) -> None:
    """Damaged files end in one error, whatever is wrong with them."""
    with pytest.raises(BatchpixError) as caught:
        Receipt.from_json(text)

    assert caught.value.reason == "RECEIPT_UNREADABLE"
