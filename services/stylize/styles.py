"""The named styles: what each is called, and the code that makes the network paint so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason

StyleCode: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One named style.

    Attributes:
        name: lower_snake_case name to ask for it by.
        title: title for people.
        painter: painter of the work, empty if it is no single work.
        year: year of the work, 0 if it is no single work or not known.
        code: D float32 numbers, the network's `style` input.
    """

    name: str
    title: str
    painter: str
    year: int
    code: StyleCode


class StyleBook:
    """All named styles of the service, by name."""

    def __init__(self, styles: Sequence[Style]) -> None:
        self._styles: Mapping[str, Style] = {style.name: style for style in styles}

    @classmethod
    def from_json(cls, text: bytes) -> "StyleBook":
        """Read the book that the training recipe wrote beside its network."""
        entries = sorted(json.loads(text), key=lambda each: each["name"])
        return cls([read_style(entry) for entry in entries])

    @property
    def styles(self) -> tuple[Style, ...]:
        """All styles, ordered by name."""
        return tuple(self._styles.values())

    def code(self, name: str, field: str) -> StyleCode:
        """Find the code of a named style.

        Raises:
            InvalidRequestError: no style has this name; the metadata names those that are known.
        """
        style = self._styles.get(name)
        if style is None:
            known = ", ".join(self._styles)
            raise InvalidRequestError(
                Reason.STYLE_UNKNOWN,
                f"no style has this name; known are {known}",
                field=field,
                metadata={"known": known},
            )
        return style.code


def read_style(entry: Mapping[str, object]) -> Style:
    """Turn one entry of the recipe's JSON into a record."""
    return Style(
        name=str(entry["name"]),
        title=str(entry["title"]),
        painter=str(entry.get("painter") or ""),
        year=int(str(entry.get("year") or 0)),
        code=np.asarray(entry["code"], np.float32),
    )


def mix(parts: Sequence[tuple[StyleCode, float]]) -> StyleCode:
    """Mix codes by their shares, scaled to a sum of 1."""
    whole = sum(share for _, share in parts)
    mixed = np.zeros_like(parts[0][0])
    for code, share in parts:
        mixed += code * np.float32(share / whole)
    return mixed
