"""Judge the garment network as the service runs it: `python -m training.garment.evaluate`.

Photos kept out of training are judged by their folder's kinds and their guessed masks, drawn
garments by exact truth, the samples by exact masks; photos of places, pairs of garments, shoes and
hats should be refused. `--sheet` draws what was read from pictures.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.errors import InvalidRequestError
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.tryon.garment import GARMENT, Garment, GarmentReader
from services.tryon.landmarks import LANDMARKS, SIDE
from training.garment.batches import KINDS_OF_FOLDER, Material, drawn, load_photos, one, several
from training.garment.network import KINDS
from training.garment.train import HELD_EVERY, load_grounds
from training.parts.evaluate import share_of_union
from training.parts.people import Bytes, load_peopled, photo_files, read_channels
from training.stylize.data import read

TILE_SIDE = 256
DRAWN = 200


def main() -> None:
    """Read the flags and print the figures."""
    parser = argparse.ArgumentParser(description="Judge the garment network.")
    parser.add_argument("--data", type=Path, help="root of the training material")
    parser.add_argument("--room", type=Path, help="folder with masks.npz")
    parser.add_argument("--seen", type=Path, help="seen.npz of training.parts")
    parser.add_argument("--network", type=Path, default=Path("models/garment/garment.onnx"))
    parser.add_argument("--samples", type=Path, default=Path("samples"))
    parser.add_argument("--sheet", type=Path, help="picture to draw; needs pictures")
    parser.add_argument("pictures", type=Path, nargs="*")
    flags = parser.parse_args()
    engine = OpenVinoEngine(flags.network, threads=1, picture_inputs=GARMENT.picture_inputs)
    reader = GarmentReader(engine, CpuRaster(1))
    if flags.sheet:
        draw_sheet(reader, flags.pictures, flags.sheet)
        return
    judge_samples(reader, flags.samples)
    if flags.data:
        judge_photos(reader, flags.data, flags.room / "masks.npz")
        judge_drawn(reader, flags.data, flags.room / "masks.npz", flags.seen)
        judge_refusals(reader, flags.data, flags.seen)


def look(reader: GarmentReader, pixels: Bytes) -> Garment | None:
    """Read a picture; the mask is a copy. None if it is refused."""
    with Budget(1 << 31).lease(0) as arena:
        try:
            garment = reader.read(np.ascontiguousarray(pixels), arena)
        except InvalidRequestError:
            return None
        return Garment(
            category=garment.category,
            scores=garment.scores,
            mask=garment.mask.copy(),
            landmarks=garment.landmarks,
            axis=garment.axis,
        )


def judge_samples(reader: GarmentReader, samples: Path) -> None:
    """Print kind and mask of the samples."""
    for file in sorted((samples / "garments").glob("*.jpg")):
        garment = look(reader, read(file))
        mask = samples / "truth" / f"garment_{file.stem}.png"
        share = ""
        if garment and mask.exists():
            share = f"mask {share_of_union(garment.mask > 127, read_channels(mask) > 127):.3f}"
        print(f"  {file.stem:24} {garment.category if garment else 'refused'} {share}")


def judge_photos(reader: GarmentReader, data: Path, masks: Path) -> None:
    """Print how photos that never trained are read."""
    held = [
        photo
        for number, photo in enumerate(load_photos(data, masks))
        if number % HELD_EVERY == 0 and photo.kinds != ("other",)
    ]
    found = [(photo, look(reader, photo.pixels)) for photo in held]
    seen = [(photo, garment) for photo, garment in found if garment is not None]
    right = [garment.category in photo.kinds for photo, garment in seen]
    shares = [
        share_of_union(garment.mask > 127, photo.mask > 127)
        for photo, garment in seen
        if photo.mask is not None
    ]
    print(
        f"held photos {len(held)}, refused {len(held) - len(seen)}, kind right {np.mean(right):.3f}"
    )
    print(f"  mask against the guess: median {np.median(shares):.3f}, mean {np.mean(shares):.3f}")


def judge_drawn(reader: GarmentReader, data: Path, masks: Path, seen: Path) -> None:
    """Print masks, landmarks and kinds of drawn garments, and how many pairs are refused."""
    material = Material(load_photos(data, masks), load_grounds(data, SIDE, load_peopled(seen)))
    random = np.random.default_rng(99)
    shares, errors, right = [], [], []
    for _ in range(DRAWN):
        sample = one(material, drawn(material, random), random)
        garment = look(reader, sample.image)
        if garment is None:
            continue
        mask = cv2.resize(sample.mask, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) > 0
        shares.append(share_of_union(garment.mask > 127, mask))
        right.append(bool(sample.kinds[KINDS.index(garment.category)]))
        rows, columns = np.nonzero(mask)
        size = float(np.hypot(np.ptp(rows), np.ptp(columns)))
        for name, (x, y, _) in garment.landmarks.items():
            number = LANDMARKS.index(name)
            if sample.known[number] == 1:
                errors.append(float(np.hypot(*(sample.places[number] - (x, y)))) / size)
    print(f"drawn {DRAWN}, refused {DRAWN - len(shares)}, kind right {np.mean(right):.3f}")
    print(f"  mask {np.mean(shares):.3f}; landmarks off by {np.median(errors):.3f} of the diagonal")
    print(f"  within 0.05: {np.mean(np.array(errors) < 0.05):.3f}")
    pairs = [look(reader, several(material, random).image) is None for _ in range(60)]
    print(f"pairs refused {np.mean(pairs):.3f}")


def judge_refusals(reader: GarmentReader, data: Path, seen: Path) -> None:
    """Print how many pictures of something else are refused."""
    peopled = load_peopled(seen)
    places = [file for file in photo_files(data) if file.name not in peopled]
    print(f"places refused {np.mean([look(reader, read(file)) is None for file in places]):.3f}")
    for folder, kinds in KINDS_OF_FOLDER.items():
        if kinds == ("other",):
            files = sorted((data / "garments" / folder).glob("*.jpg"))
            refused = np.mean([look(reader, read(file)) is None for file in files])
            print(f"{folder} refused {refused:.3f}")


def draw_sheet(reader: GarmentReader, pictures: list[Path], target: Path) -> None:
    """Draw each picture with mask, landmarks and kind."""
    tiles = []
    for file in pictures:
        pixels = read(file)
        scale = TILE_SIDE / max(pixels.shape[:2])
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        garment = look(reader, pixels)
        view = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        word = "refused"
        if garment is not None:
            mask = cv2.resize(garment.mask, size, interpolation=cv2.INTER_AREA)[:, :, None] / 255
            view = (view * mask + (0.3 * view + (90, 0, 90)) * (1 - mask)).astype(np.uint8)
            for name, (x, y, sure) in garment.landmarks.items():
                place = (round(x * scale), round(y * scale))
                left, right = name.endswith("left"), name.endswith("right")
                colour = (255, 60, 60) if left else (60, 120, 255) if right else (255, 255, 0)
                cv2.circle(view, place, 4 if sure > 0.3 else 2, colour, -1, cv2.LINE_AA)
            word = f"{garment.category} {garment.scores[garment.category]:.2f}"
        cv2.putText(view, word, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 0), 1, cv2.LINE_AA)
        tile = np.zeros((TILE_SIDE, TILE_SIDE, 3), np.uint8)
        tile[: size[1], : size[0]] = view
        tiles.append(tile)
    while len(tiles) % 8:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[start : start + 8]) for start in range(0, len(tiles), 8)]
    cv2.imwrite(str(target), np.vstack(rows)[:, :, ::-1])


if __name__ == "__main__":
    main()
