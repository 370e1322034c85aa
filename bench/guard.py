"""What the retention guard costs: `python -m bench.guard`.

Two services run side by side, one under the guard, one as a copy without it. The same JPEG is sent
to both in turn, straight by mutual TLS, always one block of calls here and one there, so that both
meet the same moods of the machine. What counts is the ratio.

The unguarded side lacks the preloaded heap and Python's use of it; arena, seal and releases of the
engine are the same on both sides, since nothing runs without them.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from PIL import Image

from batchpix_client.audit.canaries import Canary, encoded
from batchpix_client.audit.controls import unguarded_environment
from batchpix_client.audit.conversation import Caller, medium, options, straight, style
from batchpix_client.mesh import LocalMesh

PHOTO = Path("samples/scenes/street.jpg")
SIDE_PIXELS = 512
CALLS_AT_ONCE = 4
TARGET_PERCENT = 10


@dataclass(kw_only=True)
class Side:
    """One of the two services.

    Attributes:
        caller: connection to it.
        style: a style that it knows.
        process: the service.
        seconds: time of each block of calls.
        processor_seconds: of the service, for each block of calls.
    """

    caller: Caller
    style: str
    process: psutil.Process
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured at one size.

    Attributes:
        pixels: side of the square picture.
        calls: calls of each block.
        guarded_seconds: time of each block with the guard.
        bare_seconds: time of each block without it, made right before or after that one.
        guarded_processor_seconds: what the service itself used of the processor.
        bare_processor_seconds: the same without the guard.
    """

    pixels: int
    calls: int
    guarded_seconds: list[float]
    bare_seconds: list[float]
    guarded_processor_seconds: list[float]
    bare_processor_seconds: list[float]


def main() -> None:
    """Measure, print the table, keep the raw times."""
    parser = argparse.ArgumentParser(prog="python -m bench.guard", description=main.__doc__)
    parser.add_argument("--blocks", type=int, default=20, help="blocks of calls on each side")
    parser.add_argument("--calls", type=int, default=16, help="calls of a block")
    parser.add_argument("--pixels", type=int, default=SIDE_PIXELS, help="side of the picture")
    parser.add_argument("--json", type=Path, help="where the raw times go")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalMesh(Path(folder, "guarded")) as guarded,
        LocalMesh(Path(folder, "bare"), environment=unguarded_environment(Path(folder))) as bare,
    ):
        sides = side(guarded), side(bare)
        result = measure(chosen.pixels, chosen.blocks, chosen.calls, sides)
    print_result(result)
    if chosen.json:
        chosen.json.write_text(json.dumps(asdict(result), indent=1) + "\n")


def side(mesh: LocalMesh) -> Side:
    """Connect to one of the services."""
    with mesh.client() as client:
        return Side(
            caller=straight(mesh.profile),
            style=client.styles()[0].name,
            process=psutil.Process(mesh.process_ids["stylize"]),
        )


def measure(pixels: int, blocks: int, calls: int, sides: Sequence[Side]) -> Result:
    """Send blocks of calls to both sides in turn."""
    with Image.open(PHOTO) as photo:
        content = encoded(photo.convert("RGB").resize((pixels, pixels)), "image/jpeg")
    picture = Canary(content=content, media_type="image/jpeg", needles=())
    for each in sides:
        run_block(each, picture, calls)
        each.seconds.clear()
        each.processor_seconds.clear()
    for number in range(blocks):
        # Who goes first changes, so that neither always finds the machine as the other left it.
        for each in sides if number % 2 else reversed(sides):
            run_block(each, picture, calls)
    guarded, bare = sides
    return Result(
        pixels=pixels,
        calls=calls,
        guarded_seconds=list(guarded.seconds),
        bare_seconds=list(bare.seconds),
        guarded_processor_seconds=list(guarded.processor_seconds),
        bare_processor_seconds=list(bare.processor_seconds),
    )


def run_block(each: Side, picture: Canary, calls: int) -> None:
    """Make a block of calls, some at a time, and note how long it took."""
    requests = [options(styles=style(each.style)), *medium(0, picture)]
    started, processor_started = time.perf_counter(), sum(each.process.cpu_times()[:2])
    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        replies = list(pool.map(lambda _: each.caller.converse(requests), range(calls)))
    each.seconds.append(time.perf_counter() - started)
    each.processor_seconds.append(sum(each.process.cpu_times()[:2]) - processor_started)
    failed = [reply.outcome for reply in replies if reply.outcome != "OK"]
    if failed:
        raise SystemExit(f"calls ended with {failed}")


def print_result(result: Result) -> None:
    """Print throughput and processor time of one size, and what the guard costs of each."""
    one, other = (
        statistics.median(times) for times in (result.guarded_seconds, result.bare_seconds)
    )
    print(
        f"{result.pixels}x{result.pixels}: {result.calls / one:.1f} calls/s with the guard, "
        f"{result.calls / other:.1f} without"
    )
    for name, guarded, bare in (
        ("throughput", result.guarded_seconds, result.bare_seconds),
        ("processor", result.guarded_processor_seconds, result.bare_processor_seconds),
    ):
        ratios = [without / with_guard for with_guard, without in zip(guarded, bare, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"  {name:10} {middle:.3f} of the unguarded (quartiles {low:.3f} to {high:.3f}): "
            f"the guard costs {100 * (1 - middle):.1f} %, target {TARGET_PERCENT} %"
        )


if __name__ == "__main__":
    main()
