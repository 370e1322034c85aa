"""The page's part on serving beside others."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import percentile
from bench.plots import draw_lines
from bench.tables import table, verdict

HERO, GOAL_CALLERS = "mesh", 4
GOALS = {512: 0.75, 1024: 0.85}
INTRODUCTION = """\
The same network with the same pictures, JPEG in and JPEG out, by this mesh and by servers of others, each with its documented best settings, the same OpenVINO and the same Pillow.
*Efficiency* is served pictures per second over those of the plain loop that decodes, paints and encodes in one process without a server, run right before and right after. It may exceed 1, since a server can decode one picture while the network works on another.
The peers serve plaintext on loopback, check nobody, limit nothing and erase nothing; the mesh does all of that in these figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is told of a contender under one load; all rounds together.

    Attributes:
        rate: pictures per second.
        efficiency: over the loop's.
        p50: milliseconds to the end of a call, half of them at most.
        p99: the same for 99 of 100.
        first_byte: milliseconds to the first byte of the picture, half of them at most.
        processor_seconds: of the contender for a picture.
        memory_mebibytes: most that it held.
        pictures: how many these figures are of.
        failures: calls without a picture.
    """

    rate: float
    efficiency: float
    p50: float
    p99: float
    first_byte: float
    processor_seconds: float
    memory_mebibytes: float
    pictures: int
    failures: int


Grid = dict[tuple[str, int, int], Figures]
"""By contender, side and number of callers."""


def serving_section(result: dict[str, Any], pictures: Path) -> Iterator[str]:
    """Write the part, and draw its pictures."""
    grid, turns, plan = grid_of(result), result["turns"], result["plan"]
    yield "## Beside other servers\n"
    yield INTRODUCTION + "\n"
    yield from who(turns)
    draw(grid, turns, plan, pictures / "serving.png")
    yield from quiet(result["cells"])
    yield "![Efficiency and 99th percentile by the number of callers](benchmarks/serving.png)\n"
    yield from verdicts(grid, plan)
    for side in plan["sides"]:
        loop = result["loops"][str(side)]
        yield f"### {side}x{side} pixels\n"
        yield (
            f"The plain loop paints {loop['one']:.2f} pictures a second; with two threads, so that "
            f"codecs and network overlap, {loop['two']:.2f}.\n"
        )
        yield from side_table(grid, turns, side, plan["callers"])
    yield from losses(grid, turns, plan)


def grid_of(result: dict[str, Any]) -> Grid:
    """Put the windows of all rounds together."""
    groups: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for cell in result["cells"]:
        groups.setdefault((cell["contender"], cell["side"], cell["callers"]), []).append(cell)
    return {key: figures_of(cells) for key, cells in groups.items()}


def figures_of(cells: list[dict[str, Any]]) -> Figures:
    """Sum up one contender under one load."""
    windows = [cell["window"] for cell in cells]
    latencies = [each for window in windows for each in window["latencies"]]
    firsts = [each for window in windows for each in window["first_bytes"]]
    pictures = sum(window["pictures"] for window in windows)
    rates = [window["pictures"] / window["seconds"] for window in windows]
    loops = [statistics.fmean(cell["loop_rates"]) for cell in cells]
    return Figures(
        rate=statistics.fmean(rates),
        efficiency=statistics.median(rate / loop for rate, loop in zip(rates, loops, strict=True)),
        p50=1e3 * percentile(latencies, 50),
        p99=1e3 * percentile(latencies, 99),
        first_byte=1e3 * percentile(firsts, 50),
        processor_seconds=sum(w["processor_seconds"] for w in windows) / max(pictures, 1),
        memory_mebibytes=max(window["memory_bytes_peak"] for window in windows) / 2**20,
        pictures=pictures,
        failures=sum(sum(window["failures"].values()) for window in windows),
    )


def who(turns: dict[str, Any]) -> Iterator[str]:
    """List the contenders with how they ran, and those that did not."""
    rows = []
    for name, turn in turns.items():
        state = "" if turn["state"] == "measured" else f"**{turn['state']}**"
        tried = ", ".join(f"{layout}: {rate:.1f}/s" for layout, rate in turn["trials"].items())
        version = {key.lower(): value for key, value in turn["versions"].items()}
        package = {"pytriton": "nvidia-pytriton"}.get(name, name)
        rows.append(
            [
                f"{turn['title']} {version.get(package, '')}".strip(),
                turn["remark"],
                f"{turn['layout']} {f'({tried})' if tried else ''}".strip(),
                f"{turn['difference']:.2f}",
                state or "measured",
            ]
        )
    head = [
        "server",
        "how it ran",
        "workers x threads (tried)",
        "difference of its picture, of 255",
        "state",
    ]
    yield from table(head, rows, texts=len(head))


def quiet(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Tell what everybody else on the machine used of it meanwhile."""
    shares = [
        cell["window"]["other_processor_seconds"] / cell["window"]["seconds"] for cell in cells
    ]
    if shares:
        yield (
            f"Other programs on the machine used {statistics.median(shares):.2f} processors "
            f"meanwhile, {max(shares):.2f} at most.\n"
        )


