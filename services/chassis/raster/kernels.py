"""The device's kernels: their names, and how they are compiled, ahead of time."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from services.chassis.errors import InternalError, Reason

SOURCE = Path(__file__).with_name("kernels.cu")
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
NAMES = (
    "picture_to_tensor",
    "tensor_to_picture",
    "shrink",
    "enlarge",
    "mirror",
    "blend",
    "add_detail",
    "keep_colour",
    "warp",
    "remap",
    "picture_to_nv12",
    "nv12_to_picture",
)


def compile_kernels(
    architectures: Sequence[str] = ARCHITECTURES, compiler: str = "nvcc", source: Path = SOURCE
) -> bytes:
    """Compile for some architectures; a device of another one can't load the result.

    Raises:
        InternalError: there is no compiler, or it refused.
    """
    targets = [
        f"-gencode=arch={name.replace('sm_', 'compute_')},code={name}" for name in architectures
    ]
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "kernels.fatbin"
        flags = ["-std=c++17", "-O3", "--Werror=all-warnings", "-fatbin", *targets]
        try:
            command = [compiler, *flags, "-o", str(image), str(source)]
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            message = f"no CUDA compiler {compiler!r}: install the CUDA toolkit"
            raise InternalError(Reason.ENGINE_FAILED, message) from None
        if done.returncode:
            raise InternalError(Reason.ENGINE_FAILED, "the CUDA compiler refused the kernels")
        return image.read_bytes()
