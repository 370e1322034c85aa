"""A program that uses the C heap in every way and prints, as JSON, what it then finds there."""

import ctypes
import errno
import json
import random
import sys
import threading

from services.chassis.memory import libc

# Freed blocks of up to 1032 bytes wait in their thread's cache, mapped and untouched, but for the
# list in their first bytes.
CACHED_BYTES_MAX = 1000
LINK_BYTES = 16
PATTERN = 0xA5
# Single bytes of the pattern occur in addresses; a whole word of it does not.
WORD = bytes([PATTERN]) * 8
STRESS_STEPS = 4000
STRESS_THREADS = 4

heap = ctypes.CDLL(None, use_errno=True)
for name, argument_count in (("calloc", 2), ("memalign", 2), ("aligned_alloc", 2)):
    getattr(heap, name).restype = ctypes.c_size_t
    getattr(heap, name).argtypes = [ctypes.c_size_t] * argument_count
heap.reallocarray.restype = ctypes.c_size_t
heap.reallocarray.argtypes = [ctypes.c_size_t] * 3
heap.malloc_usable_size.restype = ctypes.c_size_t
heap.malloc_usable_size.argtypes = [ctypes.c_size_t]


def filled(size_bytes: int) -> int:
    """Allocate a block and write to all that may be written of it."""
    block = libc.malloc(size_bytes)
    ctypes.memset(block, PATTERN, heap.malloc_usable_size(block))
    return block


def left_in(block: int, size_bytes: int, start: int = LINK_BYTES) -> int:
    """Count the bytes of the pattern that are still there, in whole words."""
    return len(WORD) * ctypes.string_at(block + start, size_bytes - start).count(WORD)


def after_free() -> int:
    """Free blocks of many sizes; count what is left in them."""
    left = 0
    for size_bytes in range(40, CACHED_BYTES_MAX, 48):
        block = filled(size_bytes)
        usable = heap.malloc_usable_size(block)
        libc.free(block)
        left += left_in(block, usable)
    return left


def after_growing() -> int:
    """Grow blocks past their room; count what is left where they were."""
    left = 0
    for size_bytes in range(40, CACHED_BYTES_MAX, 48):
        block = filled(size_bytes)
        # The neighbour keeps the block from growing where it is.
        neighbour = libc.malloc(24)
        grown = libc.realloc(block, 100_000)
        left += left_in(block, size_bytes) if grown != block else size_bytes
        libc.free(grown)
        libc.free(neighbour)
    return left


def after_shrinking() -> int:
    """Shrink a block where it is; count what is left in its tail."""
    block = filled(CACHED_BYTES_MAX)
    small = libc.realloc(block, 100)
    # The sizes and list of the split-off part lie in its first bytes.
    left = left_in(block, CACHED_BYTES_MAX, start=100 + 48)
    libc.free(small)
    return left


def after_array_growing() -> int:
    """Grow by reallocarray; count what is left where the block was."""
    block = filled(500)
    neighbour = libc.malloc(24)
    grown = heap.reallocarray(block, 1000, 100)
    left = left_in(block, 500)
    libc.free(grown)
    libc.free(neighbour)
    return left


def corners() -> dict[str, object]:
    """Do what the C standard and glibc define at the edges."""
    overflowing = heap.reallocarray(0, 2**63, 4)
    overflow_error = ctypes.get_errno()
    libc.free(0)
    block = libc.realloc(0, 64)
    gone = libc.realloc(block, 0)
    large = filled(8 << 20)
    larger = libc.realloc(large, 16 << 20)
    large_kept = left_in(larger, 8 << 20, start=0)
    smaller = libc.realloc(larger, 1 << 20)
    small_kept = left_in(smaller, 1 << 20, start=0)
    libc.free(smaller)
    return {
        "overflow": [overflowing, errno.errorcode.get(overflow_error)],
        "null_allocates": block != 0,
        "zero_frees": gone == 0,
        "large_kept": large_kept,
        "small_kept": small_kept,
    }


def stress() -> int:
    """Allocate, resize and free at random in several threads; count the blocks that changed."""
    broken: list[int] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        blocks: list[tuple[int, int, int]] = []
        for step in range(STRESS_STEPS):
            if blocks and chance.random() < 0.6:
                block, size_bytes, mark = blocks.pop(chance.randrange(len(blocks)))
                if ctypes.string_at(block, size_bytes) != bytes([mark]) * size_bytes:
                    broken.append(step)
                if chance.random() < 0.5:
                    libc.free(block)
                    continue
                resized_bytes = size_of(chance)
                block = libc.realloc(block, resized_bytes)
                kept_bytes = min(size_bytes, resized_bytes)
                if ctypes.string_at(block, kept_bytes) != bytes([mark]) * kept_bytes:
                    broken.append(step)
            else:
                resized_bytes = size_of(chance)
                block = allocate(chance, resized_bytes)
            mark = chance.randrange(1, 256)
            ctypes.memset(block, mark, resized_bytes)
            blocks.append((block, resized_bytes, mark))
        for block, _, _ in blocks:
            libc.free(block)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(STRESS_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(broken)


def size_of(chance: random.Random) -> int:
    """Choose a size: mostly small, now and then one that gets a mapping of its own."""
    return int(2 ** chance.uniform(0, 18 if chance.random() < 0.1 else 11))


def allocate(chance: random.Random, size_bytes: int) -> int:
    """Allocate by one of the ways there are."""
    way = chance.randrange(3)
    if way == 0:
        return libc.malloc(size_bytes)
    if way == 1:
        return int(heap.calloc(1, size_bytes))
    return int(heap.memalign(2 ** chance.randrange(4, 13), size_bytes))


if __name__ == "__main__":
    json.dump(
        {
            "after_free": after_free(),
            "after_growing": after_growing(),
            "after_shrinking": after_shrinking(),
            "after_array_growing": after_array_growing(),
            "corners": corners(),
            "stress": stress(),
        },
        sys.stdout,
    )
