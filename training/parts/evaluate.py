"""Judge the parts network as the service runs it: `python -m training.parts.evaluate --data DATA`.

Rendered people that training never saw stand before photos without people; the person finder and
the parts finder look at them, and their labels are held to the truth as intersection over union of
each class, over all pictures together. Whom the person finder misses is counted and left out. The
samples' true masks come after. `--sheet` draws what was found on any pictures.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.parts import PARTS, BodyPart, PartsFinder, Wear
from services.vision.person import PersonFinder
from training.parts.people import (
    HELD_EVERY,
    Bytes,
    load_photos,
    names,
    open_finder,
    photos_with_people,
    read_channels,
    read_person,
)
from training.stylize.data import read

Counts = NDArray[np.float64]
EYES = 7
TILE_SIDE = 320
FOUND_SHARE_MIN = 0.7
"""Share of the union from which on a person that was found is the one that is meant."""
SAMPLE_MASKS = {
    "upper": Wear.UPPER,
    "lower": Wear.LOWER,
    "dress": Wear.DRESS,
    "skin": Wear.SKIN,
    "hair": Wear.HAIR,
}
PALETTE = np.array(
    [
        (0, 0, 0), (255, 220, 120), (90, 200, 255), (255, 80, 80), (80, 90, 255), (255, 160, 60),
        (60, 200, 120), (255, 0, 200), (0, 255, 255), (200, 60, 255), (120, 255, 0), (150, 90, 30),
        (0, 130, 90), (255, 255, 255), (130, 130, 130),
    ],
    np.float32,
)  # fmt: skip


def main() -> None:
    """Read the flags and print the tables."""
    parser = argparse.ArgumentParser(description="Judge the parts network.")
    parser.add_argument("--data", type=Path, help="root of the training material")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the lock")
    parser.add_argument("--network", type=Path, default=Path("models/parts/parts.onnx"))
    parser.add_argument("--samples", type=Path, default=Path("samples"))
    parser.add_argument("--sheet", type=Path, help="picture to draw; needs pictures")
    parser.add_argument("pictures", type=Path, nargs="*")
    flags = parser.parse_args()
    finder, parts = open_finder(flags.models), open_parts(flags.network)
    if flags.sheet:
        draw_sheet(finder, parts, flags.pictures, flags.sheet)
        return
    if flags.data:
        judge_rendered(finder, parts, flags.data)
    judge_samples(finder, parts, flags.samples)


def open_parts(network: Path) -> PartsFinder:
    """Load the network as the service does."""
    engine = OpenVinoEngine(network, threads=1, picture_inputs=PARTS.picture_inputs)
    return PartsFinder(engine, CpuRaster(1))


def labels_of(
    finder: PersonFinder, parts: PartsFinder, pixels: Bytes, truth: Bytes | None = None
) -> tuple[Bytes, Bytes] | None:
    """Return body and wear labels of a person, None if nobody was found.

    Args:
        pixels: HxWx3 RGB.
        truth: HxW, the person that is meant; default is the most prominent one.
    """
    with Budget(1 << 31).lease(0) as arena:
        for person in finder.people(pixels, arena):
            with arena.scope():
                found = parts.parts(pixels, person, arena)
                if truth is None or share_of_union(found.body > 0, truth > 0) > FOUND_SHARE_MIN:
                    return found.body.copy(), found.wear.copy()
    return None


def share_of_union(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Return how much of their union two masks have in common."""
    return float((first & second).sum() / max(int((first | second).sum()), 1))


def judge_rendered(finder: PersonFinder, parts: PartsFinder, data: Path) -> None:
    """Print the shares of union for held-out rendered people."""
    photos = load_photos(data, 480, photos_with_people(data, finder))
    random = np.random.default_rng(11)
    body_counts, wear_counts = np.zeros((2, len(BodyPart))), np.zeros((2, len(Wear)))
    missed = 0
    for name in names(data):
        if int(name.rstrip("b")) % HELD_EVERY:
            continue
        person = read_person(data, name)
        photo = photos[int(random.integers(len(photos)))]
        height, width = person.alpha.shape
        ground = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA).astype(float)
        share = person.alpha[:, :, None] / 255
        pixels = (ground + (person.pixels - ground) * share).astype(np.uint8)
        labels = labels_of(finder, parts, pixels, person.body)
        if labels is None:
            missed += 1
            continue
        body, wear = labels
        count(body, person.body, body_counts)
        count(wear, np.where(person.wear == EYES, Wear.SKIN, person.wear), wear_counts)
    print(f"held-out rendered people; left out, as the person finder missed them: {missed}")
    print_shares([part.name for part in BodyPart], body_counts)
    print_shares([kind.name for kind in Wear], wear_counts)


def count(found: Bytes, true: NDArray[np.integer], counts: Counts) -> None:
    """Add pixels in common and of the union of each class."""
    for label in range(counts.shape[1]):
        counts[0, label] += ((found == label) & (true == label)).sum()
        counts[1, label] += ((found == label) | (true == label)).sum()


def print_shares(words: list[str], counts: Counts) -> None:
    """Print each class and the mean without the ground."""
    shares = counts[0] / np.maximum(counts[1], 1)
    for word, share in zip(words, shares, strict=True):
        print(f"  {word.lower():16} {share:.3f}")
    print(f"  {'mean':16} {shares[1:].mean():.3f} without ground, {shares.mean():.3f} with it")


def judge_samples(finder: PersonFinder, parts: PartsFinder, samples: Path) -> None:
    """Print how the samples' masks are met."""
    print("samples")
    for file in sorted((samples / "people").glob("*.jpg")):
        masks = {kind: samples / "truth" / f"{file.stem}_{kind}.png" for kind in SAMPLE_MASKS}
        if not masks["skin"].exists():
            continue
        labels = labels_of(finder, parts, read(file))
        if labels is None:
            print(f"  {file.stem} not found")
            continue
        shares = []
        for kind, mask in masks.items():
            if mask.exists():
                true = read_channels(mask)
                seen = labels[1] == SAMPLE_MASKS[kind]
                shares.append(f"{kind} {share_of_union(seen, true > 127):.3f}")
        print(f"  {file.stem:32}", *shares)


def draw_sheet(
    finder: PersonFinder, parts: PartsFinder, pictures: list[Path], target: Path
) -> None:
    """Draw picture, body parts and wear of each side by side."""
    tiles = []
    for file in pictures:
        pixels = read(file)
        scale = TILE_SIDE / max(pixels.shape[:2])
        views = [pixels]
        for labels in labels_of(finder, parts, pixels) or ():
            colour = PALETTE[labels]
            shown = np.where(labels[:, :, None] > 0, 0.35 * pixels + 0.65 * colour, pixels * 0.5)
            views.append(shown.astype(np.uint8))
        tile = np.zeros((TILE_SIDE, 3 * TILE_SIDE, 3), np.uint8)
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        for number, view in enumerate(views):
            left = number * TILE_SIDE
            small = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
            tile[: size[1], left : left + size[0]] = small
        tiles.append(tile)
    if len(tiles) % 2:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(pair) for pair in zip(tiles[::2], tiles[1::2], strict=True)]
    cv2.imwrite(str(target), np.vstack(rows)[:, :, ::-1])


if __name__ == "__main__":
    main()
