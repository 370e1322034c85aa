"""What a GPU makes of the features: `python -m bench.gpu`; needs built engines.

For each network at the sizes that its feature uses: milliseconds of a run with its copies and its
wipe, runs per second, device bytes, and the share of the roofline: the time that the device would
need if it did nothing but the network's arithmetic, or nothing but moving its tensors, whichever is
longer. Recorded runs (CUDA graphs) stand beside eager ones. Then the raster's kernels, as shares of
the device's bandwidth, and typical calls of each feature through the gateway, on the GPU and on the
same machine's CPU. With `--count` nothing is run: arithmetic and bytes are counted alone.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from batchpix_client.mesh import LocalMesh
from bench.features import TYPICAL, take
from bench.figures import RESULTS, keep
from bench.work import Work, count
from gateway.settings import SERVICES
from services.chassis.engine import Engine
from services.chassis.engine.accuracy import filled, sample
from services.chassis.engine.networks import Network
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore

if TYPE_CHECKING:
    from services.chassis.engine.gpu import GpuRoom

ROUNDS_COLD = 5
CALLS = 5
FRAME = (1080, 1920)
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """What a device can do at most, of its maker's data sheet.

    Attributes:
        half_flops: float16 multiplications and additions per second, dense, by tensor cores.
        full_flops: the same in float32, without tensor cores.
        bytes_per_second: of the device's memory.
    """

    half_flops: float
    full_flops: float
    bytes_per_second: float


# By a part of the device's name; figures of the SXM modules.
PEAKS = {
    "A100": Peak(half_flops=312e12, full_flops=19.5e12, bytes_per_second=2.04e12),
    "H100": Peak(half_flops=989e12, full_flops=67e12, bytes_per_second=3.35e12),
    "H200": Peak(half_flops=989e12, full_flops=67e12, bytes_per_second=4.8e12),
    "B200": Peak(half_flops=2250e12, full_flops=80e12, bytes_per_second=8.0e12),
}


def main() -> None:
    """Measure everything, or count it; print and keep the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=main.__doc__)
    parser.add_argument("--count", action="store_true", help="count work, run nothing")
    parser.add_argument("--rounds", type=int, default=50, help="timed runs of each size")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder to keep")
    options = parser.parse_args()
    settings = Settings.from_env(os.environ)
    store = ModelStore(settings.models)
    works = {case: count(store.path(case[0].name), *case) for case in cases()}
    columns = ("size", "GFLOP", "moved MB", "leased MB", "alive MB")
    print(f"{'network':16} " + " ".join(f"{name:>10}" for name in columns))
    for (network, sides), work in works.items():
        print(
            f"{network.name:16} {size_of(sides):>10} {work.flops / 1e9:10.2f}"
            f" {work.moved_bytes / MEGABYTE:10.1f} {work.copy_bytes / MEGABYTE:10.1f}"
            f" {work.alive_bytes / MEGABYTE:10.1f}"
        )
    if options.count:
        return
    from services.chassis.engine.gpu import GpuRoom  # noqa: PLC0415  # not on every machine

    room = GpuRoom(settings, store)
    name = room.driver.name
    peak = next((peak for part, peak in PEAKS.items() if part in name), None)
    document: dict[str, object] = {
        "device": name,
        "networks": list(measured(room, works, peak, options.rounds)),
        "kernels": list(kernels(room, peak, options.rounds)),
        "features": list(features()),
    }
    keep(f"gpu-{name.lower().replace(' ', '-')}", document, options.out)


def cases() -> Iterator[tuple[Network, tuple[int, int] | None]]:
    """List each network of the features with its sizes, None where it has one of its own."""
    seen: set[Network] = set()
    for feature in SERVICES:
        for network in import_module(f"services.{feature}.networks").NETWORKS:
            if network not in seen:
                seen.add(network)
                for sides in largest(network):
                    yield network, sides


def largest(network: Network) -> list[tuple[int, int] | None]:
    """List the sizes of a network's runs: those that come often, and the largest."""
    if not network.sides:
        return [None]
    return [*network.sides.recorded, (network.sides.most, network.sides.most)]


def size_of(sides: tuple[int, int] | None) -> str:
    """Write a size as width and height."""
    return f"{sides[1]}x{sides[0]}" if sides else "its own"


