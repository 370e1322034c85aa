"""The model store: every weight is named in models/lock.toml and refused when it differs."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from services.chassis.errors import InternalError, Reason

LOCK_FILE = "lock.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedModel:
    """One entry of the lock.

    Attributes:
        file: path below the store's folder.
        sha256: digest of the file, in hexadecimal.
        source: where the file comes from.
        licence: SPDX identifier.
    """

    file: str
    sha256: str
    source: str
    licence: str


class ModelStore:
    """A folder of models with its lock."""

    def __init__(self, root: Path) -> None:
        """Read the lock.

        Raises:
            InternalError: there is no readable lock.
        """
        self._root = root
        self._models = read_lock(root / LOCK_FILE)

    def open(self, name: str) -> bytes:
        """Read a model whole and hold it to its digest.

        Raises:
            InternalError: not in the lock, not on disk, or another file than was locked.
        """
        model = self._models.get(name)
        if model is None:
            raise InternalError(Reason.MODEL_MISMATCH, f"the model lock does not name {name!r}")
        try:
            data = (self._root / model.file).read_bytes()
        except OSError:
            raise InternalError(
                Reason.MODEL_MISMATCH, f"the file of model {name!r} can't be read: run make setup"
            ) from None
        if hashlib.sha256(data).hexdigest() != model.sha256:
            raise InternalError(Reason.MODEL_MISMATCH, f"model {name!r} differs from its lock")
        return data

    def path(self, name: str) -> Path:
        """Hold a model to its digest and return its file, for engines that read only files.

        Raises:
            InternalError: as `open`.
        """
        self.open(name)
        return self._root / self._models[name].file


def read_lock(file: Path) -> dict[str, LockedModel]:
    """Read models/lock.toml, a table [models.<name>] for each model.

    Raises:
        InternalError: missing, or not of this form.
    """
    try:
        tables = tomllib.loads(file.read_text())["models"]
        return {name: LockedModel(**table) for name, table in tables.items()}
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError):
        raise InternalError(
            Reason.MODEL_MISMATCH, "the model lock is missing or malformed"
        ) from None
