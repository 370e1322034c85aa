"""Lessons: photos, styles, and what the teacher makes of them, written once to the room.

`python -m training.stylize.lessons --data DATA --room ROOM`. A lesson is a square of a photo, one
style or a mix of two, and the picture that the network shall draw: by the teacher where the style
is a picture, by a classical filter where it is a medium.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.stylize.data import Picture, centred, load_photos, read, window
from training.stylize.losses import palette
from training.stylize.mediums import MEDIUMS, render
from training.stylize.network import CODE_SIZE, SUMMARY_SIZE
from training.stylize.perception import Perception
from training.stylize.pool import SIDE as STYLE_SIDE
from training.stylize.pool import style_picture
from training.stylize.studio import studio_photos
from training.stylize.styles import PAINTINGS, load_painting
from training.stylize.targets import grams_of, tensor
from training.stylize.teacher import SIDE, Teacher, summary_of

NAMED_SHARE = 0.38
"""Share of the teacher's lessons whose style is a named painting."""

MIX_SHARE = 0.06
"""Share of the teacher's lessons that mix two styles."""

MEDIUM_SHARE = 0.15
"""Share of the lessons whose picture is a medium's."""

MEDIUM_POOL_SHARE = 0.06
"""Share of the style pictures that are photos in a medium."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """All that training learns from; S style pictures, the named paintings first; N lessons.

    Attributes:
        photos: [N,SIDE,SIDE,3] uint8.
        pictures: [N,SIDE,SIDE,3] uint8, what the network shall make of the photos.
        first: [N], the style's place; from S on, the place of the medium.
        second: [N], the style mixed in, or -1.
        share: [N], how much of the first style there is.
        views: [S,STYLE_SIDE,STYLE_SIDE,3] uint8, the style pictures.
        codes: [S,CODE_SIZE], from the teacher's statistics.
        summaries: [S,SUMMARY_SIZE], zeros until the encoder has read the style pictures.
        grams: [S,LEVELS,GRAM_FLOATS] bfloat16.
        palettes: [S,...], see losses.palette.
        centre: [256], mean of the teacher's statistics, which the projection subtracts.
        projection: [256,CODE_SIZE], from the statistics to a code.
    """

    photos: Bytes
    pictures: Bytes
    first: Tensor
    second: Tensor
    share: Tensor
    views: Bytes
    codes: Tensor
    summaries: Tensor
    grams: Tensor
    palettes: Tensor
    centre: Tensor
    projection: Tensor


def load_lessons(room: Path) -> Lessons:
    """Open lessons that main wrote; pictures stay on disk until they are looked at."""
    stored = torch.load(room / "lessons.pt", weights_only=True)
    arrays = {
        name: np.load(room / f"{name}.npy", mmap_mode="r")
        for name in ("photos", "pictures", "views")
    }
    summaries = torch.zeros(len(stored["codes"]), SUMMARY_SIZE)
    return Lessons(**arrays, summaries=summaries, **stored)


def main() -> None:
    """Read the flags and write the lessons."""
    parser = argparse.ArgumentParser(description="Write the lessons of the stylizer.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder to write to")
    parser.add_argument("--styles", type=int, default=1500, help="style pictures")
    parser.add_argument("--lessons", type=int, default=2400, help="lessons")
    parser.add_argument("--studio", type=int, default=36, help="rendered people before walls")
    parser.add_argument("--seed", type=int, default=31, help="where random choices start")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    flags.room.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(flags.seed)
    photos = load_photos(flags.data)
    posed = [*photos, *studio_photos(flags.data, flags.studio, random)]
    teacher = Teacher(flags.data, flags.threads)
    views = style_pictures(flags.data, photos, flags.styles, random)
    np.save(flags.room / "views.npy", views)
    stored, styles = described(flags.data, teacher, views)
    plan = planned(flags.lessons, flags.styles, random)
    torch.save(stored | plan, flags.room / "lessons.pt")
    shape = (flags.lessons, SIDE, SIDE, 3)
    shown, drawn = (
        np.lib.format.open_memmap(flags.room / f"{name}.npy", "w+", np.uint8, shape)
        for name in ("photos", "pictures")
    )
    since = time.monotonic()
    for index in range(flags.lessons):
        shown[index] = window(posed[int(random.integers(len(posed)))], SIDE, random)
        drawn[index] = lesson(teacher, shown[index], plan, index, styles)
        if index % 200 == 199:
            print(index + 1, f"lessons, {time.monotonic() - since:.0f} s", flush=True)


def style_pictures(
    data: Path, photos: list[Picture], count: int, random: np.random.Generator
) -> Bytes:
    """Return the style pictures [S,STYLE_SIDE,STYLE_SIDE,3]: the named paintings, then a pool."""
    paintings = [load_painting(data, painting) for painting in PAINTINGS]
    cloths = [read(path) for path in sorted((data / "garments").rglob("*.jpg"))[::8]]
    found = [centred(painting, STYLE_SIDE) for painting in paintings]
    while len(found) < count:
        if random.random() < MEDIUM_POOL_SHARE:
            cut = window(photos[int(random.integers(len(photos)))], STYLE_SIDE, random)
            medium = MEDIUMS[int(random.integers(len(MEDIUMS)))]
            found.append(render(medium, cut, 0.0))
        else:
            found.append(style_picture(paintings, photos, cloths, random))
    return np.stack(found)


def described(
    data: Path, teacher: Teacher, views: Bytes
) -> tuple[dict[str, Tensor], list[list[Tensor]]]:
    """Return what is stored of style pictures, and the teacher's knowledge of each."""
    eye = Perception(data / "teachers" / "vgg19_distilled16x_e5.pth")
    styles = [teacher.style(view) for view in views]
    summaries = torch.stack([summary_of(style) for style in styles])
    centre, projection = principal(summaries)
    stored = {
        "codes": (summaries - centre) @ projection,
        "grams": torch.cat([grams_of(eye, view) for view in views]),
        "palettes": torch.cat([palette(tensor(view[None])) for view in views]),
        "centre": centre,
        "projection": projection,
    }
    return stored, styles


