"""How many samples the tables of an MP4 claim to hold (ISO/IEC 14496-12, 8.6 to 8.8).

A reader makes room for what a table claims before it reads the table. FFmpeg looks for tables
wherever boxes may lie within boxes, at places too where the standard has none. So they are searched
for by name in all bytes but those of media data, and no structure of boxes can hide one.
"""

import re
from collections.abc import Iterator
from typing import Final

HEADER_BYTES: Final = 8
COUNT_OFFSETS_BYTES: Final = {
    **dict.fromkeys((b"trun", b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stps"), 8),
    **dict.fromkeys((b"elst", b"senc", b"keys"), 8),
    **dict.fromkeys((b"stsz", b"stz2", b"sbgp"), 12),
    b"tfra": 16,
}
"""Name of a table -> bytes from its name to its 32-bit count."""

TABLES_MAX: Final = 100_000
"""More than ten minutes of film have, in fragments of a frame or two."""

NAMES: Final = re.compile(b"|".join(COUNT_OFFSETS_BYTES))


def claimed_samples(data: memoryview) -> float:
    """Sum up what all tables of a file claim; of more tables than a film has, any number."""
    claimed, tables = 0, 0
    for part in without_media(data):
        for found in NAMES.finditer(part):
            place = found.start() + COUNT_OFFSETS_BYTES[found.group()]
            claimed += int.from_bytes(part[place : place + 4])
            tables += 1
            if tables > TABLES_MAX:
                return float("inf")
    return claimed


def without_media(data: memoryview) -> Iterator[memoryview]:
    """List a file's outermost boxes, whole, save those of media data.

    From the first box on that breaks off or can't be, all the rest is one part.
    """
    place = 0
    while place + HEADER_BYTES <= len(data):
        size, kind = int.from_bytes(data[place : place + 4]), bytes(data[place + 4 : place + 8])
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16])
        end = place + size if size else len(data)
        if end < place + HEADER_BYTES or end > len(data):
            break
        if kind != b"mdat":
            yield data[place:end]
        place = end
    yield data[place:]
