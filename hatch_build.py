"""Build hook: what an install makes from source, the gRPC stubs and the wipe-on-free guard."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GUARD_SOURCE = Path("services/chassis/memory/wipe_on_free.c")


class MeshBuildHook(BuildHookInterface[Any]):
    """Generate stubs into gen/ and compile the guard beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatch's
        """Run before files are collected, in editable and in plain installs alike."""
        root = Path(self.root)
        subprocess.run([sys.executable, str(root / "protos" / "generate.py")], check=True)
        compile_guard(root / GUARD_SOURCE)
        # The compiled guard ties the wheel to this platform.
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


def compile_guard(source: Path) -> None:
    """Compile the preloaded library that zeroes memory as it is freed.

    Raises:
        SystemExit: no C compiler, named with what to install.
    """
    compiler = os.environ.get("CC", "cc")
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    command = [compiler, *flags, "-o", str(source.with_suffix(".so")), str(source), "-ldl"]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        raise SystemExit(f"no C compiler {compiler!r}: install gcc or clang, or set CC") from None
