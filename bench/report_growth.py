"""The page's part on how costs grow."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.plots import draw_lines
from bench.tables import table, verdict

EXPONENT_GOAL = (0.95, 1.05)
UNFAIRNESS_GOAL = 2.0
INTRODUCTION = """\
One line at a time, from small to large; to the medians is fitted *fixed + factor * size ^ exponent*.
*Processor time* is the service's own, whoever else used the machine. *Call memory* is what the receipt says was leased and wiped, *process* the most that the service held meanwhile."""


def growth_section(result: dict[str, Any], pictures: Path) -> Iterator[str]:
    """Write the part, and draw its pictures."""
    yield "## Growth\n"
    yield INTRODUCTION + "\n"
    yield from summary(result["lines"])
    draw(result, pictures)
    yield "![Time and call memory along each line](benchmarks/growth.png)\n"
    for line in result["lines"]:
        yield from line_table(line)
    if result["crowds"]:
        yield from crowd_part(result["crowds"], pictures)


def summary(lines: list[dict[str, Any]]) -> Iterator[str]:
    """List the exponents."""
    rows = []
    for line in lines:
        up_to = f", up to {line['fit_up_to']:g}" if line["fit_up_to"] else ""
        rows.append(
            [
                f"{line['feature']}: {line['dimension']}{up_to}",
                fit(line["time"], "s"),
                met(line),
                fit(line.get("processor_time"), "s"),
                fit(line["call_memory"], "MiB", 2**20),
            ]
        )
    head = [
        "line",
        "time to the last result",
        f"exponent in {EXPONENT_GOAL[0]} to {EXPONENT_GOAL[1]}",
        "processor time of the service",
        "call memory",
    ]
    yield from table(head, rows, texts=len(head))


def fit(found: dict[str, float] | None, unit: str, scale: float = 1.0) -> str:
    """Write a fit as a formula."""
    if not found:
        return "too few sizes"
    fixed, factor = found["fixed"] / scale, found["factor"] / scale
    if not found["factor"]:
        return f"constant, {fixed:.3g} {unit}"
    return f"{fixed:.3g} + {factor:.3g} · size^{found['exponent']:.2f} {unit} (within {100 * found['error']:.0f} %)"


def met(line: dict[str, Any]) -> str:
    """Tell whether time grows in proportion."""
    if not line["time"]:
        return "too few sizes"
    return "met" if EXPONENT_GOAL[0] <= line["time"]["exponent"] <= EXPONENT_GOAL[1] else "missed"


def line_table(line: dict[str, Any]) -> Iterator[str]:
    """Write the figures of one line."""
    head = [
        line["dimension"],
        "last result s",
        "first s",
        "receipt s",
        "call memory MiB",
        "process MiB",
        "calls",
    ]
    rows = []
    for step in line["steps"]:
        taken = step["taken"]
        if taken:
            times = [
                statistics.median(each[name] for each in taken)
                for name in ("result_seconds", "first_seconds", "seconds")
            ]
            memory = [taken[0]["leased_bytes"], max(step["memory_bytes_peak"])]
            numbers = [
                *(f"{each:.3f}" for each in times),
                *(f"{each / 2**20:.0f}" for each in memory),
            ]
            rows.append([f"{step['size']:g}", *numbers, str(len(taken))])
        for failure, count in step["failures"].items():
            rows.append([f"{step['size']:g}", f"{count} times {failure}", "", "", "", "", "0"])
    yield f"### {line['feature']}: {line['dimension']}\n"
    yield from table(head, rows)
    if line["left_out"]:
        sizes = ", ".join(f"{size:g}" for size in line["left_out"])
        yield f"Left out for want of time: {sizes}.\n"


def draw(result: dict[str, Any], pictures: Path) -> None:
    """Draw time and memory of all lines."""
    times, memories = [], []
    dimensions = dict.fromkeys(line["dimension"] for line in result["lines"])
    for dimension in dimensions:
        seconds, leased = {}, {}
        for line in result["lines"]:
            steps = [step for step in line["steps"] if step["taken"]]
            if line["dimension"] == dimension and steps:
                sizes = [step["size"] for step in steps]
                seconds[line["feature"]] = (
                    sizes,
                    [
                        statistics.median(t["result_seconds"] for t in step["taken"])
                        for step in steps
                    ],
                )
                leased[line["feature"]] = (
                    sizes,
                    [step["taken"][0]["leased_bytes"] / 2**20 for step in steps],
                )
        times.append(("time to the last result", dimension, "seconds", seconds))
        memories.append(("call memory", dimension, "MiB", leased))
    columns = len(times)
    draw_lines(times + memories, pictures / "growth.png", logarithmic=True, columns=columns)


def crowd_part(crowds: list[dict[str, Any]], pictures: Path) -> Iterator[str]:
    """Write how many callers and how many replicas do."""
    yield "### Callers and replicas\n"
    yield "256x256 pixels through the gateway, each caller again as soon as its receipt is there.\n"
    rows = []
    by_callers = {each["callers"]: each for each in reversed(crowds) if each["replicas"] == 1}
    single = [by_callers[callers] for callers in sorted(by_callers)]
    for each in crowds:
        layout = f"{each['replicas']} of {each['threads']} threads"
        failures = (
            ", ".join(f"{count} {code}" for code, count in each["failures"].items()) or "none"
        )
        rate = each["calls"] / each["seconds"]
        rows.append(
            [str(each["callers"]), layout, f"{rate:.2f}", f"{unfairness(each):.2f}", failures]
        )
    counts = [each["callers"] for each in single]
    rates = [each["calls"] / each["seconds"] for each in single]
    panels = [
        ("throughput", "callers at a time", "pictures/s", {"1 replica": (counts, rates)}),
        (
            "slowest over fastest caller",
            "callers at a time",
            "ratio",
            {"1 replica": (counts, [unfairness(each) for each in single])},
        ),
    ]
    draw_lines(panels, pictures / "crowds.png")
    yield "![Throughput and fairness by the number of callers](benchmarks/crowds.png)\n"
    largest = max(single, key=lambda each: each["callers"])
    yield verdict(
        f"mean latency of the slowest over that of the fastest of {largest['callers']} callers",
        unfairness(largest),
        UNFAIRNESS_GOAL,
        at_least=False,
    )
    yield ""
    yield from table(["callers", "replicas", "pictures/s", "slowest/fastest", "failures"], rows)


def unfairness(crowd: dict[str, Any]) -> float:
    """Compare the caller who waited longest with the one who waited least."""
    means = [statistics.fmean(each) for each in crowd["latencies"] if each]
    return max(means) / min(means) if means else float("nan")
