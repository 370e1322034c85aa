"""A configuration with Envoy's types: what the rules look at."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.lint.document import Position, Scalar


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One message of the configuration.

    Attributes:
        type: full name; of a typed_config the type that it holds.
        position: where it begins in the file.
        fields: what is set, by the name in the proto; null counts as not set.
        parent: the message that this one is part of.
        label: what parts of a path call it: field name, and number or key within.
    """

    type: str
    position: Position
    fields: "dict[str, Value]" = field(default_factory=dict)
    parent: "Message | None" = None
    label: str = ""

    def get(self, path: str) -> "Value | None":
        """Follow dotted field names; None where one is not set or no message."""
        value: Value | None = self
        for name in path.split("."):
            if not isinstance(value, Message):
                return None
            value = value.fields.get(name)
        return value

    def message(self, path: str) -> "Message | None":
        """Get a message field."""
        value = self.get(path)
        return value if isinstance(value, Message) else None

    def messages(self, path: str) -> "list[Message]":
        """Get a repeated or mapped message field; what is no message is left out."""
        value = self.get(path)
        if isinstance(value, dict):
            value = list(value.values())
        if not isinstance(value, list):
            return []
        return [item for item in value if isinstance(item, Message)]

    def text(self, path: str) -> str:
        """Get a text or enum field, empty if not set."""
        value = self.get(path)
        return str(value.value) if isinstance(value, Scalar) else ""

    def texts(self, path: str) -> list[str]:
        """Get a repeated text field."""
        value = self.get(path)
        if not isinstance(value, list):
            return []
        return [str(item.value) for item in value if isinstance(item, Scalar)]

    def number(self, path: str) -> float | None:
        """Get a number, None if not set; a duration in seconds."""
        value = self.get(path)
        return as_number(value.value) if isinstance(value, Scalar) else None

    def truth(self, path: str) -> bool | None:
        """Get a truth value, None if not set."""
        value = self.get(path)
        if not isinstance(value, Scalar):
            return None
        return value.value is True or str(value.value).lower() == "true"

    def place(self, path: str) -> Position:
        """Say where a field stands, its first item if many, or the nearest message around it."""
        nearest, value = self.position, self
        for name in path.split("."):
            below = value.fields.get(name)
            if isinstance(below, list) and below:
                below = below[0]
            if isinstance(below, Message | Scalar):
                nearest = below.position
            if not isinstance(below, Message):
                break
            value = below
        return nearest

    def walk(self) -> "Iterator[Message]":
        """Visit this message and all within, in the order of the file."""
        yield self
        for value in self.fields.values():
            for below in _parts(value):
                if isinstance(below, Message):
                    yield from below.walk()

    def within(self, type_name: str) -> "Iterator[Message]":
        """Visit all messages of one type in this one."""
        return (message for message in self.walk() if message.type == type_name)

    def around(self, type_name: str) -> "Message | None":
        """Find the nearest message of a type that this one is part of."""
        above = self.parent
        while above is not None and above.type != type_name:
            above = above.parent
        return above


Value = Message | Scalar | list["Value"] | dict[str, "Value"]


def as_number(value: object) -> float | None:
    """Read a number, or a duration like 1.5s as seconds."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).removesuffix("s")
    try:
        return float(text)
    except ValueError:
        return None


def _parts(value: Value) -> "Iterator[Value]":
    if isinstance(value, dict):
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
    else:
        yield value
