"""What a service tells about itself: its styles and the privacy policy it serves under."""

from dataclasses import dataclass
from datetime import UTC, datetime

from batchpix.policy.v1 import policy_pb2
from batchpix.stylize.v1 import stylize_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStyle:
    """A style that the service knows.

    Attributes:
        name: what to ask for it by.
        title: its title for people.
        painter: who painted the work it is named after, empty if it is no single work.
        year: of the work, 0 if it is no single work or not known.
    """

    name: str
    title: str
    painter: str
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The privacy policy in force.

    Attributes:
        version: as in every receipt.
        effective: when it came into force.
        text: the whole text, Markdown.
        feedback_address: where questions go.
        receipt_keys_pem: public keys that receipts are signed with.
    """

    version: str
    effective: datetime
    text: str
    feedback_address: str
    receipt_keys_pem: tuple[str, ...]


def read_styles(message: stylize_pb2.ListStylesResponse) -> tuple[NamedStyle, ...]:
    """Take over the protocol's message."""
    return tuple(
        NamedStyle(name=style.name, title=style.title, painter=style.painter, year=style.year)
        for style in message.styles
    )


def read_policy(message: policy_pb2.GetPolicyResponse) -> Policy:
    """Take over the protocol's message."""
    return Policy(
        version=message.version,
        effective=message.effective.ToDatetime(tzinfo=UTC),
        text=message.text,
        feedback_address=message.feedback_address,
        receipt_keys_pem=tuple(key.public_key_pem for key in message.receipt_keys),
    )
