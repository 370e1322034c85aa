"""How near try-ons come to the truth: `python -m bench.tryon --data SAMPLES` or `--pairs PEOPLE`.

Rendered people in two outfits each, all else equal, and their garments alone (`tryon_cases`): a
garment is read from its picture by the shipped network and put on the person in the other outfit;
the picture in the garment's own outfit is the truth.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from bench import tryon_figures as figures
from bench.tryon_cases import Case, pair_cases, sample_cases
from services.chassis.errors import InvalidRequestError
from services.chassis.media.image import Picture
from services.chassis.memory.arena import Arena, Budget
from services.chassis.settings import Settings
from services.tryon import canvas
from services.tryon.assembly import make_pipeline
from services.tryon.body import labelled
from services.tryon.drawing import draw, united
from services.tryon.fit import fit
from services.tryon.gap import protected
from services.tryon.outfit import Hint, Tuck, Worn
from services.tryon.pipeline import TryonPipeline

COLUMNS = ("outside", "dE", "IoU", "sleeve%", "hem%", "NCC", "skin dE", "cpu s", "wall s", "MB")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One try-on's figures; nan where the pair does not tell."""

    outside: float
    colour: float
    overlap: float
    sleeve: float
    hem: float
    texture: float
    skin: float
    cpu_seconds: float
    wall_seconds: float
    megabytes: float


def main() -> None:
    """Print a table, one row a garment, and what all rows come to."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder of named samples")
    source.add_argument("--pairs", type=Path, help="folder of numbered pairs")
    parser.add_argument("--limit", type=int, default=10_000, help="try-ons at most")
    arguments = parser.parse_args()
    cases = sample_cases(arguments.data) if arguments.data else pair_cases(arguments.pairs)
    pipeline = make_pipeline(Settings())
    print(f"{'garment':26}{'read as':18}" + "".join(f"{name:>9}" for name in COLUMNS))
    rows: list[Row] = []
    refused = 0
    for case, _ in zip(cases, range(arguments.limit), strict=False):
        with Budget(1 << 32).lease(0) as arena:
            try:
                category, row = measure(pipeline, case, arena)
            except InvalidRequestError as error:
                refused += 1
                print(f"{case.name:26}refused: {error.message}", flush=True)
                continue
        rows.append(row)
        cells = "".join(f"{cell(*pair):>9}" for pair in zip(COLUMNS, astuple(row), strict=True))
        print(f"{case.name:26}{category:18}{cells}", flush=True)
    print(f"{len(rows)} try-ons, {refused} refused")
    for line in summary(rows):
        print(line)


def cell(name: str, value: float) -> str:
    """Write a figure; plain cloth has no texture, and not every pair tells every figure."""
    if np.isnan(value):
        return "plain" if name == "NCC" else "-"
    return f"{value:.2f}"


def measure(pipeline: TryonPipeline, case: Case, arena: Arena) -> tuple[str, Row]:
    """Put one garment on and compare.

    Raises:
        InvalidRequestError: garment or person was refused.
    """
    cloth = pipeline.read_garment(case.garment, Hint(), arena)
    worn = Worn(cloth=cloth, tuck=Tuck.OVER, field="")
    for _ in range(2):
        # The first time warms up.
        photo = Picture(pixels=case.before.copy(), alpha=None)
        started = time.process_time(), time.perf_counter()
        seen = pipeline.see(photo.pixels, None, arena)
        result = pipeline.try_on(photo, seen, [worn], 0, arena, Event())
        spent = time.process_time() - started[0], time.perf_counter() - started[1]
    wearer, window = seen.wearer, seen.window
    if wearer.shape != (window.height, window.width):
        raise ValueError("the pictures of pairs are compared at the size that they are worked at")
    part = window.slices
    made = np.ascontiguousarray(result.picture.pixels[part])
    drawn = draw(cloth, fit(cloth, wearer), wearer)
    laid = (united(drawn, wearer.shape) > 0.5) & (result.mask[part] > 0) & ~protected(wearer)
    bare = case.uncovered[part] & labelled(wearer.body, figures.ARM) & (result.mask[part] > 0)
    bare = canvas.shrunk(np.ascontiguousarray(bare & ~laid), 2)
    changed = (result.picture.pixels != case.before).any(axis=2)
    reach = case.worn if case.reach is None else case.reach
    hem = figures.hem_error(wearer, laid, case, reach[part])
    return cloth.category.value, Row(
        outside=int((changed & (result.mask == 0)).sum()),
        colour=figures.colour_error(cloth, made, laid),
        overlap=figures.overlap(laid, case.worn[part]),
        sleeve=figures.sleeve_error(wearer, laid, reach[part]),
        hem=figures.UNKNOWN if case.reach is None else hem,
        texture=figures.texture_correlation(drawn, made),
        skin=figures.skin_error(made, case.after[part], bare),
        cpu_seconds=spent[0],
        wall_seconds=spent[1],
        megabytes=arena.leased_bytes / 2**20,
    )


def summary(rows: Sequence[Row]) -> list[str]:
    """Say for each figure how many rows tell it, its median, and its worst."""
    lines = []
    for name, field in zip(COLUMNS, fields(Row), strict=True):
        values: NDArray[np.float64] = np.array([getattr(row, field.name) for row in rows], float)
        values = values[~np.isnan(values)]
        if not values.size:
            continue
        low, middle, high = np.quantile(values, (0.0, 0.5, 1.0))
        line = f"{name:8} of {values.size:4d}: median {middle:7.2f}, {low:7.2f} to {high:7.2f}"
        if name.endswith("%"):
            within = float((np.abs(values) <= 5).mean())
            line += f"; within 5 %: {within:.2f}, mean of amounts {np.abs(values).mean():.1f}"
        lines.append(line)
    return lines


if __name__ == "__main__":
    main()
