"""Where the milliseconds of one call go: `python -m bench.stages`.

For each feature that is built, typical calls are made one after the other through the gateway. The
services' own metrics page says how long each stage took; the rest of the call is waiting for the
upload and for messages. Then the service is looked at a hundred times a second by py-spy while it
works, which shows what the stages themselves are made of. (py-spy reads another process's memory:
as root only, as for `make audit`. Without it the table stands alone.)
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from batchpix_client import BatchpixError, Client
from batchpix_client.mesh import LocalMesh
from bench.features import TYPICAL, Taken, built, take
from bench.figures import RESULTS, keep
from bench.stacks import Stack, read_stacks

STAGE_SECONDS, CALL_SECONDS = "batchpix_stage_seconds", "batchpix_call_seconds"
CALLS_MIN = 2
SAMPLES_PER_SECOND = 100
STACKS_KEPT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums of a metrics page.

    Attributes:
        calls: that ended.
        call_seconds: of all of them.
        stage_seconds: by stage.
    """

    calls: float
    call_seconds: float
    stage_seconds: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Where the time of a feature's typical call goes.

    Attributes:
        feature: its name.
        taken: what each call took, as its caller saw it.
        call_seconds: mean time of a call in the service.
        stage_seconds: mean time of each stage in it.
        stacks: samples by the functions that were at work, outermost first; the busiest.
        samples: all samples of busy threads.
        remark: why there are no samples.
    """

    feature: str
    taken: list[Taken]
    call_seconds: float
    stage_seconds: dict[str, float]
    stacks: list[tuple[Stack, int]]
    samples: int
    remark: str

    @property
    def outside_ms(self) -> float:
        """Mean milliseconds of a call that no stage accounts for, in the service."""
        return 1e3 * (self.call_seconds - sum(self.stage_seconds.values()))


def main() -> None:
    """Measure all features, print the tables, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="what all of it may take")
    parser.add_argument("--features", nargs="+", choices=built(), default=built())
    parser.add_argument("--name", default="stages", help="of the result")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args()
    seconds = options.minutes * 60.0 / max(len(options.features), 1)
    found: list[Breakdown] = []
    for feature in options.features:
        try:
            found.append(break_down(feature, seconds))
        except BatchpixError as error:  # the others are measured all the same
            print(f"{feature}: {error.code} {error.reason} {error}")
            continue
        print_breakdown(found[-1])
        keep(options.name, {"features": [asdict(each) for each in found]}, options.out)


def break_down(feature: str, seconds: float) -> Breakdown:
    """Measure one feature in about so many seconds, a fifth of which goes to starting."""
    with (
        tempfile.TemporaryDirectory() as home,
        LocalMesh(Path(home), features=[feature]) as mesh,
        mesh.client() as client,
    ):
        take(client, TYPICAL[feature])
        before = totals(mesh, feature)
        taken = calls(client, feature, 0.4 * seconds)
        after = totals(mesh, feature)
        stacks: Counter[Stack] = Counter()
        with calling(client, feature):
            file = Path(home) / "stacks.txt"
            remark = spy(mesh.process_ids[feature], 0.4 * seconds, file)
            if not remark:
                stacks = read_stacks(file.read_text(encoding="utf-8"))
    count = after.calls - before.calls
    return Breakdown(
        feature=feature,
        taken=taken,
        call_seconds=(after.call_seconds - before.call_seconds) / count,
        stage_seconds={
            stage: (total - before.stage_seconds.get(stage, 0.0)) / count
            for stage, total in after.stage_seconds.items()
        },
        stacks=stacks.most_common(STACKS_KEPT),
        samples=stacks.total(),
        remark=remark,
    )


def calls(client: Client, feature: str, seconds: float) -> list[Taken]:
    """Make calls one after the other for about so long."""
    deadline = time.monotonic() + seconds
    taken: list[Taken] = []
    while len(taken) < CALLS_MIN or time.monotonic() < deadline:
        taken.append(take(client, TYPICAL[feature]))
    return taken


@contextmanager
def calling(client: Client, feature: str) -> Iterator[None]:
    """Make calls one after the other while the block runs."""
    ended = threading.Event()

    def call_on() -> None:
        while not ended.is_set():
            take(client, TYPICAL[feature])

    caller = threading.Thread(target=call_on)
    caller.start()
    try:
        yield
    finally:
        ended.set()
        caller.join()


def totals(mesh: LocalMesh, feature: str) -> Totals:
    """Read the metrics page of a feature once all calls are counted on it."""
    sums: dict[str, float] = {}
    calls_ended = call_seconds = 0.0
    url = f"http://{mesh.profile.metrics[feature]}/metrics"
    # A call is counted right after its status has been sent.
    time.sleep(0.2)
    with urllib.request.urlopen(url, timeout=5.0) as page:  # loopback, by us
        text = page.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{STAGE_SECONDS}_sum":
                sums[sample.labels["stage"]] = sample.value
            elif sample.name == f"{CALL_SECONDS}_sum":
                call_seconds = sample.value
            elif sample.name == f"{CALL_SECONDS}_count":
                calls_ended = sample.value
    return Totals(calls=calls_ended, call_seconds=call_seconds, stage_seconds=sums)


def spy(process_id: int, seconds: float, file: Path) -> str:
    """Sample the stacks of a process; tells why it can't, or nothing."""
    program = Path(sys.executable).with_name("py-spy")
    if not program.exists():
        return "py-spy is not installed: pip install -e '.[bench]'"
    command = [
        *(str(program), "record", "--format", "raw", "--nonblocking"),
        *("--rate", str(SAMPLES_PER_SECOND), "--duration", str(max(2, round(seconds)))),
        *("--output", str(file), "--pid", str(process_id)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and file.is_file():
        return ""
    return f"py-spy: {(done.stderr.strip().splitlines() or ['failed'])[-1]}"


def print_breakdown(each: Breakdown) -> None:
    """Print what a call is made of."""
    seen = statistics.fmean(taken.seconds for taken in each.taken)
    print(f"{each.feature}: {1e3 * seen:.0f} ms to the receipt, {len(each.taken)} calls")
    parts = {stage: 1e3 * value for stage, value in each.stage_seconds.items()}
    parts["upload and messages"] = each.outside_ms
    parts["gateway and caller"] = 1e3 * (seen - each.call_seconds)
    for name, milliseconds in parts.items():
        print(f"  {name:20} {milliseconds:9.1f} ms  {milliseconds / seen / 10:5.1f} %")
    if each.remark:
        print(f"  {each.remark}")
    leaves: Counter[str] = Counter()
    for stack, count in each.stacks:
        leaves[stack[-1]] += count
    for leaf, count in leaves.most_common(12):
        print(f"  {100 * count / each.samples:5.1f} %  {leaf}")


if __name__ == "__main__":
    main()
