"""Models are opened only as they were locked."""

import hashlib
from pathlib import Path

import pytest

from services.chassis.errors import InternalError, Reason
from services.chassis.store import ModelStore

MODEL = b"weights of a network"
REPOSITORY = Path(__file__).parents[2]


def write_store(root: Path, sha256: str) -> ModelStore:
    """Make a store of one model with a lock that names `sha256`."""
    (root / "tiny").mkdir()
    (root / "tiny" / "tiny.onnx").write_bytes(MODEL)
    (root / "lock.toml").write_text(
        "[models.tiny]\n"
        'file = "tiny/tiny.onnx"\n'
        'source = "made by a test"\n'
        'licence = "CC0-1.0"\n'
        f'sha256 = "{sha256}"\n'
    )
    return ModelStore(root)


def test_locked_model_opens(tmp_path: Path) -> None:
    """A file with the digest of the lock is handed out, as bytes and as a path."""
    store = write_store(tmp_path, hashlib.sha256(MODEL).hexdigest())

    assert store.open("tiny") == MODEL
    assert store.path("tiny").read_bytes() == MODEL


def test_changed_model_is_refused(tmp_path: Path) -> None:
    """One changed byte is enough, for bytes and for paths."""
    store = write_store(tmp_path, hashlib.sha256(MODEL).hexdigest())
    (tmp_path / "tiny" / "tiny.onnx").write_bytes(MODEL[:-1] + b"K")

    for reach in (store.open, store.path):
        with pytest.raises(InternalError, match="differs from its lock") as caught:
            reach("tiny")
        assert caught.value.reason is Reason.MODEL_MISMATCH


def test_model_outside_the_lock_is_refused(tmp_path: Path) -> None:
    """A file that lies there but is not locked is not opened."""
    store = write_store(tmp_path, hashlib.sha256(MODEL).hexdigest())
    (tmp_path / "other.onnx").write_bytes(MODEL)

    with pytest.raises(InternalError) as caught:
        store.open("other")

    assert caught.value.reason is Reason.MODEL_MISMATCH


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """A locked model that is not there yet names the command that brings it."""
    store = write_store(tmp_path, hashlib.sha256(MODEL).hexdigest())
    (tmp_path / "tiny" / "tiny.onnx").unlink()

    with pytest.raises(InternalError, match="make setup"):
        store.open("tiny")


@pytest.mark.parametrize("lock", ["", "[models.tiny]\nfile = 3", "not toml ["])
def test_malformed_lock_is_refused(tmp_path: Path, lock: str) -> None:
    """Without a lock that can be read no store opens."""
    (tmp_path / "lock.toml").write_text(lock)

    with pytest.raises(InternalError):
        ModelStore(tmp_path)


def test_missing_lock_is_refused(tmp_path: Path) -> None:
    """A folder without a lock is no store."""
    with pytest.raises(InternalError):
        ModelStore(tmp_path)


def test_shipped_lock_is_well_formed() -> None:
    """The lock of this repository can be read, and names a digest and a licence for each model."""
    ModelStore(REPOSITORY / "models")
