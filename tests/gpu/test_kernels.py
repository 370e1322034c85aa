"""The kernels compile for every architecture that is named."""

import re
import shutil
from pathlib import Path

import pytest

from services.chassis.errors import InternalError
from services.chassis.raster.kernels import ARCHITECTURES, NAMES, SOURCE, compile_kernels

needs_compiler = pytest.mark.skipif(
    shutil.which("nvcc") is None, reason="no CUDA compiler nvcc on this machine"
)


def test_the_names_are_those_of_the_source() -> None:
    """No kernel is missing from the list that a service loads, and none is only in the list."""
    assert re.findall(r"^KERNEL (\w+)\(", SOURCE.read_text(), re.MULTILINE) == list(NAMES)


@needs_compiler
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kernels_compile(architecture: str) -> None:
    """Every kernel compiles without a warning, and its code is in the image."""
    image = compile_kernels([architecture])

    assert [name for name in NAMES if name.encode() not in image] == []


@needs_compiler
def test_a_kernel_that_is_wrong_is_refused(tmp_path: Path) -> None:
    """The compiler's refusal is ours, without its text."""
    source = tmp_path / "kernels.cu"
    source.write_text(SOURCE.read_text().replace("cbrtf(", "cube_root("))

    with pytest.raises(InternalError, match="refused"):
        compile_kernels(["sm_90"], source=source)


def test_a_missing_compiler_is_named() -> None:
    """Without the toolkit the error says what to install."""
    with pytest.raises(InternalError, match="install the CUDA toolkit"):
        compile_kernels(compiler="nvcc-that-is-not-here")
