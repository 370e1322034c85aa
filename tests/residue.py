"""Whether a process's memory depends on the pictures that went through it.

The whole writable memory of a guarded process is compared after runs on two pictures of noise.
This needs no knowledge of what a library makes of a picture: whatever depends on it shows.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.guard import guarded_environ
from tests import pictures

BLOCK_BYTES = 256
LOWEST_POINTER, HIGHEST_POINTER = 0x5000_0000_0000, 0x7FFF_FFFF_FFFF
POINTERS_MIN = 2

Blocks = frozenset[bytes]


class GuardedProcess:
    """A guarded process that does something with each picture that it is given."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Take over a process of a program that answers each picture with a dot."""
        self._process = process

    def memory_after(self, pixels: NDArray[np.uint8]) -> Blocks:
        """Run one picture; return what blocks of memory hold afterwards."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(pixels.tobytes())
        self._process.stdin.flush()
        assert self._process.stdout.read(1) == b"."
        return snapshot(self._process.pid)


@contextmanager
def guarded_process(program: Path, *arguments: str) -> Iterator[GuardedProcess]:
    """Run a program around the block."""
    # Addresses are not shuffled, so that snapshots can be compared page by page.
    command = ["setarch", "-R", sys.executable, str(program), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=guarded_environ({})) as process:
        try:
            yield GuardedProcess(process)
        finally:
            process.kill()


def dependent_blocks(process: GuardedProcess, side: int) -> int:
    """Count blocks that are there after each run of one picture, and never after another."""
    first, second = (pictures.noise(side, side, seed) for seed in (1, 2))
    for pixels in (first, second):
        process.memory_after(pixels)  # until every buffer has its place
    # Taken in turns, so that what merely changes with time does not count.
    ones, others = [], []
    for _ in range(2):
        ones.append(process.memory_after(first))
        others.append(process.memory_after(second))
    return len((others[0] & others[1]) - ones[0] - ones[1])


def snapshot(process_id: int) -> Blocks:
    """Read all writable memory of a process in blocks, wherever they lie."""
    blocks: set[bytes] = set()
    maps = Path(f"/proc/{process_id}/maps").read_text().splitlines()
    with Path(f"/proc/{process_id}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            addresses, rights, *rest = line.split()
            if not rights.startswith("rw") or rest[-1].startswith("[v"):
                continue
            start, end = (int(address, 16) for address in addresses.split("-"))
            memory.seek(start)
            content = np.frombuffer(memory.read(end - start), np.uint8).reshape(-1, BLOCK_BYTES)
            blocks.update(block.tobytes() for block in content[holds_samples(content)])
    return frozenset(blocks)


def holds_samples(content: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell blocks that may hold pixels or activations from those of pointers and counters."""
    full = np.count_nonzero(content, axis=1) > BLOCK_BYTES // 3
    words = content.view(np.uint64)
    pointers = (words >= LOWEST_POINTER) & (words <= HIGHEST_POINTER)
    return full & (np.count_nonzero(pointers, axis=1) < POINTERS_MIN)
