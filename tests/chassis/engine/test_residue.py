"""After a run, a process looks as if another picture had been run: nothing of it is left."""

from pathlib import Path

import pytest

from tests.chassis.engine import networks
from tests.residue import BLOCK_BYTES, dependent_blocks, guarded_process

PROGRAM = Path(__file__).with_name("residue_program.py")
SIDE = 256
# Bookkeeping that happens to follow the order of the runs; one row of the smallest activation
# of the tests fills more.
DEPENDENT_BLOCKS_MAX = 24


@pytest.fixture(scope="module")
def stylizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the small stylizer once."""
    return networks.write_stylizer(tmp_path_factory.mktemp("networks") / "stylizer.xml")


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_nothing_of_a_picture_is_left(stylizer_file: Path, precision: str) -> None:
    """No memory depends on the picture of the run before, in either precision."""
    arguments = (str(stylizer_file), precision, "rinsed", str(SIDE))
    with guarded_process(PROGRAM, *arguments) as engine:
        assert dependent_blocks(engine, SIDE) <= DEPENDENT_BLOCKS_MAX


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_scan_finds_what_an_engine_keeps(stylizer_file: Path, precision: str) -> None:
    """Where nothing is released the same scan finds whole activations, so it is not blind."""
    arguments = (str(stylizer_file), precision, "kept", str(SIDE))
    with guarded_process(PROGRAM, *arguments) as engine:
        assert dependent_blocks(engine, SIDE) >= SIDE * SIDE * 3 // BLOCK_BYTES
