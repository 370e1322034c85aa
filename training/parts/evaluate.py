"""Judge the parts network as the service runs it: `python -m training.parts.evaluate --data DATA`.

Rendered people that training never saw stand before photos without people; the person finder and
the parts finder look at them, and their labels are held to the truth as intersection over union of
each class, over all pictures together. The samples' true masks come after. `--sheet` draws what was
found on any pictures.
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
from services.vision.person import PersonFinder, person_at
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
SAMPLE_MASKS = {
    "upper": (Wear.UPPER,),
    "lower": (Wear.LOWER,),
    "dress": (Wear.DRESS,),
    "skin": (Wear.SKIN,),
    "hair": (Wear.HAIR,),
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
    finder: PersonFinder,
    parts: PartsFinder,
    pixels: Bytes,
    point: tuple[float, float] | None = None,
) -> tuple[Bytes, Bytes]:
    """Return body and wear labels of the person at a point, or of the most prominent one."""
    with Budget(1 << 31).lease(0) as arena:
        people = finder.people(pixels, arena)
        person = (person_at(people, *point) if point else None) or (people or (None,))[0]
        if person is None:
            nothing = np.zeros(pixels.shape[:2], np.uint8)
            return nothing, nothing
        found = parts.parts(pixels, person, arena)
        return found.body.copy(), found.wear.copy()


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
        rows, columns = np.nonzero(person.body == BodyPart.TORSO)
        middle = (float(np.median(columns)), float(np.median(rows)))
        body, wear = labels_of(finder, parts, pixels, middle)
        missed += not body.any()
        count(body, person.body, body_counts)
        count(wear, np.where(person.wear == EYES, Wear.SKIN, person.wear), wear_counts)
    print(f"held-out rendered people, {missed} not found")
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
        wear = labels_of(finder, parts, read(file))[1]
        shares = []
        for kind, mask in masks.items():
            if mask.exists():
                true = read_channels(mask)
                seen = np.isin(wear, SAMPLE_MASKS[kind])
                common, union = (seen & (true > 127)).sum(), (seen | (true > 127)).sum()
                shares.append(f"{kind} {common / union:.3f}")
        print(f"  {file.stem:32}", *shares)


def draw_sheet(
    finder: PersonFinder, parts: PartsFinder, pictures: list[Path], target: Path
) -> None:
    """Draw picture, body parts and wear of each side by side."""
    tiles = []
    for file in pictures:
        pixels = read(file)
        scale = 480 / max(pixels.shape[:2])
        views = [pixels]
        for labels in labels_of(finder, parts, pixels):
            colour = PALETTE[labels]
            shown = np.where(labels[:, :, None] > 0, 0.4 * pixels + 0.6 * colour, pixels * 0.5)
            views.append(shown.astype(np.uint8))
        row = [
            cv2.resize(view, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for view in views
        ]
        tile = np.zeros((480, 3 * 480, 3), np.uint8)
        joined = np.hstack(row)
        tile[: joined.shape[0], : joined.shape[1]] = joined
        tiles.append(tile[:, : max(joined.shape[1], 480)])
    width = max(tile.shape[1] for tile in tiles)
    padded = [np.pad(tile, ((0, 0), (0, width - tile.shape[1]), (0, 0))) for tile in tiles]
    cv2.imwrite(str(target), np.vstack(padded)[:, :, ::-1])


if __name__ == "__main__":
    main()
