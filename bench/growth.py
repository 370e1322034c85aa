"""How the cost of a call grows: `python -m bench.growth`.

Along one line at a time: pixels of a picture, seconds of a clip, pictures of a batch, callers at
a time, replicas of the service. Each line is walked from small to large, and again and again
as long as its share of the time lasts; a step that would not fit is left out and told. To the
medians of each is fitted how they grow: fixed + factor * size ** exponent.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from batchpix_client import BatchpixError, Client
from batchpix_client.mesh import LocalMesh
from bench.crowds import Crowd, all_crowds
from bench.features import (
    PERSON_SIZE,
    Begin,
    Taken,
    built,
    dance_call,
    household,
    stylize_call,
    take,
    tryon_call,
    video_call,
)
from bench.figures import RESULTS, growth, keep
from bench.processes import Household

MEGAPIXELS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 40.0)
# Up to here a picture is painted in its own size, beyond that at 2,048 pixels of its longer side.
PAINTED_MEGAPIXELS_MAX = 4.0
CLIP_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
BATCH = (1, 2, 4, 8, 16, 32)
SHORT_STEPS = 4
SAMPLE_SECONDS = 0.1
ROUNDS_MAX = 5


@dataclass(slots=True, kw_only=True)
class Step:
    """One size of a line.

    Attributes:
        size: along the line.
        taken: what each call took.
        processor_seconds: what each call took of the service's processors, whoever else used them.
        memory_bytes_peak: most that the service was seen to hold in each call.
        failures: calls that failed, by code and reason.
    """

    size: float
    taken: list[Taken] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    memory_bytes_peak: list[int] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Median time to the last result."""
        return statistics.median(each.result_seconds for each in self.taken)


@dataclass(slots=True, kw_only=True)
class Line:
    """A feature along one dimension.

    Attributes:
        feature: who is called.
        dimension: what grows, with its unit.
        begin: makes the call of a size.
        sizes: ascending.
        fit_up_to: largest size that the exponent is fitted to.
        steps: what was measured.
        left_out: sizes for which there was no time.
    """

    feature: str
    dimension: str
    begin: Callable[[float], Begin]
    sizes: Sequence[float]
    fit_up_to: float = float("inf")
    steps: dict[float, Step] = field(default_factory=dict)
    left_out: list[float] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """Return what is kept."""
        steps = [step for step in self.steps.values() if step.taken]
        fitted = [step for step in steps if step.size <= self.fit_up_to]
        sizes = [step.size for step in fitted]
        time_growth = growth(sizes, [step.seconds for step in fitted])
        work = [statistics.median(step.processor_seconds) for step in fitted]
        work_growth = growth(sizes, work)
        leased_growth = growth(sizes, [step.taken[0].leased_bytes for step in fitted])
        return {
            "feature": self.feature,
            "dimension": self.dimension,
            "fit_up_to": self.fit_up_to if self.fit_up_to < max(self.sizes) else None,
            "time": asdict(time_growth) if time_growth else None,
            "processor_time": asdict(work_growth) if work_growth else None,
            "call_memory": asdict(leased_growth) if leased_growth else None,
            "left_out": self.left_out,
            "steps": [asdict(step) for step in self.steps.values()],
        }


