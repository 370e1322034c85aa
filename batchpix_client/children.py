"""Child processes of a local mesh: started so that none outlives its parent, and watched."""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue

from batchpix_client import tether

LINES_KEPT = 20  # of a child's output, to tell why it ended

LogLine = Callable[[str, str], None]
"""Takes the name of a child and a line that it wrote."""


class Child:
    """A running process of the mesh.

    Start it from the main thread: the kernel ties the child to the thread that started it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        log_line: LogLine,
        ended: "SimpleQueue[Child]",
    ) -> None:
        """Start it.

        Args:
            name: what the child is called in logs and errors.
            command: absolute path of a program and its arguments.
            environment: all that the child sees of it.
            log_line: is given each line of output, in a thread of its own.
            ended: is given this child when it ends.
        """
        self.name = name
        self._last_lines: deque[str] = deque(maxlen=LINES_KEPT)
        tied = [sys.executable, "-I", "-S", str(Path(tether.__file__)), str(os.getpid()), *command]
        self._process = subprocess.Popen(
            tied,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C on a terminal is for the supervisor alone; it ends its children in order.
            start_new_session=True,
        )
        self._watcher = threading.Thread(
            target=self._watch, args=(log_line, ended), name=f"watch-{name}", daemon=True
        )
        self._watcher.start()

    @property
    def process_id(self) -> int:
        """Identifier of the process."""
        return self._process.pid

    def why(self) -> str:
        """Say how it ended: its exit status and the last thing that it wrote."""
        self._watcher.join(timeout=1)
        status = self._process.returncode
        last = self._last_lines[-1] if self._last_lines else "it wrote nothing"
        return f"{self.name} ended with status {status}: {last}"

    def last_lines(self) -> list[str]:
        """List the last lines that it wrote."""
        return list(self._last_lines)

    def terminate(self) -> None:
        """Ask it to end; nothing happens if it has."""
        self._process.terminate()

    def end(self, timeout_seconds: float) -> None:
        """Wait for its end, and force it when the time is over."""
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._watcher.join(timeout=1)

    def _watch(self, log_line: LogLine, ended: "SimpleQueue[Child]") -> None:
        with self._process as process:
            for line in process.stdout or ():
                text = line.rstrip()
                self._last_lines.append(text)
                log_line(self.name, text)
        ended.put(self)
