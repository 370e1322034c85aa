"""What an MP4 claims of itself before anything of it is read (ISO/IEC 14496-12, 8.3 to 8.8).

A reader makes room for what a table claims before it reads the table. FFmpeg looks for tables
wherever boxes may lie within boxes, at places too where the standard has none. So they are searched
for by name in all bytes but those of media data, and no structure of boxes can hide one.
"""

import re
from collections.abc import Iterator
from typing import Final

# FFmpeg makes an index of all samples that a file claims: of 2 kB that claim fifty million it made
# 3.5 GB in half a minute. Ten minutes of film and sound have a fortieth of these; 80 seconds of
# uncoded sound have as many.
SAMPLES_MAX: Final = 4_000_000
# More than ten minutes of film have, in fragments of a frame or two.
TABLES_MAX: Final = 100_000
# FFmpeg takes track numbers for signed, and counts for eight seconds from one below zero.
TRACK_MAX: Final = 2**31 - 1
HEADER_BYTES: Final = 8
COUNT_OFFSETS_BYTES: Final = {
    **dict.fromkeys((b"trun", b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stps"), 8),
    **dict.fromkeys((b"elst", b"senc", b"keys"), 8),
    **dict.fromkeys((b"stsz", b"stz2", b"sbgp"), 12),
    b"tfra": 16,
}
"""Name of a table -> bytes from its name to its 32-bit count."""

TRACK_HEADER: Final = b"tkhd"
TRACK_OFFSETS_BYTES: Final = {False: 16, True: 24}
"""Whether the header has long times (version 1) -> bytes from its name to its track's number."""

NAMES: Final = re.compile(b"|".join((*COUNT_OFFSETS_BYTES, TRACK_HEADER)))


def is_plausible(data: memoryview) -> bool:
    """Tell whether a file's tables claim no more samples than a film has, of tracks that can be."""
    claimed, tables = 0, 0
    for part in without_media(data):
        for found in NAMES.finditer(part):
            name, place = found.group(), found.start()
            if name == TRACK_HEADER:
                place += TRACK_OFFSETS_BYTES[bytes(part[place + 4 : place + 5]) == b"\x01"]
                if number(part, place) > TRACK_MAX:
                    return False
                continue
            claimed += number(part, place + COUNT_OFFSETS_BYTES[name])
            tables += 1
            if claimed > SAMPLES_MAX or tables > TABLES_MAX:
                return False
    return True


def number(part: memoryview, place: int) -> int:
    """Read 32 bits, unsigned; 0 where the bytes end before."""
    return int.from_bytes(part[place : place + 4])


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
