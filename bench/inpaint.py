"""How a filled hole compares with its surroundings: `python -m bench.inpaint --data DATA`.

Holes of people's shape, a quarter of a picture of 1280x720 or as much as the shape takes, are cut
into the samples' scenes and those photos of `--data` that nothing was learnt from. They are filled
by ours, by our sketch as it is, by OpenCV's two methods, and, with `--network`, by ours along what
the network of `training/inpaint` sketches.

`detail` is the mean step from pixel to pixel in the hole over that in the picture without it: 1 is
as sharp and as grainy as the photo. `seam` is the mean step across the hole's edge over that inside
and outside of it: 1 can't be seen. `error` is the mean difference to the true picture in levels of
255 after both were blurred by 16 pixels: the right tone in the right place. `noise` is the signal
to noise ratio in the hole, in dB. `features` is the distance that a distilled VGG-19 sees at half
the size, each layer as a share of its mean (with `--teacher`, where torch is installed). `time` is
ours as 1.
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.inpaint import Inpainter
from services.vision.networks import INPAINT
from services.vision.sketch import Sketcher
from training.inpaint.pictures import held_paths

Pixels: TypeAlias = NDArray[np.uint8]
Fill: TypeAlias = Callable[[Pixels, Pixels], Pixels]

ROOT = Path(__file__).resolve().parents[1]
SIZE = (720, 1280)
HOLE_SHARE = 0.25
REACH_PIXELS = 5
BLUR_PIXELS = 16


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.inpaint", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with photos/")
    parser.add_argument("--teacher", type=Path, help="weights of the network that sees features")
    parser.add_argument("--network", type=Path, help="ONNX file that sketches, to compare with")
    parser.add_argument("--out", type=Path, help="folder for the pictures themselves")
    parser.add_argument("--photos", type=int, default=100, help="so many at most, evenly chosen")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    paths = sorted((ROOT / "samples" / "scenes").glob("*.jpg"))
    if options.data:
        photos = held_paths(options.data)
        paths += photos[:: math.ceil(len(photos) / options.photos)]
    see = make_eye(options.teacher) if options.teacher else unseen
    shapes = [np.asarray(Image.open(path)) for path in sorted(ROOT.glob("samples/truth/*_person*"))]
    methods = make_methods(options.threads, options.network)
    results: dict[str, list[tuple[float, ...]]] = {name: [] for name in methods}
    for index, path in enumerate(paths):
        photo = read(path)
        hole = hole_of(shapes[index % len(shapes)], 0.25 + 0.5 * (index % 3) / 2)
        dark = np.where(hole[:, :, None] > 0, np.uint8(0), photo)
        shown = [photo, dark]
        for name, fill in methods.items():
            start = time.perf_counter()
            filled = fill(dark, hole)
            taken = time.perf_counter() - start
            results[name].append((*judge(filled, photo, hole), see(filled, photo), taken))
            shown.append(filled)
        if options.out:
            keep(shown, options.out / f"{index:02}.jpg")
    print_table(results)


def print_table(results: dict[str, list[tuple[float, ...]]]) -> None:
    """Print means over pictures, and times as shares of ours."""
    ours = np.median([row[-1] for row in results["ours"]])
    print(f"{len(results['ours'])} pictures, ours takes {ours * 1000:.0f} ms here")
    print("| method | detail | seam | error | noise | features | time |")
    print("|---|---|---|---|---|---|---|")
    for name, rows in results.items():
        detail, seam, error, noise, features, _ = np.mean(rows, axis=0)
        taken = np.median([row[-1] for row in rows]) / ours
        print(
            f"| {name} | {detail:.2f} | {seam:.2f} | {error:.1f} | {noise:.2f} "
            f"| {features:.3f} | {taken:.1f} |"
        )


def make_methods(threads: int, network: Path | None) -> dict[str, Fill]:
    """Return the methods by name."""
    raster = CpuRaster(threads)

    def in_arena(fill: Callable[[Pixels, Pixels, Arena], Pixels]) -> Fill:
        def filled(pixels: Pixels, hole: Pixels) -> Pixels:
            with Budget(1 << 30).lease(0) as arena:
                return fill(pixels, hole, arena).copy()

        return filled

    def sketch(sketcher: Sketcher) -> Fill:
        def drawn(pixels: Pixels, hole: Pixels, arena: Arena) -> Pixels:
            large = arena.array(pixels.shape, np.float32)
            raster.resize(sketcher.sketch(pixels, hole, arena), large)
            drawing = np.clip(large * 255, 0, 255).astype(np.uint8)
            return np.where(hole[:, :, None] > 0, drawing, pixels)

        return in_arena(drawn)

    def telea(pixels: Pixels, hole: Pixels) -> Pixels:
        return np.asarray(cv2.inpaint(pixels, hole, REACH_PIXELS, cv2.INPAINT_TELEA), np.uint8)

    def flow(pixels: Pixels, hole: Pixels) -> Pixels:
        return np.asarray(cv2.inpaint(pixels, hole, REACH_PIXELS, cv2.INPAINT_NS), np.uint8)

    methods = {
        "ours": in_arena(Inpainter(raster).fill),
        "the sketch": sketch(Sketcher(raster)),
        "OpenCV, Telea": telea,
        "OpenCV, Navier-Stokes": flow,
    }
    if network:
        engine = OpenVinoEngine(
            network.read_bytes(), threads=threads, picture_inputs=INPAINT.picture_inputs
        )
        methods["ours with the network"] = in_arena(Inpainter(raster, engine).fill)
        methods["the network's sketch"] = sketch(Sketcher(raster, engine))
    return methods


def make_eye(teacher: Path) -> Callable[[Pixels, Pixels], float]:
    """Return what tells how far two pictures' features are apart."""
    # Only the environment of the recipes has torch.
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    from training.inpaint.losses import seen_loss  # noqa: PLC0415
    from training.stylize.perception import Perception  # noqa: PLC0415

    perception = Perception(teacher, torch.float32)

    def see(filled: Pixels, photo: Pixels) -> float:
        pair = torch.from_numpy(np.stack([filled, photo])).permute(0, 3, 1, 2) / 255
        mine, theirs = functional.avg_pool2d(pair, 2).split(1)
        with torch.no_grad():
            return float(seen_loss(mine, theirs, perception))

    return see


