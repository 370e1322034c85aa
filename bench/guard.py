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

from PIL import Image

from batchpix_client.audit.canaries import Canary, encoded
from batchpix_client.audit.controls import unguarded_environment
from batchpix_client.audit.conversation import Caller, medium, options, straight, style
from batchpix_client.mesh import LocalMesh

PHOTO = Path("samples/scenes/street.jpg")
SIDES_PIXELS = (512, 1024)
CALLS_AT_ONCE = 4
TARGET_PERCENT = 10


@dataclass(kw_only=True)
class Side:
    """One of the two services.

    Attributes:
        name: what it is.
        caller: connection to it.
        style: a style that it knows.
        seconds: time of each block of calls.
    """

    name: str
    caller: Caller
    style: str
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured at one size.

    Attributes:
        pixels: side of the square picture.
        guarded: calls a second with the guard, of each block.
        bare: calls a second without it, of the blocks beside those.
    """

    pixels: int
    guarded: list[float]
    bare: list[float]


def main() -> None:
    """Measure, print the table, keep the raw times."""
    parser = argparse.ArgumentParser(prog="python -m bench.guard", description=main.__doc__)
    parser.add_argument("--blocks", type=int, default=20, help="blocks of calls on each side")
    parser.add_argument("--calls", type=int, default=16, help="calls of a block")
    parser.add_argument("--json", type=Path, help="where the raw times go")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalMesh(Path(folder, "guarded")) as guarded,
        LocalMesh(Path(folder, "bare"), environment=unguarded_environment(Path(folder))) as bare,
    ):
        sides = side("guarded", guarded), side("bare", bare)
        results = [measure(pixels, chosen.blocks, chosen.calls, sides) for pixels in SIDES_PIXELS]
    for result in results:
        print_result(result)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(each) for each in results], indent=1) + "\n")


def side(name: str, mesh: LocalMesh) -> Side:
    """Connect to one of the services."""
    with mesh.client() as client:
        return Side(name=name, caller=straight(mesh.profile), style=client.styles()[0].name)


def measure(pixels: int, blocks: int, calls: int, sides: Sequence[Side]) -> Result:
    """Send blocks of calls to both sides in turn."""
    with Image.open(PHOTO) as photo:
        content = encoded(photo.convert("RGB").resize((pixels, pixels)), "image/jpeg")
    picture = Canary(content=content, media_type="image/jpeg", needles=())
    for each in sides:
        run_block(each, picture, calls)
        each.seconds.clear()
    for number in range(blocks):
        # Who goes first changes, so that neither always finds the machine as the other left it.
        for each in sides if number % 2 else reversed(sides):
            run_block(each, picture, calls)
    guarded, bare = ([calls / seconds for seconds in each.seconds] for each in sides)
    return Result(pixels=pixels, guarded=guarded, bare=bare)


def run_block(each: Side, picture: Canary, calls: int) -> None:
    """Make a block of calls, some at a time, and note how long it took."""
    requests = [options(styles=style(each.style)), *medium(0, picture)]
    started = time.perf_counter()
    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        replies = list(pool.map(lambda _: each.caller.converse(requests), range(calls)))
    each.seconds.append(time.perf_counter() - started)
    failed = [reply.outcome for reply in replies if reply.outcome != "OK"]
    if failed:
        raise SystemExit(f"calls ended with {failed}")


def print_result(result: Result) -> None:
    """Print one size: both rates, the ratio with its spread, and what the guard costs."""
    pairs = zip(result.guarded, result.bare, strict=True)
    low, ratio, high = statistics.quantiles([one / other for one, other in pairs], n=4)
    print(
        f"{result.pixels}x{result.pixels}: {statistics.median(result.guarded):.1f} calls/s with "
        f"the guard, {statistics.median(result.bare):.1f} without; ratio {ratio:.3f} (quartiles "
        f"{low:.3f} to {high:.3f}): it costs {100 * (1 - ratio):.1f} %, target {TARGET_PERCENT} %"
    )


if __name__ == "__main__":
    main()
