"""After a run, a process looks as if another picture had been run: nothing of it is left.

The whole writable memory of an engine's process is compared after runs on two pictures of noise.
This needs no knowledge of what an engine makes of a picture: whatever depends on it shows.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.memory.guard import guarded_environ
from tests import pictures
from tests.chassis.engine import networks

PROGRAM = Path(__file__).with_name("residue_program.py")
SIDE = 256
BLOCK_BYTES = 256
# Bookkeeping that happens to follow the order of the runs; one row of the smallest activation
# of the tests fills more.
DEPENDENT_BLOCKS_MAX = 24

LOWEST_POINTER, HIGHEST_POINTER = 0x5000_0000_0000, 0x7FFF_FFFF_FFFF
POINTERS_MIN = 2

Blocks = frozenset[bytes]


class EngineProcess:
    """A guarded process that runs an engine on pictures."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Take over a process of the program."""
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
def engine_process(file: Path, precision: str, rinse: str) -> Iterator[EngineProcess]:
    """Run the program around the block."""
    # Addresses are not shuffled, so that snapshots can be compared page by page.
    command = [
        "setarch",
        "-R",
        sys.executable,
        str(PROGRAM),
        str(file),
        precision,
        rinse,
        str(SIDE),
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=guarded_environ({})) as process:
        try:
            yield EngineProcess(process)
        finally:
            process.kill()


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


def dependent_blocks(engine: EngineProcess) -> int:
    """Count blocks that are there after each run of one picture, and never after another."""
    first, second = (pictures.noise(SIDE, SIDE, seed) for seed in (1, 2))
    for pixels in (first, second):
        engine.memory_after(pixels)  # until every buffer has its place
    # Taken in turns, so that what merely changes with time does not count.
    ones, others = [], []
    for _ in range(2):
        ones.append(engine.memory_after(first))
        others.append(engine.memory_after(second))
    return len((others[0] & others[1]) - ones[0] - ones[1])


@pytest.fixture(scope="module")
def stylizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the small stylizer once."""
    return networks.write_stylizer(tmp_path_factory.mktemp("networks") / "stylizer.xml")


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_nothing_of_a_picture_is_left(stylizer_file: Path, precision: str) -> None:
    """No memory depends on the picture of the run before, in either precision."""
    with engine_process(stylizer_file, precision, "rinsed") as engine:
        assert dependent_blocks(engine) <= DEPENDENT_BLOCKS_MAX


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_scan_finds_what_an_engine_keeps(stylizer_file: Path, precision: str) -> None:
    """Where nothing is released the same scan finds whole activations, so it is not blind."""
    with engine_process(stylizer_file, precision, "kept") as engine:
        assert dependent_blocks(engine) >= SIDE * SIDE * 3 // BLOCK_BYTES
