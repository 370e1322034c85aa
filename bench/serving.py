"""Batchpix beside other servers at the same work: `python -m bench.serving`.

One network, the same pictures, JPEG in and JPEG out. Each contender in turn is started, held to a
closed loop of 1 to 16 callers, and ended; between any two of these windows the same work runs in
one process without a server. A contender's efficiency is its pictures per second over those of the
loop right before and after it, so that both saw the same machine. Callers and gateway run on the
same processors as the service, and count against it.

The short form (`--short`) takes the mesh, the service and the bare gRPC server, one size and two
numbers of callers, in about a minute and a half. The long form takes everybody; `--minutes` says
how long all of it may take.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.contenders import (
    PEERS,
    WHOLE,
    Contender,
    Layout,
    Running,
    UnavailableError,
    contenders,
    environment,
    versions,
)
from bench.figures import RESULTS, keep, percentile
from bench.load import Window, observe
from bench.pictures import square_jpegs

SIDES, CALLERS = (512, 1024), (1, 2, 4, 8, 16)
SHORT_CONTENDERS, SHORT_CALLERS = ("mesh", "service", "grpcio"), (1, 4)
START_SECONDS = 20.0  # what a contender takes to start and end, for the plan of the time
WARM_SHARE, LOOP_SHARE = 0.2, 0.3  # of a window's length
WINDOW_SECONDS_MIN, WINDOW_SECONDS_MAX = 1.5, 20.0
TRIAL_CALLERS = 4  # at which the layouts of a peer are compared
TRIAL_WARM_SECONDS = 3.0  # what has just started is slow at first, and one layout would pay for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured.

    Attributes:
        sides: pixels of the square pictures' sides.
        callers: how many call at a time.
        rounds: how often everybody has a turn; the order is reversed each time.
        window_seconds: how long each load is looked at.
    """

    sides: tuple[int, ...]
    callers: tuple[int, ...]
    rounds: int
    window_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One contender under one load, between two runs of the loop.

    Attributes:
        contender: its name.
        side: pixels of the pictures' sides.
        callers: how many called.
        round: which turn.
        loop_rates: pictures per second of the loop right before and right after.
        window: what was seen.
    """

    contender: str
    side: int
    callers: int
    round: int
    loop_rates: tuple[float, float]
    window: Window

    @property
    def efficiency(self) -> float:
        """Served pictures per second over those of the loop."""
        return self.window.rate / (sum(self.loop_rates) / 2)


@dataclass(slots=True, kw_only=True)
class Turn:
    """What became of a contender.

    Attributes:
        title: for people.
        remark: how it ran.
        state: "measured", or why not.
        layout: of the processor, as measured.
        trials: pictures per second of each layout that was tried.
        difference: mean difference of its picture from the loop's, of 255.
        versions: of its packages.
    """

    title: str
    remark: str
    state: str = "not measured"
    layout: str = ""
    trials: dict[str, float] = field(default_factory=dict)
    difference: float = float("nan")
    versions: dict[str, str] = field(default_factory=dict)


class Loop:
    """The work in one process without a server, run whenever it is asked for."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder

    def rate(self, side: int, seconds: float, workers: int = 1) -> float:
        """Count pictures per second."""
        asked = {"jpegs": self._files(side), "seconds": seconds, "workers": workers}
        found = self._ask(asked)
        return float(found["pictures"]) / float(found["seconds"])

    def picture(self, side: int) -> bytes:
        """Paint the first picture."""
        path = self._folder / "painted.jpg"
        self._ask({"jpegs": self._files(side), "picture": str(path)})
        return path.read_bytes()

    def _files(self, side: int) -> list[str]:
        files = []
        for number, jpeg in enumerate(square_jpegs(side)):
            path = self._folder / f"{side}-{number}.jpg"
            if not path.exists():
                path.write_bytes(jpeg)
            files.append(str(path))
        return files

    def _ask(self, question: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101  # as it was started
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def main() -> None:
    """Measure, print a table, keep the raw figures."""
    options = parser().parse_args()
    names = options.contenders or [each.name for each in contenders()]
    if options.short:
        names = list(SHORT_CONTENDERS)
    chosen = [each for each in contenders() if each.name in names]
    plan = plan_of(options, len(chosen))
    turns = {each.name: Turn(title=each.title, remark=each.remark) for each in chosen}
    cells: list[Cell] = []
    loops: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as home, the_loop(Path(home)) as loop:
        for side in plan.sides:
            loops[str(side)] = {
                "one": loop.rate(side, plan.window_seconds),
                "two": loop.rate(side, plan.window_seconds, workers=2),
            }
        for number in range(plan.rounds):
            for contender in reversed(chosen) if number % 2 else chosen:
                turn = turns[contender.name]
                for cell in take_turn(contender, turn, plan, number, loop, Path(home)):
                    cells.append(cell)
                    print(row(cell), flush=True)
                print(f"{contender.name}: {turn.state}", flush=True)
                document = {"plan": asdict(plan), "loops": loops, "turns": plain(turns)}
                keep(
                    options.name,
                    {**document, "cells": [asdict(cell) for cell in cells]},
                    options.out,
                )


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="python -m bench.serving", description=main.__doc__)
    names = [each.name for each in contenders()]
    top.add_argument("--minutes", type=float, default=25.0, help="what all of it may take")
    top.add_argument("--short", action="store_true", help="the mesh and a bare server only")
    top.add_argument("--contenders", nargs="+", choices=names, help="instead of all")
    top.add_argument("--sides", nargs="+", type=int, default=SIDES, help="pixels of a side")
    top.add_argument("--callers", nargs="+", type=int, default=CALLERS, help="at a time")
    top.add_argument("--rounds", type=int, default=1, help="turns of everybody")
    top.add_argument("--name", default="serving", help="of the result")
    top.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    return top


