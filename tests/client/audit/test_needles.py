"""The search for many byte strings at once."""

import numpy as np
import pytest

from batchpix_client.audit.needles import Haystack, Needle, is_telling

ADDRESS = 1 << 40
RANDOM = np.random.default_rng(5)


def needle(number: int, size_bytes: int = 24) -> Needle:
    """Make a needle that nothing else holds."""
    return Needle(np.random.default_rng(number).bytes(size_bytes), "form", str(number))


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("size_bytes", [15, 16, 24, 64])
def test_finds_a_needle_at_any_alignment(offset: int, size_bytes: int) -> None:
    """Shows that no place in memory hides a needle, however short."""
    sought = needle(1, size_bytes)
    memory = RANDOM.integers(0, 256, 4096, np.uint8)
    memory[1000 + offset : 1000 + offset + size_bytes] = np.frombuffer(sought.content, np.uint8)

    hits = list(Haystack([needle(2), sought, needle(3)]).search(memory, ADDRESS))

    assert {(hit.needle, hit.address) for hit in hits} == {(sought, ADDRESS + 1000 + offset)}


def test_finds_none_where_none_is() -> None:
    """Shows that noise is not taken for a needle."""
    haystack = Haystack(needle(number) for number in range(1000))

    assert not list(haystack.search(RANDOM.integers(0, 256, 1 << 20, np.uint8), ADDRESS))


def test_a_piece_of_a_needle_is_no_hit() -> None:
    """Shows that the bytes themselves are compared to the last one."""
    sought = needle(4)
    memory = np.zeros(4096, np.uint8)
    memory[64:88] = np.frombuffer(sought.content, np.uint8)
    memory[87] ^= 1

    assert not list(Haystack([sought]).search(memory, ADDRESS))


def test_needles_that_share_a_word_are_told_apart() -> None:
    """Shows that the second of two needles with the same beginning is found too."""
    head = needle(5).content[:16]
    one, other = (Needle(head + needle(number).content[:8], "form", "") for number in (6, 7))
    memory = np.zeros(4096, np.uint8)
    memory[8:32] = np.frombuffer(other.content, np.uint8)

    assert {hit.needle for hit in Haystack([one, other]).search(memory, ADDRESS)} == {other}


@pytest.mark.parametrize("content", [bytes(24), b"\xff" * 24, b"ab" * 12, b"canary"])
def test_plain_needles_prove_nothing(content: bytes) -> None:
    """Shows that what any memory may hold by chance is not looked for."""
    assert not is_telling(content)
    assert not Haystack([Needle(content, "form", "")]).needles