def unseen(filled: Pixels, photo: Pixels) -> float:
    """Stand for the eye where there is none."""
    del filled, photo
    return math.nan


def keep(shown: list[Pixels], path: Path) -> None:
    """Write a photo, its hole and its fillings side by side, two in a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate(shown[start : start + 2], axis=1) for start in range(0, len(shown), 2)]
    Image.fromarray(np.concatenate(rows)).save(path, quality=92)


def hole_of(person: Pixels, place: float) -> Pixels:
    """Return a hole of somebody's shape, widened to a quarter of the picture where it fits.

    Args:
        person: HxW mask.
        place: of its middle, as a share of the width.
    """
    rows, columns = np.flatnonzero(person.max(axis=1) > 0), np.flatnonzero(person.max(axis=0) > 0)
    shape = Image.fromarray(person[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    height = round(0.95 * SIZE[0])
    full = float((np.asarray(shape) > 0).mean())
    width = min(round(0.5 * SIZE[1]), round(HOLE_SHARE * SIZE[0] * SIZE[1] / full / height))
    hole = np.zeros(SIZE, np.uint8)
    left = max(0, min(SIZE[1] - width, round(place * SIZE[1] - width / 2)))
    scaled = np.asarray(shape.resize((width, height)))
    hole[SIZE[0] - height :, left : left + width] = (scaled > 0) * np.uint8(255)
    return hole


def judge(filled: Pixels, photo: Pixels, hole: Pixels) -> tuple[float, float, float, float]:
    """Return detail, seam, error and noise of a filled hole."""
    grey = filled.astype(np.float32).mean(axis=2)
    step = np.abs(np.diff(grey, axis=1))
    before, after = hole[:, :-1] > 0, hole[:, 1:] > 0
    inside, outside, across = before & after, ~before & ~after, before != after
    detail = step[inside].mean() / step[outside].mean()
    seam = step[across].mean() / ((step[inside].mean() + step[outside].mean()) / 2)
    soft, true = (
        np.asarray(Image.fromarray(each).filter(ImageFilter.GaussianBlur(BLUR_PIXELS)), np.float32)
        for each in (filled, photo)
    )
    error = np.abs(soft - true)[hole > 0].mean()
    apart = (filled.astype(np.float32) - photo)[hole > 0]
    noise = 20 * np.log10(255) - 10 * np.log10(max(float(np.square(apart).mean()), 1e-9))
    return float(detail), float(seam), float(error), float(noise)


def read(path: Path) -> Pixels:
    """Read a picture, cut to the proportions and scaled to the size that is measured at."""
    image = Image.open(path).convert("RGB")
    scale = max(SIZE[1] / image.width, SIZE[0] / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    return np.asarray(image.crop((0, 0, SIZE[1], SIZE[0])))


if __name__ == "__main__":
    main()
