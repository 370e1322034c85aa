"""How well depth is found: `python -m bench.depth --data DATA`.

Each factor is shown by itself, in one run on the same pictures: the network alone, with people
known, with the map fitted to edges, and all together as it is served.

`order` is the share of pairs of a pixel of somebody and a pixel of the background around them, not
below their feet, that are in the right order. Who is where is true for the samples; for photos
below `--data` we drew it by hand (people.json, in hundredths of the sides), and left out what
stands before people. A strip along outlines, 2 % of the side wide each way, is left out too.
`error` is the mean difference of inverse depth to the true one of samples/scenes/still.jpg, of
which 1 is the whole range, after the best scale and shift; `pairs` is the share of any two of its
pixels, at least a tenth of the range apart, that are in the right order.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from services.chassis.engine.choice import CpuRoom
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.store import ModelStore
from services.vision.depth import DepthFinder
from services.vision.networks import DEPTH, PEOPLE
from services.vision.person import Person, PersonFinder

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"
TRUE_PEOPLE = (
    "anna_teal_tee_jeans_studio",
    "diego_red_tee_shorts_beach",
    "mei_floral_dress_room",
)
OUTLINES = Path(__file__).parent / "people.json"
PAIRS = 20_000
JUDGED_SIDE = 256
STILL_METRES = 4.0


class Blunt(CpuRaster):
    """Scales maps up without a look at the picture."""

    def fit_to_edges(
        self,
        guide: NDArray[np.uint8],
        mask: NDArray[Any],
        radius: int,
        contrast: float,
        target: NDArray[Any],
    ) -> None:
        """Scale."""
        del guide, radius, contrast
        self.resize(mask, target)


class Nobody(PersonFinder):
    """Finds nobody."""

    def people(
        self, pixels: NDArray[np.uint8], arena: Arena, *, in_parts: bool = True
    ) -> tuple[Person, ...]:
        """Return nobody."""
        del pixels, arena, in_parts
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A picture with people.

    Attributes:
        name: of the picture.
        pixels: HxWx3 uint8 RGB.
        person: HxW uint8, 255 where people surely are, 128 where it can't be said.
    """

    name: str
    pixels: NDArray[np.uint8]
    person: NDArray[np.uint8]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.depth", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with photos/")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    finders = make_finders(options.threads)
    cases = [*true_cases(), *(photo_cases(options.data) if options.data else ())]
    print("| order of somebody and what is around | " + " | ".join(finders) + " |")
    print("|---|" + "---|" * len(finders))
    rows = []
    for case in cases:
        row = [order(depth_of(finder, case.pixels), case) for finder in finders.values()]
        rows.append(row)
        print(f"| {case.name} | " + " | ".join(f"{value:.3f}" for value in row) + " |")
    print("| mean | " + " | ".join(f"{v:.3f}" for v in np.mean(rows, axis=0)) + " |\n")
    still = [judge_still(finder) for finder in finders.values()]
    print("| still life | " + " | ".join(finders) + " |")
    print("|---|" + "---|" * len(finders))
    print("| error | " + " | ".join(f"{error:.3f}" for error, _ in still) + " |")
    print("| pairs | " + " | ".join(f"{pairs:.3f}" for _, pairs in still) + " |\n")
    print_times(finders)


def make_finders(threads: int) -> dict[str, DepthFinder]:
    """Return a finder for each set of factors."""
    store, lens = ModelStore(ROOT / "models"), CpuRaster(threads)
    room = CpuRoom(store, threads)
    engine, detector, landmarker = (room.load(network) for network in (DEPTH, *PEOPLE))
    people = PersonFinder(detector=detector, landmarker=landmarker, lens=lens)
    nobody = Nobody(detector=detector, landmarker=landmarker, lens=lens)
    blunt = Blunt(threads)
    return {
        "network": DepthFinder(engine=engine, people=nobody, lens=blunt),
        "+ people": DepthFinder(engine=engine, people=people, lens=blunt),
        "+ edges": DepthFinder(engine=engine, people=nobody, lens=lens),
        "all": DepthFinder(engine=engine, people=people, lens=lens),
    }


def true_cases() -> Iterator[Case]:
    """Read the samples whose people are known."""
    for name in TRUE_PEOPLE:
        mask = np.asarray(Image.open(SAMPLES / "truth" / f"{name}_person.png"))
        yield Case(name=name, pixels=read(SAMPLES / "people" / f"{name}.jpg"), person=sure(mask))


