"""Needles: byte strings that can come from one upload alone, and the search for many of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORD_BYTES = 8
# Any run of this length holds a whole aligned word, wherever in memory it lies.
NEEDLE_BYTES_MIN = 2 * WORD_BYTES - 1
# Below this a needle is too plain to be a proof: a run of white, a ramp, a text of one letter.
DISTINCT_BYTES_MIN = 6
# Odd, and its high bits mix well (2^64 divided by the golden ratio).
MIXER = np.uint64(0x9E3779B97F4A7C15)
# Slots of the filter for each key: few enough false alarms that the exact look-up is cheap.
SLOTS_PER_KEY = 16
SLOTS_MIN = 1 << 16
# Needles that share a word are all tried, up to this many: more of them are too plain.
SAME_KEY_MAX = 16


@dataclass(frozen=True, slots=True)
class Needle:
    """A byte string to look for.

    Attributes:
        content: at least `NEEDLE_BYTES_MIN` bytes.
        form: what it is a piece of, "f32 0..1 planar" and the like.
        call: label of the call that it was sent or received in.
    """

    content: bytes
    form: str
    call: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A needle that was found.

    Attributes:
        needle: which one.
        address: where it starts.
    """

    needle: Needle
    address: int


class Haystack:
    """Finds any of many needles in one pass, however many they are.

    Every needle is at least 15 bytes long, so wherever it lies one of its words lies at an address
    that 8 divides. The words at such addresses are therefore all that is looked at: a filter of
    bits rules most of them out, a sorted table confirms the rest, and last the bytes themselves are
    compared, so that a hit is never a guess.
    """

    def __init__(self, needles: Iterable[Needle]) -> None:
        """Build the tables; needles that are too plain to prove anything are left out."""
        self.needles: Sequence[Needle] = [
            needle for needle in needles if is_telling(needle.content)
        ]
        count = len(self.needles)
        heads = b"".join(needle.content[:NEEDLE_BYTES_MIN] for needle in self.needles)
        bytes_of = np.frombuffer(heads, np.uint8).reshape(count, NEEDLE_BYTES_MIN)
        windows = np.lib.stride_tricks.sliding_window_view(bytes_of, WORD_BYTES, axis=1)
        keys = np.ascontiguousarray(windows).view(np.uint64).reshape(-1)
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        # Of each key: which needle it is of, and how far behind the needle's start.
        self._owners = order // WORD_BYTES
        self._offsets = order % WORD_BYTES
        slots = max(SLOTS_MIN, 1 << (SLOTS_PER_KEY * max(count, 1) * WORD_BYTES - 1).bit_length())
        self._shift = np.uint64(64 - (slots.bit_length() - 1))
        self._filter = np.zeros(slots, np.bool_)
        self._filter[(self._keys * MIXER) >> self._shift] = True

    def search(self, memory: NDArray[np.uint8], address: int) -> Iterator[Hit]:
        """Yield what is found.

        Args:
            memory: N uint8; its first byte lies at `address`, which 8 divides.
            address: where it was read from.
        """
        assert address % WORD_BYTES == 0
        whole = memory.size // WORD_BYTES * WORD_BYTES
        words = memory[:whole].view(np.uint64)
        # Most memory is zero, and zero is never a key.
        places = np.flatnonzero(words)
        found = words[places]
        passing = self._filter[(found * MIXER) >> self._shift]
        places, found = places[passing], found[passing]
        first = np.searchsorted(self._keys, found)
        is_key = first < self._keys.size
        is_key[is_key] = self._keys[first[is_key]] == found[is_key]
        for place, rank in zip(places[is_key].tolist(), first[is_key].tolist(), strict=True):
            yield from self._confirm(memory, address, place * WORD_BYTES, rank)

    def _confirm(
        self, memory: NDArray[np.uint8], address: int, position: int, rank: int
    ) -> Iterator[Hit]:
        """Compare all needles that have the word found at `position`."""
        key = self._keys[rank]
        for each in range(rank, min(rank + SAME_KEY_MAX, self._keys.size)):
            if self._keys[each] != key:
                return
            needle = self.needles[int(self._owners[each])]
            start = position - int(self._offsets[each])
            if start < 0 or start + len(needle.content) > memory.size:
                continue
            if memory[start : start + len(needle.content)].tobytes() == needle.content:
                yield Hit(needle=needle, address=address + start)


def is_telling(content: bytes) -> bool:
    """Tell whether bytes are long and varied enough that nothing else is likely to hold them."""
    return len(content) >= NEEDLE_BYTES_MIN and len(set(content)) >= DISTINCT_BYTES_MIN
