"""Judge sketches of held-out photos: `python -m training.inpaint.evaluate --data DATA --room ROOM`.

Prints, over the same holes, how far simple ways and the network are from the truth: mean
difference in levels of 255, signal to noise in dB, both in the hole alone, and distance of features
(a distilled VGG-19, each layer as a share of its mean, over the whole picture). With `--sheet` it
draws each picture with its hole, filled simply, sketched, and as it was.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from services.chassis.raster.cpu import CpuRaster
from services.vision.sketch import SIDE
from training.inpaint.export import load
from training.inpaint.holes import Holes
from training.inpaint.losses import seen_loss
from training.inpaint.pictures import Floats, held_paths
from training.inpaint.train import Batch, as_batch
from training.stylize.data import Picture, read, write
from training.stylize.perception import Perception

SEED = 71


def main() -> None:
    """Read the flags, judge and draw."""
    parser = argparse.ArgumentParser(description="Judge the sketching network.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--sheet", type=Path, help="picture to draw")
    flags = parser.parse_args()
    torch.set_num_threads(1)
    batch = held_batch(flags.data)
    network = load(flags.room / "inpaint.pt")
    with torch.no_grad():
        sketched = network(batch.ways, batch.trusts, batch.holes).clamp(0, 1)
    perception = Perception(flags.data / "teachers" / "vgg19_distilled16x_e5.pth", torch.float32)
    print("| | difference | signal to noise, dB | features |\n|---|---|---|---|")
    ways = dict(zip(("smooth", "across", "down"), batch.ways.split(3, dim=1), strict=True))
    shares = batch.trusts.softmax(dim=1).split(1, dim=1)
    trusted = sum(way * share for way, share in zip(ways.values(), shares, strict=True))
    for name, filling in {**ways, "as trusted": trusted, "network": sketched}.items():
        print(f"| {name} | " + " | ".join(figures(filling, batch, perception)) + " |")
    if flags.sheet:
        write(flags.sheet, sheet(batch, trusted, sketched))


def held_batch(data: Path) -> Batch:
    """Cut the same holes into photos that nothing was trained on, each time."""
    random = np.random.default_rng(SEED)
    holes = Holes(data)
    truths = [squeezed(read(path)) for path in held_paths(data)]
    return as_batch(truths, [holes.draw(random) for _ in truths], CpuRaster(1))


def squeezed(photo: Picture) -> Floats:
    """Return a photo as SIDExSIDEx3 0..1."""
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255


def figures(filling: Tensor, batch: Batch, perception: Perception) -> tuple[str, ...]:
    """Return difference, signal to noise and distance of features, the means over pictures."""
    whole = batch.truths + (filling - batch.truths) * batch.holes
    apart = whole - batch.truths
    area = 3 * batch.holes.sum(dim=(1, 2, 3))
    difference = apart.abs().sum(dim=(1, 2, 3)) / area * 255
    noise = apart.square().sum(dim=(1, 2, 3)) / area
    with torch.no_grad():
        seen = seen_loss(whole, batch.truths, perception)
    decibels = -10 * noise.log10()
    return f"{difference.mean():.2f}", f"{decibels.mean():.2f}", f"{seen:.4f}"


def sheet(batch: Batch, trusted: Tensor, sketched: Tensor) -> Picture:
    """Lay four versions of each picture side by side, three pictures in a row."""
    known = 1 - batch.holes
    versions = [batch.truths * known + 0.5 * batch.holes]
    versions += [batch.truths * known + each * batch.holes for each in (trusted, sketched)]
    strips = torch.cat([*versions, batch.truths], dim=3)
    strips = strips[: len(strips) // 3 * 3]
    rows = [torch.cat(list(strips[start : start + 3]), dim=2) for start in range(0, len(strips), 3)]
    whole = torch.cat(rows, dim=1).permute(1, 2, 0)
    return np.asarray((whole.clamp(0, 1) * 255).round().to(torch.uint8).numpy(), np.uint8)


if __name__ == "__main__":
    main()