def photo_cases(data: Path) -> Iterator[Case]:
    """Read photos of people, whose outlines we drew."""
    for name, outlines in json.loads(OUTLINES.read_text()).items():
        pixels = read(data / "photos" / name)
        person = sure(drawn(outlines["people"], pixels.shape[1::-1]))
        unsaid = drawn(outlines["unsaid"], pixels.shape[1::-1]) > 0
        yield Case(name=name, pixels=pixels, person=np.where(unsaid & (person == 0), 128, person))


def drawn(outlines: list[list[float]], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Fill outlines, x and y in hundredths in turn, into a mask of width x height."""
    mask = Image.new("L", (size[0], size[1]))
    for outline in outlines:
        places = np.reshape(outline, (-1, 2)) * size / 100
        ImageDraw.Draw(mask).polygon([tuple(place) for place in places], fill=255)
    return np.asarray(mask)


def sure(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark a strip along the outline, 2 % of the picture's side wide each way, as 128."""
    scale = JUDGED_SIDE / max(mask.shape)
    small = Image.fromarray(mask).resize([max(1, round(n * scale)) for n in mask.shape[1::-1]])
    inner = np.asarray(small.filter(ImageFilter.MinFilter(9))) > 128
    outer = np.asarray(small.filter(ImageFilter.MaxFilter(9))) > 128
    marked = np.where(inner, 255, np.where(outer, 128, 0)).astype(np.uint8)
    nearest = Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(marked).resize(mask.shape[1::-1], nearest))


def depth_of(finder: DepthFinder, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find a picture's depth."""
    with Budget(1 << 30).lease(0) as arena:
        return finder.depth(pixels, arena).copy()


def order(near: NDArray[np.float32], case: Case) -> float:
    """Return the share of pairs of a person's and a background's pixel in the right order."""
    person = case.person == 255
    feet = int(np.flatnonzero(person.any(axis=1))[-1])
    around = around_of(case.person)
    around[feet:] = False
    random = np.random.default_rng(1)
    first, second = (random.choice(near[where], PAIRS) for where in (person, around))
    return float((first > second).mean())


def around_of(person: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return what lies within an eighth of the picture's side around people."""
    scale = JUDGED_SIDE / max(person.shape)
    size = [max(1, round(n * scale)) for n in person.shape[1::-1]]
    small = Image.fromarray(person).resize(size, Image.Resampling.NEAREST)
    wide = small.filter(ImageFilter.MaxFilter(JUDGED_SIDE // 4 + 1)).resize(person.shape[1::-1])
    return np.asarray((np.asarray(wide) > 0) & (person == 0))


def judge_still(finder: DepthFinder) -> tuple[float, float]:
    """Compare with the true depth of the still life; return error and share of right pairs."""
    stored = np.asarray(Image.open(SAMPLES / "truth" / "still_depth.png")).astype(np.float64)
    known = stored > 0
    true = 1 / (stored[known] / 65535 * STILL_METRES)
    true = (true - true.min()) / (true.max() - true.min())
    near = depth_of(finder, read(SAMPLES / "scenes" / "still.jpg"))[known].astype(np.float64)
    line = np.stack([near, np.ones_like(near)], axis=1)
    fit, *_ = np.linalg.lstsq(line, true, rcond=None)
    error = float(np.abs(line @ fit - true).mean())
    random = np.random.default_rng(2)
    first, second = random.integers(len(true), size=(2, 10 * PAIRS))
    apart = np.abs(true[first] - true[second]) >= 0.1
    right = (near[first] > near[second]) == (true[first] > true[second])
    return error, float(right[apart].mean())


def print_times(finders: dict[str, DepthFinder], rounds: int = 7) -> None:
    """Print how long a picture of 1280x720 takes, as a share of the network's own time."""
    pixels = np.asarray(Image.open(SAMPLES / "scenes" / "street.jpg").resize((1280, 720)))
    medians = {}
    for name, finder in finders.items():
        times = []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            depth_of(finder, pixels)
            times.append(time.perf_counter() - start)
        medians[name] = float(np.median(times[1:]))
    base = medians["network"]
    shown = " | ".join(f"{value / base:.2f}" for value in medians.values())
    print(f"| time over the network's ({base * 1000:.0f} ms here) | {shown} |")


def read(path: Path) -> NDArray[np.uint8]:
    """Read a picture as HxWx3 uint8 RGB."""
    return np.asarray(Image.open(path).convert("RGB"))


if __name__ == "__main__":
    main()
