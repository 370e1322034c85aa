"""What the command says: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text


class Bar:
    """A progress bar; silent where standard error is no terminal."""

    def __init__(self, progress: Progress, total: int, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total)

    def advance(self, what: str = "") -> None:
        """Count one more, and say what is at work."""
        if what:
            self._progress.update(self._task, description=what)
        self._progress.advance(self._task)

    def reach(self, done: int, total: int, what: str) -> None:
        """Show how far a call has come; a total of 0 is not known yet."""
        self._progress.update(self._task, completed=done, total=total or None, description=what)


@contextmanager
def bar(total: int, what: str) -> Iterator[Bar]:
    """Show a progress bar on a terminal, and nothing in a pipe."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        # What is meant for a pipe must not be drawn above the bar.
        redirect_stdout=False,
        disable=not console.is_terminal,
    ) as progress:
        yield Bar(progress, total, what)


def say(text: str) -> None:
    """Write a line for people to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(error: object) -> None:
    """Write an error as one line to standard error."""
    say("batchpix: " + " ".join(str(error).split()))


def answer(text: str) -> None:
    """Write a line of the command's result to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer_json(document: Mapping[str, object] | Sequence[object]) -> None:
    """Write one JSON document on one line to standard output."""
    answer(json.dumps(document, ensure_ascii=False))


def answer_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output: framed on a terminal, tabs between cells in a pipe."""
    console = Console()
    if not console.is_terminal:
        for row in (headings, *rows):
            answer("\t".join(row))
        return
    table = Table(*headings)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
