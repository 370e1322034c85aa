"""Losses on the record: a CSV file and the terminal."""

import csv
import time
from pathlib import Path
from typing import Self

import numpy as np


class Journal:
    """Losses, averaged over 50 steps, as lines of a CSV file and on the terminal."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", newline="")
        self.writer = csv.writer(self.file)
        self.rows: list[dict[str, float]] = []
        self.since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def note(self, step: int, losses: dict[str, float]) -> None:
        """Take one step's losses; every 50 steps write their means."""
        self.rows.append(losses)
        if len(self.rows) < 50:
            return
        means = {name: float(np.mean([row[name] for row in self.rows])) for name in losses}
        means["seconds"] = (time.monotonic() - self.since) / len(self.rows)
        if self.file.tell() == 0:
            self.writer.writerow(["step", *means])
        self.writer.writerow([step + 1, *(f"{value:.5f}" for value in means.values())])
        self.file.flush()
        print(
            step + 1, " ".join(f"{name} {value:.4f}" for name, value in means.items()), flush=True
        )
        self.rows, self.since = [], time.monotonic()