def main() -> None:
    """Walk all lines, print a table, keep the raw figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="what all of it may take")
    parser.add_argument("--short", action="store_true", help="small sizes only, about a minute")
    parser.add_argument("--features", nargs="+", choices=built(), default=built())
    parser.add_argument("--name", default="growth", help="of the result")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args()
    found = lines(options.features, short=options.short)
    # Crowds and replicas get a third of the time if stylize is measured.
    seconds = (1.0 if options.short else options.minutes) * 60.0
    crowding = "stylize" in options.features
    each_seconds = seconds * (0.65 if crowding else 1.0) / max(len(found), 1)
    crowds: list[Crowd] = []

    def keep_so_far() -> None:
        document = {
            "lines": [line.document() for line in found],
            "crowds": [asdict(c) for c in crowds],
        }
        keep(options.name, document, options.out)

    for line in found:
        walk(line, each_seconds)
        print_line(line)
        keep_so_far()
    for crowd in all_crowds(seconds * 0.35, short=options.short) if crowding else ():
        crowds.append(crowd)
        print(crowd, flush=True)
        keep_so_far()


def lines(features: Sequence[str], *, short: bool) -> list[Line]:
    """List what can be measured of the features that are built."""

    def some(sizes: Sequence[float]) -> Sequence[float]:
        return sizes[:SHORT_STEPS] if short else sizes

    every = [
        Line(
            feature="stylize",
            dimension="megapixels",
            begin=lambda size: stylize_call(*sides(size, 4, 3)),
            sizes=some(MEGAPIXELS),
            fit_up_to=PAINTED_MEGAPIXELS_MAX,
        ),
        Line(
            feature="stylize",
            dimension="pictures of a batch",
            begin=lambda size: stylize_call(512, 512, int(size)),
            sizes=some(BATCH),
        ),
        Line(
            feature="video",
            dimension="seconds of a clip",
            begin=video_call,
            sizes=some(CLIP_SECONDS),
        ),
        Line(
            feature="dance",
            dimension="seconds of a clip",
            begin=dance_call,
            sizes=some(CLIP_SECONDS),
        ),
        Line(
            feature="tryon",
            dimension="megapixels",
            begin=lambda size: tryon_call(*sides(size, *PERSON_SIZE)),
            sizes=some(MEGAPIXELS),
        ),
    ]
    return [line for line in every if line.feature in features]


def sides(megapixels: float, wide: int, high: int) -> tuple[int, int]:
    """Find width and height of at most so many million pixels in some proportions, even numbers."""
    scale = (megapixels * 1e6 / (wide * high)) ** 0.5
    return 2 * int(wide * scale / 2), 2 * int(high * scale / 2)


def walk(line: Line, seconds: float) -> None:
    """Measure a line from small to large, as often as the time allows, on a mesh of its own."""
    with (
        tempfile.TemporaryDirectory() as home,
        LocalMesh(Path(home), features=[line.feature]) as mesh,
        mesh.client() as client,
    ):
        processes = household(mesh, line.feature)
        warm(client, line)
        deadline = time.monotonic() + seconds
        for _ in range(ROUNDS_MAX):
            for size in line.sizes:
                step = line.steps.setdefault(size, Step(size=size))
                if time.monotonic() + expected_seconds(line, size) > deadline:
                    if not (step.taken or step.failures or size in line.left_out):
                        line.left_out.append(size)
                    continue
                measure(client, line.begin(size), step, processes)


def warm(client: Client, line: Line) -> None:
    """Make one small call that is not counted."""
    try:
        take(client, line.begin(line.sizes[0]))
    except BatchpixError as error:
        print(f"{line.feature}: {error.code} {error.reason} {error}")


def expected_seconds(line: Line, size: float) -> float:
    """Guess what a call takes from what was measured so far, in proportion."""
    known = [step for step in line.steps.values() if step.taken and step.size <= size]
    return known[-1].seconds * size / known[-1].size if known else 0.0


def measure(client: Client, begin: Begin, step: Step, processes: Household) -> None:
    """Make one call and watch the service's memory meanwhile."""
    before = processes.processor_seconds()
    with memory_peak(processes) as peaks:
        try:
            taken = take(client, begin)
        except BatchpixError as error:
            cause = f"{error.code} {error.reason}".strip()
            step.failures[cause] = step.failures.get(cause, 0) + 1
            return
    step.taken.append(taken)
    step.processor_seconds.append(processes.processor_seconds() - before)
    step.memory_bytes_peak.append(max(peaks))


@contextmanager
def memory_peak(processes: Household) -> Iterator[list[int]]:
    """Read what processes hold, again and again while the block runs."""
    peaks, ended = [processes.memory_bytes()], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peaks.append(processes.memory_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def print_line(line: Line) -> None:
    """Print medians and exponents."""
    document = line.document()
    fits = " ".join(
        f"{cost}: {document[cost]}" for cost in ("time", "processor_time", "call_memory")
    )
    print(f"{line.feature}, {line.dimension}: {fits} left out {line.left_out}")
    for step in line.steps.values():
        if step.taken:
            leased = step.taken[0].leased_bytes / 2**20
            process = max(step.memory_bytes_peak) / 2**20
            first = step.taken[0].first_seconds
            print(
                f"  {step.size:6g}  {step.seconds:8.3f} s  first {first:7.3f} s  call memory "
                f"{leased:7.1f} MiB  process {process:7.0f} MiB  {len(step.taken)} calls"
            )
        if step.failures:
            print(f"  {step.size:6g}  {dict(step.failures)}")


if __name__ == "__main__":
    main()
