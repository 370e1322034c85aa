"""Processes under measurement: what they use of the processor and of memory, and their end."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

END_SECONDS_MAX = 15.0
POLL_SECONDS = 0.1
KIBIBYTE = 1024


class Household:
    """All processes that were started for one purpose, however they fork or change sessions."""

    def __init__(self, leaders: Iterable[int]) -> None:
        """Take over the processes that lead the sessions it began with."""
        self._known = frozenset(leaders)

    def members(self) -> list[psutil.Process]:
        """Find the processes that run now: of those sessions, and their descendants."""
        found, parents = set[int](), dict[int, int]()
        for process_id in psutil.pids():
            with suppress(OSError, psutil.Error):
                parents[process_id] = psutil.Process(process_id).ppid()
                if process_id in self._known or os.getsid(process_id) in self._known:
                    found.add(process_id)
        size = -1
        while len(found) > size:
            size = len(found)
            found |= {child for child, parent in parents.items() if parent in found}
        # Whoever loses its parent later still belongs here.
        self._known |= found
        members = []
        for process_id in found:
            with suppress(psutil.Error):
                members.append(psutil.Process(process_id))
        return members

    def processor_seconds(self) -> float:
        """Sum up the processor time of the processes that run now, since each began."""
        total = 0.0
        for process in self.members():
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory_bytes(self) -> int:
        """Sum up the memory that the processes hold, what they share counted once."""
        return sum(memory_bytes(process.pid) for process in self.members())

    def end(self) -> None:
        """End whatever of it still runs, by force if it does not heed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + END_SECONDS_MAX
            for process in self.members():
                with suppress(psutil.Error):
                    process.send_signal(number)
            while self.members() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)


class Program:
    """A program in a session of its own; a context manager that ends all of its processes."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        """Start it; what it writes goes to `log`."""
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.household = Household([self.process.pid])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Its head first, which may know how to end the others in order.
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS_MAX)
        self.household.end()
        self.process.wait()

    def last_words(self) -> str:
        """Tell the last line that says something."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def memory_bytes(process_id: int) -> int:
    """Read the proportional share of memory of a process; its whole where that can't be read."""
    with suppress(OSError, StopIteration, ValueError):
        text = Path(f"/proc/{process_id}/smaps_rollup").read_text(encoding="ascii")
        line = next(each for each in text.splitlines() if each.startswith("Pss:"))
        return int(line.split()[1]) * KIBIBYTE
    with suppress(psutil.Error):
        return int(psutil.Process(process_id).memory_info().rss)
    return 0


def machine_processor_seconds() -> float:
    """Read how long the machine's processors have worked, for anybody."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)