def draw(grid: Grid, turns: dict[str, Any], plan: dict[str, Any], file: Path) -> None:
    """Draw efficiency and 99th percentiles."""
    panels = []
    for side in plan["sides"]:
        for y_name, value in (("efficiency", "efficiency"), ("p99, ms", "p99")):
            lines = {}
            for name, turn in turns.items():
                counts = [count for count in plan["callers"] if (name, side, count) in grid]
                if counts:
                    values = [getattr(grid[name, side, count], value) for count in counts]
                    lines[turn["title"]] = (counts, values)
            panels.append((f"{side}x{side}: {y_name}", "callers at a time", y_name, lines))
    draw_lines(panels, file, hero=turns[HERO]["title"] if HERO in turns else "")


def verdicts(grid: Grid, plan: dict[str, Any]) -> Iterator[str]:
    """Tell the goals."""
    for side, goal in GOALS.items():
        found = grid.get((HERO, side, GOAL_CALLERS))
        if found and side in plan["sides"]:
            name = f"efficiency through the gateway at {side}x{side}, {GOAL_CALLERS} callers"
            yield verdict(name, found.efficiency, goal)
    yield ""


def side_table(grid: Grid, turns: dict[str, Any], side: int, counts: list[int]) -> Iterator[str]:
    """Write the figures of one size."""
    head = ["server", "callers", "pictures/s", "efficiency", "p50 ms", "p99 ms", "first byte ms"]
    head += ["CPU s a picture", "memory MiB", "pictures", "failed"]
    rows = []
    for count in counts:
        for name, turn in turns.items():
            found = grid.get((name, side, count))
            if found:
                title = f"**{turn['title']}**" if name == HERO else turn["title"]
                numbers = [f"{found.rate:.2f}", f"{found.efficiency:.2f}", f"{found.p50:.0f}"]
                numbers += [f"{found.p99:.0f}", f"{found.first_byte:.0f}"]
                numbers += [f"{found.processor_seconds:.3f}", f"{found.memory_mebibytes:.0f}"]
                numbers += [str(found.pictures), str(found.failures)]
                rows.append([title, str(count), *numbers])
    yield from table(head, rows)


def losses(grid: Grid, turns: dict[str, Any], plan: dict[str, Any]) -> Iterator[str]:
    """Tell where another is ahead."""
    yield "### Where another is ahead\n"
    found = []
    for (name, side, count), other in sorted(grid.items()):
        ours = grid.get((HERO, side, count))
        if ours is None or name in {HERO, "service"}:
            continue
        gains = []
        # By their ratios to the loop beside them, since the machine changes from one to the next.
        if other.efficiency > ours.efficiency:
            gains.append(f"{other.efficiency / ours.efficiency:.2f} times the efficiency")
        if other.p99 < ours.p99:
            gains.append(f"a p99 of {other.p99:.0f} instead of {ours.p99:.0f} ms")
        if gains:
            where = f"{side}x{side}, {count} caller{'s' if count > 1 else ''}"
            found.append(f"- {turns[name]['title']} at {where}: {' and '.join(gains)}")
    if not found:
        sides = " and ".join(str(side) for side in plan["sides"])
        yield f"Nobody, at {sides} pixels and any number of callers that was measured.\n"
        return
    yield from found
    yield ""
    yield (
        "With one caller the mesh has nobody to overlap with: a call ends with its receipt only "
        "when no trace of its picture is left in the engine, which an idle engine brings about by "
        "running once on zeros. The picture itself is there before that (*first byte*). With "
        "several callers the next picture's run does the same work for nothing. Where a peer is "
        "ahead all the same, *CPU s a picture* tells by what: TLS on both sides of the gateway, "
        "checksums, receipts and zeroed memory take processor time that the peers don't spend.\n"
    )
