"""The named styles: what each is called, and the code that makes the network paint so."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason

# The network was trained on brushes of half to twice their own size.
BRUSH_OCTAVES_MAX = 1.0
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
    """All named styles of the service, by name.

    Attributes:
        scale_index: place in a code that holds log2 of the brush size, -1 to 1; None without one.
    """

    def __init__(self, styles: Sequence[Style], scale_index: int | None = None) -> None:
        self._styles: Mapping[str, Style] = {style.name: style for style in styles}
        self.scale_index = scale_index

    @classmethod
    def from_json(cls, text: bytes) -> "StyleBook":
        """Read the book that the training recipe wrote beside its network."""
        entries = sorted(json.loads(text), key=lambda each: each["name"])
        return cls([read_style(entry) for entry in entries], entries[0].get("scale_index"))

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


def with_brush(
    code: StyleCode, scale_index: int | None, style_scale: float
) -> tuple[StyleCode, float]:
    """Ask the network for larger or finer strokes, as far as it can make them.

    Args:
        style_scale: size of the strokes, 1 as trained.

    Returns:
        The code, and the part of the scale that is left for the picture's size to do.
    """
    if scale_index is None:
        return code, style_scale
    octaves = math.log2(style_scale)
    # Half by the network's own brush, half by the size: neither leaves its best range.
    brush = min(max(octaves / 2.0, -BRUSH_OCTAVES_MAX), BRUSH_OCTAVES_MAX)
    steered = code.copy()
    steered[scale_index] = brush
    return steered, float(2.0 ** (octaves - brush))


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
