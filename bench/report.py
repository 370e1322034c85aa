"""Writes docs/benchmarks.md and its pictures from the results: `python -m bench.report`."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from bench.figures import RESULTS, ROOT
from bench.report_growth import growth_section
from bench.report_serving import serving_section
from bench.report_stages import stages_section
from bench.report_transport import transport_section

Result: TypeAlias = dict[str, Any]
Section: TypeAlias = Callable[[Result, Path], Iterator[str]]

SECTIONS: tuple[tuple[str, Section], ...] = (
    ("serving", serving_section),
    ("transport", transport_section),
    ("growth", growth_section),
    ("stages", stages_section),
)
HEAD = """\
# Benchmarks

Written by `python -m bench.report` from the raw figures in [bench/results/](../bench/results/); don't edit it.

Every figure that matters is a ratio of two things that were measured in the same run on the same machine, one right after the other, since what else the machine does changes from minute to minute.
Callers, gateway and service share its processors, and all of it counts.
What another does better stands here too.
"""
AGAIN = """\
## How to repeat it

```sh
make bench          # the short form, under five minutes: is everything still in its place?
make bench-long     # the long form: installs the peers, about fifty minutes on a quiet machine
```

Each bench runs alone as well; `--minutes` says how long it may take, and `python -m bench.report` writes this page anew:

```sh
.venv/bin/pip install -e '.[cpu,bench]'
.venv/bin/python -m bench.serving --minutes 25
.venv/bin/python -m bench.transport --minutes 4
.venv/bin/python -m bench.growth --minutes 15
.venv/bin/python -m bench.stages --minutes 4
.venv/bin/python -m bench.report
```

The peers live in environments of their own under `.peers/`, from the pins beside their programs in [bench/peers/](../bench/peers/); one that can't be installed or started is told with its reason.
The guard's price alone is measured by `python -m bench.guard`, what many calls leave behind by `python -m bench.memory`.
"""


def main() -> None:
    """Write the page from whatever results there are."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=main.__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args()
    pictures = options.page.parent / options.page.stem
    parts = [HEAD]
    machines = []
    for name, section in SECTIONS:
        file = options.results / f"{name}.json"
        if file.is_file():
            result = json.loads(file.read_text(encoding="utf-8"))
            machines.append((name, result["machine"]))
            parts.append("\n".join(section(result, pictures)) + "\n")
    parts.insert(1, machine_section(machines))
    options.page.write_text("\n".join([*parts, AGAIN]), encoding="utf-8")
    print(f"{options.page} from {', '.join(name for name, _ in machines) or 'no results'}")


def machine_section(machines: Sequence[tuple[str, Result]]) -> str:
    """Describe the machine of each result; equal ones together."""
    lines = ["## The machine", ""]
    told: dict[str, list[str]] = {}
    for name, machine in machines:
        versions = ", ".join(f"{package} {each}" for package, each in machine["versions"].items())
        units = " and ".join(machine["matrix_units"]) or "none"
        text = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
            f"bfloat16 units: {units}; Linux {machine['kernel']}; Python {machine['python']}; {versions}."
        )
        load = f"{name} on {machine['day']} (load average at its end {machine['load_average']:.1f})"
        told.setdefault(text, []).append(load)
    for text, names in told.items():
        lines += [f"{text}", f"Measured: {', '.join(names)}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
