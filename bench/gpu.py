"""What a GPU makes of the painting network: `python -m bench.gpu`; needs built engines.

For each size: milliseconds of a run with its copies and its wipe, pictures per second, device bytes
leased, and which share of the roofline that is: the time that the device would need if it did
nothing but the network's arithmetic, or nothing but moving its tensors, whichever is longer. With
`--count` nothing is run: the arithmetic and the bytes are counted from the ONNX alone.
"""

import argparse
import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path

import numpy as np
import openvino as ov

from services.chassis.settings import Settings
from services.chassis.store import ModelStore
from services.stylize.networks import PAINTER

SIZES = ((512, 512), (1088, 1920), (2048, 2048))
HALF_BYTES, FLOAT_BYTES = 2, 4
ROUNDS_COLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """What a device can do at most, of its maker's data sheet.

    Attributes:
        flops: float16 multiplications and additions per second, dense, by tensor cores.
        bytes_per_second: of the device's memory.
    """

    flops: float
    bytes_per_second: float


# By a part of the device's name; figures of the SXM modules.
PEAKS = {
    "A100": Peak(flops=312e12, bytes_per_second=2.04e12),
    "H100": Peak(flops=989e12, bytes_per_second=3.35e12),
    "H200": Peak(flops=989e12, bytes_per_second=4.8e12),
    "B200": Peak(flops=2250e12, bytes_per_second=8.0e12),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one run of a network takes.

    Attributes:
        flops: of its convolutions, a multiplication and an addition counted as two.
        tensor_bytes: read and written by its convolutions, each once, in float16.
        copy_bytes: leased for pictures and their tensors, activations not counted.
    """

    flops: int
    tensor_bytes: int
    copy_bytes: int


def main() -> None:
    """Measure all sizes, or count them; print and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=main.__doc__)
    parser.add_argument("--count", action="store_true", help="count work, run nothing")
    parser.add_argument("--rounds", type=int, default=50, help="timed runs of each size")
    parser.add_argument("--out", type=Path, default=Path("bench/results"), help="folder to keep")
    options = parser.parse_args()
    settings = Settings.from_env(os.environ)
    store = ModelStore(settings.models)
    model = store.open(PAINTER.name)
    works = {size: count(model, *size) for size in SIZES}
    for (height, width), work in works.items():
        print(f"{width}x{height}: {work.flops / 1e9:.1f} GFLOP, {work.tensor_bytes / 1e6:.0f} MB")
    if not options.count:
        keep(measure(settings, store, works, options.rounds), options.out)


def count(model: bytes, height: int, width: int) -> Work:
    """Count the convolutions of a network at one size."""
    network = ov.Core().read_model(model)
    sizes = {port: port.partial_shape for port in network.inputs}
    for shape in sizes.values():
        if shape.is_dynamic:
            shape[2], shape[3] = height, width
    network.reshape(sizes)
    flops = tensor_bytes = 0
    for node in network.get_ordered_ops():
        if node.get_type_name() == "Convolution":
            source, taps = (node.input_value(place).shape for place in (0, 1))
            target = node.output(0).shape
            flops += 2 * prod(target) * prod(taps[1:])
            tensor_bytes += HALF_BYTES * (prod(source) + prod(taps) + prod(target))
    return Work(
        flops=flops,
        tensor_bytes=tensor_bytes,
        copy_bytes=2 * 3 * height * width * (1 + FLOAT_BYTES),
    )


def measure(
    settings: Settings, store: ModelStore, works: dict[tuple[int, int], Work], rounds: int
) -> dict[str, object]:
    """Run all sizes on this machine's GPU."""
    from services.chassis.engine.gpu import GpuRoom  # noqa: PLC0415  # not on every machine

    room = GpuRoom(settings, store)
    engine = room.load(PAINTER)
    peak = next((peak for part, peak in PEAKS.items() if part in engine.description), None)
    code_size = next(spec.shape[1] for spec in engine.inputs if spec.name == "style") or 0
    rows: list[dict[str, object]] = []
    for (height, width), work in works.items():
        image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
        inputs = {"image": image, "style": np.zeros((1, code_size), np.float32)}
        outputs = {"stylized": np.zeros_like(image)}
        times = []
        for _ in range(ROUNDS_COLD + rounds):
            started = time.perf_counter()
            engine.run(inputs, outputs)
            times.append(time.perf_counter() - started)
        seconds = statistics.median(times[ROUNDS_COLD:])
        row: dict[str, object] = {"size": f"{width}x{height}", "ms": seconds * 1e3}
        row |= {"pictures_per_second": 1 / seconds, **asdict(work)}
        if peak:
            best = max(work.flops / peak.flops, work.tensor_bytes / peak.bytes_per_second)
            row["roofline_share"] = best / seconds
        rows.append(row)
        print(row)
    return {"engine": engine.description, "host": platform.platform(), "rows": rows}


def keep(results: dict[str, object], folder: Path) -> None:
    """Write the figures with the machine that they are of."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(results["engine"]).split()[-1].lower()
    (folder / f"gpu-{name}.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
