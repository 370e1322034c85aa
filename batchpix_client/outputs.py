"""Where results go: one file, or a folder in which every input keeps its name."""

from collections.abc import Sequence
from pathlib import Path

from batchpix_client.channels import configuration_error

PICTURE_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
SUFFIXES = {**PICTURE_SUFFIXES, "video/mp4": ".mp4"}


class Outputs:
    """Names the file of each result; no two results get the same name."""

    def __init__(self, target: Path, inputs: Sequence[Path]) -> None:
        """Decide between file and folder.

        Args:
            target: a file name with a picture's suffix for a single input, else a folder.
            inputs: what the results are made from.

        Raises:
            BatchpixError: several inputs, but `target` is a file or named like one.
        """
        self._target = target
        self._inputs = inputs
        self._taken: set[str] = set()
        looks_like_file = target.suffix.lower() in {*PICTURE_SUFFIXES.values(), ".jpeg"}
        self._is_file = not target.is_dir() and looks_like_file
        if target.is_file() and not looks_like_file:
            raise configuration_error("the output is a file that is no picture", "out")
        if self._is_file and len(inputs) > 1:
            raise configuration_error("several pictures need a folder to go to", "out")

    def write(self, index: int, data: bytes, media_type: str) -> Path:
        """Write the result of the input at `index`; return its path.

        Raises:
            OSError: it cannot be written.
        """
        path = self._target if self._is_file else self._in_folder(index, media_type)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def _in_folder(self, index: int, media_type: str) -> Path:
        stem = self._inputs[index].stem
        suffix = SUFFIXES.get(media_type, self._inputs[index].suffix)
        names = [f"{stem}{suffix}", f"{stem}-{index + 1}{suffix}"]
        name = next(name for name in names if name not in self._taken)
        self._taken.add(name)
        return self._target / name
