"""The privacy policy in force, as every service answers it and every receipt names it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Self

VERSION = "2026-11-23"
EFFECTIVE = datetime(2026, 11, 23, tzinfo=UTC)
# The app that embeds the features is where its users ask; a deployment names its own channel.
FEEDBACK_ADDRESS = "the feedback page of the app that you use Batchpix in"
TEXT_FILE = "policy.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyPolicy:
    """One version of the policy."""

    version: str
    """Date of the version, year first."""
    effective: datetime
    """When it came into force, UTC."""
    text: str
    """The whole text, Markdown."""
    feedback_address: str
    """Where questions go."""

    @classmethod
    def load(cls, feedback_address: str = FEEDBACK_ADDRESS) -> Self:
        """Read the policy in force from the package; call it before reads are given up."""
        text = resources.files(__package__).joinpath(TEXT_FILE).read_text(encoding="utf-8")
        return cls(
            version=VERSION, effective=EFFECTIVE, text=text, feedback_address=feedback_address
        )