def plan_of(options: argparse.Namespace, contenders_count: int) -> Plan:
    """Share the time out."""
    sides, callers, minutes = tuple(options.sides), tuple(options.callers), options.minutes
    if options.short:
        sides, callers, minutes = sides[:1], SHORT_CALLERS, 1.5
    starts = contenders_count * options.rounds
    cells = starts * len(sides) * len(callers)
    # A peer starts once more for each layout that is tried.
    left = minutes * 60.0 - 1.5 * starts * START_SECONDS
    each = left / cells / (1.0 + WARM_SHARE + LOOP_SHARE)
    seconds = min(max(each, WINDOW_SECONDS_MIN), WINDOW_SECONDS_MAX)
    return Plan(sides=sides, callers=callers, rounds=options.rounds, window_seconds=seconds)


@contextmanager
def the_loop(home: Path) -> Iterator[Loop]:
    """Run the loop beside everything; it idles unless it is asked.

    Raises:
        SystemExit: its environment can't be made, and nothing can be compared.
    """
    try:
        python = environment("grpcio") / "bin" / "python"
    except UnavailableError as error:
        raise SystemExit(f"the loop: {error}") from None
    command = [str(python), str(PEERS / "loop.py"), str(WHOLE.threads)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PEERS
    ) as process:
        assert process.stdout is not None  # noqa: S101  # as asked for
        process.stdout.readline()
        try:
            yield Loop(process, home)
        finally:
            process.terminate()


def take_turn(
    contender: Contender, turn: Turn, plan: Plan, number: int, loop: Loop, home: Path
) -> Iterator[Cell]:
    """Measure one contender; what goes wrong is told in its turn."""
    try:
        with tempfile.TemporaryDirectory(dir=home) as folder:
            if contender.environment is not None and not turn.versions:
                environment(contender.name)
                turn.versions = dict(versions(contender.environment))
            layout = best_layout(contender, turn, plan, Path(folder))
            turn.layout = str(layout)
            with contender.running(layout, Path(folder)) as running:
                turn.difference = difference(running, loop, plan.sides[0])
                yield from measure(contender.name, running, plan, number, loop)
        turn.state = "measured"
    except Exception as error:  # whoever fails, the others are measured
        turn.state = str(error) or type(error).__name__


def best_layout(contender: Contender, turn: Turn, plan: Plan, folder: Path) -> Layout:
    """Find the faster way to share the processor out, in as much time as a window takes."""
    if len(contender.layouts) == 1 or turn.trials:
        kept = turn.layout or str(contender.layouts[0])
        return next(each for each in contender.layouts if str(each) == kept)
    rates = {}
    for layout in contender.layouts:
        with contender.running(layout, folder) as running:
            window = observe(
                running.connect,
                square_jpegs(plan.sides[0]),
                TRIAL_CALLERS,
                seconds=plan.window_seconds,
                warm_seconds=TRIAL_WARM_SECONDS,
                household=running.household,
            )
        rates[layout] = window.rate
        turn.trials[str(layout)] = window.rate
    return max(rates, key=lambda each: rates[each])


def measure(name: str, running: Running, plan: Plan, number: int, loop: Loop) -> Iterator[Cell]:
    """Put all loads on, each between two runs of the loop."""
    loop_seconds = LOOP_SHARE * plan.window_seconds
    for side in plan.sides:
        before = loop.rate(side, loop_seconds)
        for callers in plan.callers:
            window = observe(
                running.connect,
                square_jpegs(side),
                callers,
                seconds=plan.window_seconds,
                warm_seconds=WARM_SHARE * plan.window_seconds,
                household=running.household,
            )
            after = loop.rate(side, loop_seconds)
            yield Cell(
                contender=name,
                side=side,
                callers=callers,
                round=number,
                loop_rates=(before, after),
                window=window,
            )
            before = after


def difference(running: Running, loop: Loop, side: int) -> float:
    """Compare a contender's picture with the loop's: the mean over all values, of 255."""
    with running.connect() as call:
        served = call(square_jpegs(side)[0]).picture
    one, other = (
        np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"), np.float64)
        for jpeg in (served, loop.picture(side))
    )
    return float(np.abs(one - other).mean())


def plain(turns: dict[str, Turn]) -> dict[str, object]:
    """Turn records into what JSON has."""
    return {name: asdict(turn) for name, turn in turns.items()}


def row(cell: Cell) -> str:
    """Write a line of the table."""
    window = cell.window
    cells: Sequence[str] = (
        f"{cell.contender:9}",
        f"{cell.side:5} px",
        f"{cell.callers:3} callers",
        f"{window.rate:6.2f}/s",
        f"efficiency {cell.efficiency:5.2f}",
        f"p50 {percentile(window.latencies, 50) * 1e3:6.0f} ms",
        f"p99 {percentile(window.latencies, 99) * 1e3:6.0f} ms",
        f"first byte {percentile(window.first_bytes, 50) * 1e3:6.0f} ms",
        f"{window.processor_seconds / max(window.pictures, 1):6.3f} CPU s/picture",
        f"{window.memory_bytes_peak / 2**20:5.0f} MiB",
        f"{sum(window.failures.values())} failed",
        f"others {window.other_processor_seconds / window.seconds:4.2f} CPUs",
    )
    return "  ".join(cells)


if __name__ == "__main__":
    main()
