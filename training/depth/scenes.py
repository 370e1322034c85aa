"""Scenes with exact depth: `python -m training.depth.scenes --data DATA --room ROOM`.

Renders rooms, streets, fields, coasts, mountains, still lifes, tables from above and portraits,
about eight a second on one core, and writes them into the room, one file for each shape of
picture. Depth is kept as what the network learns: inverse metres, of which the nearest is one.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.depth.canvas import SKY, Random
from training.depth.looks import finish
from training.depth.stage import Stage
from training.depth.stock import Stock

SHAPES = ((192, 256), (256, 192), (224, 224), (160, 288))
"""Heights and widths of the pictures, in pixels."""

SHARES = (0.38, 0.32, 0.15, 0.15)
"""How many pictures have each shape."""

SHRINK = 1.25
"""Scenes are drawn so much larger, and scaled by area: edges become soft as in photos."""

DEPTH_STEP = 2
"""Pixels of the picture for one of the depth."""


def sample(
    stage: Stage, shape: tuple[int, int], random: Random
) -> tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.uint8]]:
    """Draw one scene: HxWx3 picture, h x w inverse depth (65535 is the nearest), h x w kinds."""
    canvas = stage.scene((round(shape[0] * SHRINK), round(shape[1] * SHRINK)))
    pixels = finish(canvas, shape, random)
    small = (shape[1] // DEPTH_STEP, shape[0] // DEPTH_STEP)
    near = 1 / np.maximum(canvas.depth, 1e-2)
    near[canvas.kind == SKY] = 0
    near = cv2.resize(near.astype(np.float32), small, interpolation=cv2.INTER_NEAREST)
    kind = cv2.resize(canvas.kind, small, interpolation=cv2.INTER_NEAREST)
    near = np.minimum(near / max(float(np.quantile(near, 0.995)), 1e-6), 1)
    return pixels, np.rint(near * 65535).astype(np.uint16), kind


def main() -> None:
    """Read the flags and render."""
    parser = argparse.ArgumentParser(description="Render scenes with exact depth.")
    parser.add_argument("--data", type=Path, required=True, help="folder of photos and people")
    parser.add_argument("--room", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--people", type=int, default=260)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    cv2.setNumThreads(1)
    flags.room.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(flags.seed)
    stage = Stage(Stock(flags.data, random, flags.people), random)
    start = time.monotonic()
    for shape, share in zip(SHAPES, SHARES, strict=True):
        count = round(flags.count * share)
        half = tuple(extent // DEPTH_STEP for extent in shape)
        name = f"{flags.seed}_{shape[0]}x{shape[1]}"
        pictures = np.zeros((count, *shape, 3), np.uint8)
        depths = np.zeros((count, *half), np.uint16)
        kinds = np.zeros((count, *half), np.uint8)
        for index in range(count):
            pictures[index], depths[index], kinds[index] = sample(stage, shape, random)
        for what, array in (("pictures", pictures), ("depths", depths), ("kinds", kinds)):
            np.save(flags.room / f"{name}_{what}.npy", array)
        print(f"{name}: {count} after {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
