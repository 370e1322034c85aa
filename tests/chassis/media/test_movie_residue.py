"""After a film has been made and read, nothing of its frames and its sound is left in memory."""

from pathlib import Path

from tests.residue import BLOCK_BYTES, dependent_blocks, guarded_process

PROGRAM = Path(__file__).with_name("residue_program.py")
SIDE = 256
# As of an engine: what happens to follow the order of the runs.
DEPENDENT_BLOCKS_MAX = 24


def test_nothing_of_a_film_is_left() -> None:
    """No memory depends on the film before: encoders, readers and converters keep nothing."""
    with guarded_process(PROGRAM, "wiped", str(SIDE)) as process:
        assert dependent_blocks(process, SIDE) <= DEPENDENT_BLOCKS_MAX


def test_the_scan_finds_a_film_that_is_kept() -> None:
    """Where frames are held on to, the same scan finds them, so it is not blind."""
    with guarded_process(PROGRAM, "kept", str(SIDE)) as process:
        assert dependent_blocks(process, SIDE) >= SIDE * SIDE // BLOCK_BYTES
