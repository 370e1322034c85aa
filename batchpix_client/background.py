"""A mesh in the background: started by one process, which waits until the other says it is up."""

import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Self

from batchpix_client.children import LogLine
from batchpix_client.errors import BatchpixError

LOG_FOLDER = "log"
LOG_BYTES_MAX = 4 << 20  # of one file; one older file is kept beside it


class Starter:
    """Tells the process that started this one, through a pipe, that the mesh is up or why not."""

    def __init__(self, descriptor: int | None) -> None:
        self._pipe = os.fdopen(descriptor, "w") if descriptor is not None else None

    @property
    def is_watched(self) -> bool:
        """Whether another process waits for word."""
        return self._pipe is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, BatchpixError):
            self._tell({"code": error.code, "reason": error.reason, "message": error.message})
        elif error is not None:
            self._tell({"code": "INTERNAL", "reason": "MESH_FAILED", "message": str(error)})

    def ready(self) -> None:
        """Say that the mesh is up."""
        self._tell({})

    def _tell(self, word: dict[str, str]) -> None:
        if self._pipe is None:
            return
        # A starter that is gone needs no word.
        with suppress(BrokenPipeError), self._pipe as pipe:
            json.dump(word, pipe)
        self._pipe = None


def start_in_background(home: Path, port: int | None) -> None:
    """Start `batchpix up` as a process of its own and wait until its mesh is up.

    Raises:
        BatchpixError: the mesh did not come up; the reason is the one of that process.
    """
    reading, writing = os.pipe()
    options = ["--home", str(home), "up", "--ready-descriptor", str(writing)]
    options += [] if port is None else ["--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "batchpix_client.cli", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[writing],
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        word = pipe.read()
    if not word:
        process.wait()
        word = '{"code": "INTERNAL", "reason": "MESH_FAILED", "message": "the supervisor ended"}'
    if error := json.loads(word):
        process.wait()
        raise BatchpixError(error["code"], error["reason"], error["message"])
    # It goes on without this process, which therefore never collects its exit status.
    process.returncode = 0


def file_log(home: Path) -> LogLine:
    """Write lines to a file of bounded size under `home`; service logs hold nothing of a caller."""
    folder = home / LOG_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / "mesh.log", maxBytes=LOG_BYTES_MAX, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)-8s %(message)s"))

    def write(name: str, line: str) -> None:
        handler.emit(logging.LogRecord(name, logging.INFO, "", 0, line, None, None))

    return write