def measured(
    room: "GpuRoom",
    works: dict[tuple[Network, tuple[int, int] | None], Work],
    peak: Peak | None,
    rounds: int,
) -> Iterator[dict[str, object]]:
    """Run each network at each size, recorded if it is, and eagerly."""
    for (network, sides), work in works.items():
        for is_recorded in (True, False):
            engine = room.load(network, record=is_recorded)
            inputs, outputs = arrays(engine, network, sides or (0, 0))
            room.budget.forget_peak()
            seconds = timed(lambda: engine.run(inputs, outputs), rounds)  # noqa: B023  # run at once
            row: dict[str, object] = {"network": network.name, "size": size_of(sides)}
            row |= {"engine": engine.description, "recorded": is_recorded}
            row |= {"ms": seconds * 1e3, "per_second": 1 / seconds}
            row |= {"leased_bytes": room.budget.peak_bytes, **asdict(work)}
            if peak:
                flops = peak.full_flops if network.exact else peak.half_flops
                best = max(work.flops / flops, work.moved_bytes / peak.bytes_per_second)
                row["roofline_share"] = best / seconds
            print(row)
            yield row


def arrays(
    engine: Engine, network: Network, sides: tuple[int, int]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Make inputs and outputs of a size."""
    inputs = {spec.name: sample(spec, sides) for spec in engine.inputs}
    outputs = {}
    for spec in engine.outputs:
        step = 1 if spec.name in network.picture_outputs else network.answer_step
        extents = (sides[0] // step, sides[1] // step)
        outputs[spec.name] = np.zeros(filled(spec.shape, extents), spec.dtype)
    return inputs, outputs


def kernels(room: "GpuRoom", peak: Peak | None, rounds: int) -> Iterator[dict[str, object]]:
    """Time the raster's steps on a frame, without copies to or from the host."""
    from services.chassis.raster.cuda import CudaRaster  # noqa: PLC0415

    driver = room.driver
    stream = driver.stream()
    raster = CudaRaster(stream)
    pixels = FRAME[0] * FRAME[1]
    with driver.current(), room.budget.lease(32 * pixels, stream) as arena:
        first, second, third = (arena.array((*FRAME, 3), np.uint8) for _ in range(3))
        map_x, map_y = (arena.array(FRAME, np.float32) for _ in range(2))
        frame = arena.array((FRAME[0] * 3 // 2, FRAME[1]), np.uint8)
        steps: dict[str, tuple[Callable[[], None], int]] = {
            "remap": (lambda: raster.remap(first, map_x, map_y, second), (3 + 8 + 3) * pixels),
            "blend": (lambda: raster.blend(first, second, None, 0.5, third), 9 * pixels),
            "keep_colour": (lambda: raster.keep_colour(first, second, third), 9 * pixels),
            "to_nv12": (lambda: raster.to_nv12(first, frame), 9 * pixels // 2),
        }
        for name, (step, moved_bytes) in steps.items():

            def waited(step: Callable[[], None] = step) -> None:
                step()
                stream.synchronise()

            seconds = timed(waited, rounds)
            row: dict[str, object] = {"kernel": name, "size": size_of(FRAME), "ms": seconds * 1e3}
            row["moved_bytes"] = moved_bytes
            if peak:
                row["bandwidth_share"] = moved_bytes / peak.bytes_per_second / seconds
            print(row)
            yield row


def features() -> Iterator[dict[str, object]]:
    """Make a typical call of each feature, on both devices, through the gateway."""
    for feature in TYPICAL:
        for device in (Device.CUDA, Device.CPU):
            environment = {"BATCHPIX_DEVICE": device.value}
            with (
                tempfile.TemporaryDirectory() as home,
                LocalMesh(Path(home), features=[feature], environment=environment) as mesh,
                mesh.client() as client,
            ):
                take(client, TYPICAL[feature])
                taken = [take(client, TYPICAL[feature]) for _ in range(CALLS)]
            row: dict[str, object] = {"feature": feature, "device": device.value}
            row["seconds"] = statistics.median(each.seconds for each in taken)
            row["first_seconds"] = statistics.median(each.first_seconds for each in taken)
            print(row)
            yield row


def timed(step: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of a step, warm."""
    times = []
    for _ in range(ROUNDS_COLD + rounds):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times[ROUNDS_COLD:])


if __name__ == "__main__":
    main()
