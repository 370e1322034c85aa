"""Rendered people as the pose networks see them: `python -m training.parts.people`.

Each person is put before photos several times, whole and cut by the picture's lower border, and
the service's own person finder looks at it, so that training sees the landmarks and silhouettes
of the real finder with its errors. What it found is kept in one file.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.store import ModelStore
from services.vision.frame import inverse
from services.vision.landmarker import CELLS
from services.vision.person import PersonFinder
from training.stylize.data import read

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

WHOLE_READINGS = 2
CUT_READINGS = 2
PEOPLED = "photos with people"
"""Key of their names in the file."""
HELD_EVERY = 10
"""One identity in so many is kept out of training, with both of its outfits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the finder saw of a person.

    Attributes:
        rows: how many rows of the picture were shown.
        landmarks: 33x4, in pixels of the person's picture.
        silhouette: HxW, 255 where the person was seen.
    """

    rows: int
    landmarks: Floats
    silhouette: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPerson:
    """A person with exact labels.

    Attributes:
        name: seed and outfit.
        pixels: HxWx3 RGB.
        alpha: HxW.
        wear: HxW classes.
        body: HxW parts.
        readings: what the finder saw, of several looks.
    """

    name: str
    pixels: Bytes
    alpha: Bytes
    wear: Bytes
    body: Bytes
    readings: tuple[Reading, ...]

    @property
    def is_held(self) -> bool:
        """Whether the identity only judges."""
        return int(self.name.rstrip("b")) % HELD_EVERY == 0


def main() -> None:
    """Read the flags and look at everybody."""
    parser = argparse.ArgumentParser(description="Let the person finder look at rendered people.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the lock")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    flags = parser.parse_args()
    finder = open_finder(flags.models)
    random = np.random.default_rng(6)
    peopled = photos_with_people(flags.data, finder)
    photos = load_photos(flags.data, 256, peopled)
    kept: dict[str, NDArray[np.generic]] = {PEOPLED: np.array(sorted(peopled))}
    for number, name in enumerate(names(flags.data)):
        person = read_person(flags.data, name)
        for take in range(WHOLE_READINGS + CUT_READINGS):
            reading = look(finder, person, photos, take >= WHOLE_READINGS, random)
            if reading is not None:
                kept[f"{name}/{take}/rows"] = np.array(reading.rows)
                kept[f"{name}/{take}/landmarks"] = reading.landmarks
                kept[f"{name}/{take}/silhouette"] = reading.silhouette
        if number % 50 == 0:
            print(name, len(kept), flush=True)
    np.savez_compressed(flags.out, **kept)


def open_finder(models: Path) -> PersonFinder:
    """Load the pose networks."""
    store = ModelStore(models)
    detector, landmarker = (
        OpenVinoEngine(store.path(name), threads=1) for name in ("pose_detector", "pose_landmarker")
    )
    return PersonFinder(detector=detector, landmarker=landmarker, lens=CpuRaster(1))


def names(data: Path) -> list[str]:
    """List the rendered people."""
    files = sorted((data / "people").glob("*_part.png"))
    return [file.name.removesuffix("_part.png") for file in files]


def read_person(data: Path, name: str, readings: tuple[Reading, ...] = ()) -> RenderedPerson:
    """Read picture and labels of one person."""
    folder = data / "people"
    picture = read_channels(folder / f"{name}.png")
    wear, body = (read_channels(folder / f"{name}_{kind}.png") for kind in ("class", "part"))
    return RenderedPerson(
        name=name,
        pixels=np.ascontiguousarray(picture[:, :, 2::-1]),
        alpha=np.ascontiguousarray(picture[:, :, 3]),
        wear=wear,
        body=body,
        readings=readings,
    )


def photos_with_people(data: Path, finder: PersonFinder) -> set[str]:
    """Name the photos that the finder sees people in."""
    found = set()
    for file in photo_files(data):
        with Budget(1 << 30).lease(0) as arena:
            if finder.people(read(file), arena):
                found.add(file.name)
    return found


def photo_files(data: Path) -> list[Path]:
    """List the photos in a fixed order."""
    return sorted((data / "photos").glob("*/*.jpg"))


def read_channels(file: Path) -> Bytes:
    """Read a picture with the channels that it has: BGRA, or HxW labels."""
    channels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if channels is None:
        message = f"{file} is not a picture"
        raise ValueError(message)
    return np.asarray(channels, np.uint8)


def load_photos(data: Path, side: int, peopled: set[str]) -> list[Bytes]:
    """Read the photos without people, their shorter side as given."""
    photos = []
    for file in photo_files(data):
        if file.name not in peopled:
            pixels = read(file)
            scale = side / min(pixels.shape[:2])
            size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
            photos.append(
                np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
            )
    return photos


def look(
    finder: PersonFinder,
    person: RenderedPerson,
    photos: list[Bytes],
    cut: bool,
    random: np.random.Generator,
) -> Reading | None:
    """Put a person before a photo and let the finder look; None if it sees nobody there."""
    height, width = person.alpha.shape
    rows = height
    if cut:
        (used,) = np.nonzero(person.alpha.any(axis=1))
        rows = round(used[0] + random.uniform(0.22, 0.85) * (used[-1] - used[0]))
    photo = photos[int(random.integers(len(photos)))]
    ground = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    light = random.uniform(0.7, 1.2, 3) * random.uniform(0.8, 1.1)
    share = person.alpha[:, :, None] / 255
    mixed = np.clip(ground + (person.pixels * light - ground) * share, 0, 255).astype(np.uint8)
    with Budget(1 << 28).lease(0) as arena:
        return best_reading(finder, mixed[:rows], person.alpha[:rows], (height, width), arena)


def best_reading(
    finder: PersonFinder, pixels: Bytes, alpha: Bytes, size: tuple[int, int], arena: Arena
) -> Reading | None:
    """Find the person whose silhouette fits the true one best."""
    best, best_share = None, 0.5
    for person in finder.people(np.ascontiguousarray(pixels), arena):
        silhouette = np.zeros(size, np.uint8)
        CpuRaster(1).warp(
            person.silhouette, inverse(person.frame.to_picture(CELLS)), silhouette[: len(pixels)]
        )
        seen, true = silhouette[: len(pixels)] > 127, alpha > 127
        share = float((seen & true).sum() / max((seen | true).sum(), 1))
        if share > best_share:
            landmarks = person.landmarks.copy()
            best_share = share
            best = Reading(rows=len(pixels), landmarks=landmarks, silhouette=silhouette)
    return best


def load_peopled(seen: Path) -> set[str]:
    """Read which photos show people."""
    return set(np.load(seen)[PEOPLED].tolist())


def load_people(data: Path, seen: Path) -> list[RenderedPerson]:
    """Read everybody that the finder saw."""
    kept = np.load(seen)
    people = []
    for name in names(data):
        readings = tuple(
            Reading(
                rows=int(kept[f"{name}/{take}/rows"]),
                landmarks=kept[f"{name}/{take}/landmarks"],
                silhouette=kept[f"{name}/{take}/silhouette"],
            )
            for take in range(WHOLE_READINGS + CUT_READINGS)
            if f"{name}/{take}/rows" in kept
        )
        if readings:
            people.append(read_person(data, name, readings))
    return people


if __name__ == "__main__":
    main()
