"""How many pictures the fragments of an MP4 claim to hold (ISO/IEC 14496-12, 8.8)."""

from collections.abc import Iterator
from typing import Final

HEADER_BYTES: Final = 8
# Of a `trun` box: version and flags, then the number of samples.
COUNT_OFFSET_BYTES: Final = 4
# Boxes that hold others, from the outside in.
NESTING: Final = (b"moof", b"traf")
BOXES_MAX: Final = 100_000
"""More than ten minutes of film have, in fragments of a frame or two."""


def claimed_samples(data: memoryview) -> float:
    """Sum up the samples that all fragments claim.

    Boxes that break off end the count; of more boxes than a film has, any number is believed.
    """
    claimed = 0
    for place, (kind, body) in enumerate(boxes(data)):
        if place == BOXES_MAX:
            return float("inf")
        if kind == b"trun":
            claimed += int.from_bytes(body[COUNT_OFFSET_BYTES : COUNT_OFFSET_BYTES + 4])
    return claimed


def boxes(data: memoryview, depth: int = 0) -> Iterator[tuple[bytes, memoryview]]:
    """List boxes with what is in them, those within fragments too."""
    place = 0
    while place + HEADER_BYTES <= len(data):
        size, kind = int.from_bytes(data[place : place + 4]), bytes(data[place + 4 : place + 8])
        start = place + HEADER_BYTES
        if size == 1:
            size, start = int.from_bytes(data[start : start + 8]), start + 8
        end = place + size if size else len(data)
        if end < start:
            return
        body = data[start:end]
        yield kind, body
        if depth < len(NESTING) and kind == NESTING[depth]:
            yield from boxes(body, depth + 1)
        place = end