def principal(summaries: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean [D] and projection [D,CODE_SIZE] of summaries [S,D] to their main components.

    Components are divided by the square root of their deviation: half way to whitening, so that
    small ones are heard, yet not as loud as the main ones.
    """
    centre, spread = summaries.mean(dim=0), summaries.std(dim=0).clamp_min(1e-4)
    levelled = (summaries - centre) / spread
    values, vectors = torch.linalg.eigh(levelled.T @ levelled / len(levelled))
    values, vectors = values.flip(0)[:CODE_SIZE], vectors.flip(1)[:, :CODE_SIZE]
    return centre, vectors / spread[:, None] / values.clamp_min(1e-4) ** 0.25


def planned(count: int, styles: int, random: np.random.Generator) -> dict[str, Tensor]:
    """Return which styles each lesson has: first, second and share."""
    named = len(PAINTINGS)
    first, second, share = [], [], []
    for _ in range(count):
        one, other, part = int(random.integers(named, styles)), -1, 1.0
        if random.random() < MEDIUM_SHARE:
            one = styles + int(random.integers(len(MEDIUMS)))
        elif random.random() < NAMED_SHARE:
            one = int(random.integers(named))
        if one < styles and random.random() < MIX_SHARE:
            other, part = int(random.integers(styles)), float(random.uniform(0.2, 0.8))
        first.append(one)
        second.append(other)
        share.append(part)
    return {
        "first": torch.tensor(first),
        "second": torch.tensor(second),
        "share": torch.tensor(share),
    }


def lesson(
    teacher: Teacher,
    photo: Picture,
    plan: dict[str, Tensor],
    index: int,
    styles: list[list[Tensor]],
) -> Picture:
    """Return what the network shall make of a photo."""
    one, other = int(plan["first"][index]), int(plan["second"][index])
    if one >= len(styles):
        return render(MEDIUMS[one - len(styles)], photo, 0.0)
    style = styles[one]
    if other >= 0:
        part = float(plan["share"][index])
        pairs = zip(style, styles[other], strict=True)
        style = [a * part + b * (1 - part) for a, b in pairs]
    return teacher.draw(photo, style)


if __name__ == "__main__":
    main()
