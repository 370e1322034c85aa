"""Generate typed Python stubs for every .proto into gen/ (run by the build hook).

The proto path equals the Python path, so nothing has to be rewritten:
protos/batchpix/media/v1/media.proto becomes `batchpix.media.v1.media_pb2`.
"""

import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent


def generate(source: Path, target: Path) -> None:
    """Compile all protos under `source` into packages under `target`.

    Raises:
        SystemExit: protoc refused a file; its own message is on stderr.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    arguments = [
        "protoc",
        f"-I{source}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out={target}",
        f"--mypy_grpc_out={target}",
        *sorted(str(path) for path in source.rglob("*.proto")),
    ]
    # protoc finds the mypy plugins on PATH, beside the interpreter of the build environment.
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed")
    mark_packages(target)


def mark_packages(target: Path) -> None:
    """Make every generated folder a typed package."""
    for folder in (path for path in target.rglob("*") if path.is_dir()):
        (folder / "__init__.py").touch()
    for package in target.iterdir():
        (package / "py.typed").touch()


if __name__ == "__main__":
    sys.exit(generate(ROOT / "protos", ROOT / "gen"))
