"""The page's part on where a call's time goes."""

import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.plots import draw_call
from bench.tables import table

FUNCTIONS_TOLD = 8
INTRODUCTION = """\
One caller, typical calls one after the other through the gateway: stages by the services' own metrics, and below them what the service's threads were found at, a hundred times a second.
*Wipe* is the time from the last result to the receipt: call memory is overwritten, and an idle engine goes over its scratch once on zeros. *Upload and messages* is what remains of the service's time, *gateway and caller* what remains of the caller's."""


def stages_section(result: dict[str, Any], pictures: Path) -> Iterator[str]:
    """Write the part, and draw its pictures."""
    yield "## Where a call's time goes\n"
    yield INTRODUCTION + "\n"
    for each in result["features"]:
        feature = each["feature"]
        seen = 1e3 * statistics.fmean(taken["seconds"] for taken in each["taken"])
        parts = parts_of(each, seen)
        stacks = [(tuple(stack), count) for stack, count in each["stacks"]]
        yield f"### {feature}\n"
        title = f"{feature}: {seen:.0f} ms from the first byte sent to the receipt"
        draw_call(title, parts, stacks, pictures / f"stages-{feature}.png")
        yield f"![Stages and functions of a {feature} call](benchmarks/stages-{feature}.png)\n"
        rows = [
            [name, f"{milliseconds:.1f}", f"{100 * milliseconds / seen:.1f}"]
            for name, milliseconds in parts.items()
        ]
        yield from table(["stage", "ms", "% of the call"], rows)
        if each["remark"]:
            yield f"{each['remark']}\n"
        yield from busiest(each)


def parts_of(each: dict[str, Any], seen: float) -> dict[str, float]:
    """Share a call's milliseconds out."""
    stages = {stage: 1e3 * seconds for stage, seconds in each["stage_seconds"].items()}
    in_service = 1e3 * each["call_seconds"]
    rest = max(0.0, in_service - sum(stages.values()))
    return {
        "gateway and caller": max(0.0, seen - in_service),
        "upload and messages": rest,
        **stages,
    }


def busiest(each: dict[str, Any]) -> Iterator[str]:
    """Name the functions in which most samples ended."""
    if not each["samples"]:
        return
    leaves: Counter[str] = Counter()
    for stack, count in each["stacks"]:
        leaves[stack[-1]] += count
    rows = [
        [f"`{leaf}`", f"{100 * count / each['samples']:.1f}"]
        for leaf, count in leaves.most_common(FUNCTIONS_TOLD)
    ]
    yield from table(["function", "% of busy samples"], rows)
