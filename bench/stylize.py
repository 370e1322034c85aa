"""What a stylize call costs beyond its network: `python -m bench.stylize`.

Both sides run in turn in one go: the same JPEG is decoded, painted and encoded in this process, and
sent through the gateway over TLS to a service of a private mesh. Figures are medians; what counts
are the ratios, since both sides share the machine and its moods. `picture` is the time to the last
byte of the result, `receipt` the time to the end of the call, when all traces are erased.
"""

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from batchpix_client.mesh import LocalMesh
from batchpix_client.results import StylizedPicture
from services.chassis.media.image import ImageLimits, decode, encode, probe
from services.chassis.memory.arena import Arena, Budget
from services.chassis.settings import Settings
from services.stylize.assembly import make_pipeline
from services.stylize.manner import Manner
from services.stylize.pipeline import StylizePipeline

SIZES = ((512, 512), (1080, 1920))
PHOTO = Path("samples/scenes/street.jpg")
STYLE = "starry_night"
QUALITY = 90
T = TypeVar("T")


@dataclass(kw_only=True)
class Times:
    """Raw times of one size, in milliseconds."""

    decode: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)
    encode: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    picture: list[float] = field(default_factory=list)
    receipt: list[float] = field(default_factory=list)


def main() -> None:
    """Measure all sizes, print the table, keep the raw times."""
    parser = argparse.ArgumentParser(prog="python -m bench.stylize", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="timed rounds of each size")
    parser.add_argument("--json", type=Path, help="where the raw times go")
    options = parser.parse_args()
    pipeline = make_pipeline(Settings.from_env(os.environ))
    with tempfile.TemporaryDirectory() as home, LocalMesh(Path(home)) as mesh:
        results = {size: measure(size, options.rounds, pipeline, mesh) for size in SIZES}
    print_table(results)
    if options.json:
        raw = {f"{width}x{height}": asdict(times) for (height, width), times in results.items()}
        options.json.write_text(json.dumps(raw, indent=1) + "\n")


def measure(
    size: tuple[int, int], rounds: int, pipeline: StylizePipeline, mesh: LocalMesh
) -> Times:
    """Time one size, both sides in turn; the first three rounds warm up."""
    photo, times = photo_of(size), Times()
    with mesh.client() as client:
        for number in range(rounds + 3):
            found = Times() if number < 3 else times
            work_alone(photo, pipeline, found)
            (result,) = timed(
                found.receipt, lambda: list(client.stylize([photo], STYLE, quality=QUALITY))
            )
            if isinstance(result, StylizedPicture):
                found.picture.append(result.elapsed_seconds * 1e3)
    return times


def work_alone(photo: bytes, pipeline: StylizePipeline, times: Times) -> None:
    """Decode, paint and encode in this process, as a program without any server would."""
    with Budget(1 << 30).lease(0) as arena, pipeline.sitting() as sitting:
        started = time.perf_counter()
        data = memoryview(photo)
        picture = timed(times.decode, lambda: read(data, arena))
        code = pipeline.book.code(STYLE, "style")
        painted = timed(
            times.network,
            lambda: pipeline.stylise(
                sitting, picture, None, code, Manner(), arena, threading.Event()
            ),
        )
        timed(times.encode, lambda: encode(painted, None, "image/jpeg", QUALITY, arena))
        times.alone.append((time.perf_counter() - started) * 1e3)


def read(data: memoryview, arena: Arena) -> np.ndarray:
    """Decode a JPEG."""
    return decode(data, probe(data, "image/jpeg", ImageLimits()), arena).pixels


def timed(times: list[float], work: Callable[[], T]) -> T:
    """Run `work` and keep its time in milliseconds."""
    started = time.perf_counter()
    result = work()
    times.append((time.perf_counter() - started) * 1e3)
    return result


def photo_of(size: tuple[int, int]) -> bytes:
    """Make a JPEG of one size from a sample."""
    height, width = size
    file = BytesIO()
    Image.open(PHOTO).convert("RGB").resize((width, height), Image.Resampling.LANCZOS).save(
        file, "JPEG", quality=QUALITY
    )
    return file.getvalue()


def print_table(results: dict[tuple[int, int], Times]) -> None:
    """Print medians and ratios."""
    columns = ("decode", "network", "encode", "alone", "picture", "receipt")
    ratios = ("picture/alone", "picture/network")
    print(f"{'size':>10} " + " ".join(f"{column:>12}" for column in (*columns, *ratios)))
    for (height, width), times in results.items():
        middle = {name: statistics.median(values) for name, values in asdict(times).items()}
        cells = [f"{middle[name]:9.1f} ms" for name in columns]
        cells += [f"{middle['picture'] / middle[name]:12.2f}" for name in ("alone", "network")]
        print(f"{width}x{height}".rjust(10) + " " + " ".join(cells))


if __name__ == "__main__":
    main()
