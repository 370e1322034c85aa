"""How a filled hole compares with its surroundings: `python -m bench.inpaint --data DATA`.

Holes of people's shape, a quarter of a picture of 1280x720 or as much as the shape takes, are cut
into the samples' scenes and the photos of `--data`, and filled by ours and by OpenCV's two methods.

`detail` is the mean step from pixel to pixel in the hole over that in the picture without it: 1 is
as sharp and as grainy as the photo. `seam` is the mean step across the hole's edge over that inside
and outside of it: 1 can't be seen. `error` is the mean difference to the true picture in levels of
255 after both were blurred by 16 pixels: the right tone in the right place. `time` is ours as 1.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.inpaint import Inpainter

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
    parser.add_argument("--data", type=Path, help="folder with photos/kodak")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    paths = sorted((ROOT / "samples" / "scenes").glob("*.jpg"))
    if options.data:
        paths += sorted((options.data / "photos" / "kodak").iterdir())
    shapes = [np.asarray(Image.open(path)) for path in sorted(ROOT.glob("samples/truth/*_person*"))]
    methods = make_methods(options.threads)
    results: dict[str, list[tuple[float, ...]]] = {name: [] for name in methods}
    for index, path in enumerate(paths):
        photo = read(path)
        hole = hole_of(shapes[index % len(shapes)], 0.25 + 0.5 * (index % 3) / 2)
        for name, fill in methods.items():
            start = time.perf_counter()
            filled = fill(np.where(hole[:, :, None] > 0, np.uint8(0), photo), hole)
            taken = time.perf_counter() - start
            results[name].append((*judge(filled, photo, hole), taken))
    ours = np.median([row[-1] for row in results["ours"]])
    print(f"{len(paths)} pictures, ours takes {ours * 1000:.0f} ms here")
    print("| method | detail | seam | error | time |\n|---|---|---|---|---|")
    for name, rows in results.items():
        detail, seam, error, _ = np.mean(rows, axis=0)
        taken = np.median([row[-1] for row in rows]) / ours
        print(f"| {name} | {detail:.2f} | {seam:.2f} | {error:.1f} | {taken:.1f} |")


def make_methods(threads: int) -> dict[str, Fill]:
    """Return the methods by name."""
    inpainter = Inpainter(CpuRaster(threads))

    def ours(pixels: Pixels, hole: Pixels) -> Pixels:
        with Budget(1 << 30).lease(0) as arena:
            return inpainter.fill(pixels, hole, arena).copy()

    def telea(pixels: Pixels, hole: Pixels) -> Pixels:
        return np.asarray(cv2.inpaint(pixels, hole, REACH_PIXELS, cv2.INPAINT_TELEA), np.uint8)

    def flow(pixels: Pixels, hole: Pixels) -> Pixels:
        return np.asarray(cv2.inpaint(pixels, hole, REACH_PIXELS, cv2.INPAINT_NS), np.uint8)

    return {"ours": ours, "OpenCV, Telea": telea, "OpenCV, Navier-Stokes": flow}


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


def judge(filled: Pixels, photo: Pixels, hole: Pixels) -> tuple[float, float, float]:
    """Return detail, seam and error of a filled hole."""
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
    return float(detail), float(seam), float(np.abs(soft - true)[hole > 0].mean())


def read(path: Path) -> Pixels:
    """Read a picture, cut to the proportions and scaled to the size that is measured at."""
    image = Image.open(path).convert("RGB")
    scale = max(SIZE[1] / image.width, SIZE[0] / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    return np.asarray(image.crop((0, 0, SIZE[1], SIZE[0])))


if __name__ == "__main__":
    main()
