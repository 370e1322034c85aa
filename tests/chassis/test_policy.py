"""Tests of the privacy policy that services answer."""

import re
from datetime import UTC

from services.chassis.policy import PrivacyPolicy

CLAUSES = [
    *("1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "4.2"),
    *("5.1", "5.2", "6.1", "6.2", "6.3", "7.1", "7.2", "8.1", "9.1"),
]


def test_text_has_every_clause_once_and_in_order() -> None:
    """The text that callers get holds all clauses that the system is held to."""
    text = PrivacyPolicy.load().text

    assert re.findall(r"^(\d\.\d) ", text, flags=re.MULTILINE) == CLAUSES


def test_text_names_its_version_and_date() -> None:
    """The version in receipts is the one that the text gives itself."""
    policy = PrivacyPolicy.load()

    assert f"Version {policy.version}, in force from {policy.effective:%d %B %Y}." in policy.text
    assert policy.effective.date().isoformat() == policy.version
    assert policy.effective.tzinfo is UTC


def test_feedback_address_can_be_set() -> None:
    """A deployment names the feedback channel of its own app."""
    policy = PrivacyPolicy.load(feedback_address="mailto:privacy@example.org")

    assert policy.feedback_address == "mailto:privacy@example.org"
