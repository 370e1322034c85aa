"""How near try-ons come to the truth: `python -m bench.tryon --data SAMPLES`.

The data are rendered people in two outfits each, all else equal, with exact masks, and their
garments alone on white (`person_NAME_OUTFIT_SET.png`, `..._mask_PART.png`, `garment_NAME.png`). A
garment is read from its picture by the shipped network and put on the person in the other outfit;
the photo in the garment's own outfit is the truth.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.chassis.media.image import Picture
from services.chassis.memory.arena import Arena, Budget
from services.chassis.settings import Settings
from services.tryon import canvas
from services.tryon.assembly import make_pipeline
from services.tryon.body import (
    FOREARM,
    SIDES,
    UPPER_ARM,
    Wearer,
    along_arm,
    below_hips,
    find_limb,
    labelled,
)
from services.tryon.cloth import Cloth
from services.tryon.drawing import Drawn, draw, united
from services.tryon.fit import fit
from services.tryon.gap import protected
from services.tryon.outfit import Hint, Tuck, Worn
from services.tryon.pieces import Part
from services.tryon.pipeline import TryonPipeline
from services.vision.parts import BodyPart

Pixels = NDArray[np.uint8]
Chosen = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]

ARM = (*UPPER_ARM.values(), *FOREARM.values())
GREY = np.array([0.299, 0.587, 0.114])
# Cloth whose brightness varies less has no texture to correlate.
PLAIN = 8.0
# Standard deviation of lightness from which cloth has a pattern of several colours.
PATTERNED = 15.0

# The garment, the person in other clothes, and the person in that very garment.
TRIPLES = (
    (
        "upper_striped_blouse",
        "anna_teal_tee_jeans_studio",
        "anna_striped_blouse_skirt_studio",
    ),
    ("lower_grey_skirt", "anna_teal_tee_jeans_studio", "anna_striped_blouse_skirt_studio"),
    ("upper_teal_tee", "anna_striped_blouse_skirt_studio", "anna_teal_tee_jeans_studio"),
    ("lower_blue_jeans", "anna_striped_blouse_skirt_studio", "anna_teal_tee_jeans_studio"),
    ("upper_striped_shirt", "kofi_white_tee_chinos_studio", "kofi_striped_shirt_jeans_studio"),
    ("upper_white_tee", "kofi_striped_shirt_jeans_studio", "kofi_white_tee_chinos_studio"),
    (
        "lower_beige_chinos",
        "kofi_striped_shirt_jeans_studio",
        "kofi_white_tee_chinos_studio",
    ),
    (
        "upper_striped_longsleeve",
        "priya_dotted_dress_room",
        "priya_stripe_longsleeve_jeans_room",
    ),
    ("dress_dotted", "priya_stripe_longsleeve_jeans_room", "priya_dotted_dress_room"),
)
# Hems that the rendered trousers hide, so that the truth does not show where they end.
HIDDEN_HEMS = ("upper_teal_tee", "upper_white_tee", "upper_striped_longsleeve")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One try-on's figures; nan where the pair does not tell."""

    garment: str
    category: str
    outside: int
    colour: float
    overlap: float
    sleeve: float
    hem: float
    texture: float
    skin: float
    cpu_seconds: float
    megabytes: float

    def __str__(self) -> str:
        """Return the row of the table."""
        return (
            f"{self.garment:26}{self.category:18}{self.outside:8d}{self.colour:8.1f}"
            f"{self.overlap:8.2f}{self.sleeve:8.1f}{self.hem:8.1f}{self.texture:8.2f}"
            f"{self.skin:8.1f}{self.cpu_seconds:8.2f}{self.megabytes:8.0f}"
        )


def main() -> None:
    """Print a table, one row a garment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    pipeline = make_pipeline(Settings())
    print(
        f"{'garment':26}{'read as':18}{'outside':>8}{'dE':>8}{'IoU':>8}{'sleeve%':>8}{'hem%':>8}"
        f"{'NCC':>8}{'skin dE':>8}{'cpu s':>8}{'MB':>8}"
    )
    for row in rows(pipeline, arguments.data):
        print(row, flush=True)


def rows(pipeline: TryonPipeline, data: Path) -> Iterator[Row]:
    """Work through the pairs."""
    for garment, before, after in TRIPLES:
        with Budget(1 << 32).lease(0) as arena:
            yield measure(pipeline, data, (garment, before, after), arena)


def measure(pipeline: TryonPipeline, data: Path, names: tuple[str, str, str], arena: Arena) -> Row:
    """Put one garment on and compare."""
    garment, before, after = names
    photo, truth = read(data / f"person_{before}.png"), read(data / f"person_{after}.png")
    cloth = pipeline.read_garment(read(data / f"garment_{garment}.png"), Hint(), arena)
    worn = Worn(cloth=cloth, tuck=Tuck.OVER, field="")
    pipeline.try_on(Picture(pixels=photo, alpha=None), [worn], None, 0, arena, Event())
    started = time.process_time()
    result = pipeline.try_on(Picture(pixels=photo, alpha=None), [worn], None, 0, arena, Event())
    seconds = time.process_time() - started
    person = pipeline.choose(photo, None, arena)
    wearer, window = pipeline.look(photo, person, arena)
    made = np.ascontiguousarray(result.picture.pixels[window.slices])
    truth = truth[window.slices]
    drawn = draw(cloth, fit(cloth, wearer), wearer)
    laid = (united(drawn, wearer.shape) > 0.5) & (result.mask[window.slices] > 0)
    laid &= ~protected(wearer)
    kind = garment.partition("_")[0]
    worn_truth = read_mask(data, after, kind)[window.slices]
    bare = read_mask(data, after, "skin") & ~read_mask(data, before, "skin")
    bare = bare[window.slices] & labelled(wearer.body, ARM) & (result.mask[window.slices] > 0)
    bare = canvas.shrunk(np.ascontiguousarray(bare & ~laid), 2)
    changed = (result.picture.pixels != photo).any(axis=2)
    return Row(
        garment=garment,
        category=cloth.category.value,
        outside=int((changed & (result.mask == 0)).sum()),
        colour=colour_error(cloth, made, laid),
        overlap=float((laid & worn_truth).sum() / (laid | worn_truth).sum()),
        sleeve=sleeve_error(wearer, laid, worn_truth),
        hem=float("nan") if garment in HIDDEN_HEMS else hem_error(wearer, laid, worn_truth, kind),
        texture=texture_correlation(drawn, made),
        skin=median_difference(made[bare], truth[bare]) if bare.sum() > 300 else float("nan"),
        cpu_seconds=seconds,
        megabytes=arena.leased_bytes / 2**20,
    )


def read(path: Path) -> Pixels:
    """Read a picture."""
    return np.ascontiguousarray(Image.open(path).convert("RGB"))


def read_mask(data: Path, name: str, part: str) -> Chosen:
    """Read where a part of a person is."""
    return np.asarray(Image.open(data / f"person_{name}_mask_{part}.png").convert("L")) > 127


def colour_error(cloth: Cloth, made: Pixels, laid: Chosen) -> float:
    """Return dE2000 between the middle colours of the garment's picture and of the result.

    Where a pattern has several colours the median falls on one or the other of them by chance; then
    the mean counts.
    """
    own, shown = to_lab(cloth.colour[cloth.solid]), to_lab(made[laid])
    middle = np.mean if own[:, 0].std() > PATTERNED else np.median
    return ciede2000(np.asarray(middle(own, axis=0)), np.asarray(middle(shown, axis=0)))


def median_difference(first: Pixels, second: Pixels) -> float:
    """Return dE2000 between two middles."""
    return float(ciede2000(np.median(to_lab(first), axis=0), np.median(to_lab(second), axis=0)))


def sleeve_error(wearer: Wearer, laid: Chosen, truth: Chosen) -> float:
    """Return how far sleeves end below the truth, in per cent of the arm; nan without sleeves."""
    errors = []
    for side in SIDES:
        along, arm = along_arm(wearer, side), find_limb(wearer, "arm", side)
        ends = [end_of(along[each & (along >= 0)]) for each in (laid, truth)]
        if min(ends) > 0.1 * arm.length:
            errors.append((ends[0] - ends[1]) / arm.length)
    return 100 * max(errors, key=abs) if errors else float("nan")


def hem_error(wearer: Wearer, laid: Chosen, truth: Chosen, kind: str) -> float:
    """Return how far hems end below the truth, in per cent of the leg, for tops of the trunk."""
    low = below_hips(wearer)
    trunk = ~labelled(wearer.body, (*ARM, BodyPart.HAND_LEFT, BodyPart.HAND_RIGHT))
    ends = [end_of(low[each & trunk]) for each in (laid, truth)]
    leg = find_limb(wearer, "leg", SIDES[0]).length
    return 100 * (ends[0] - ends[1]) / (leg if kind != "upper" else 1.48 * wearer.span)


def end_of(places: Floats) -> float:
    """Return where a garment ends, a few stray pixels aside."""
    return float(np.quantile(places, 0.995)) if len(places) > 50 else 0.0


def texture_correlation(drawn: list[Drawn], made: Pixels) -> float:
    """Correlate the result's trunk with the cloth that the warp says lies there."""
    trunk = next(layer for layer in drawn if layer.piece.part is Part.TRUNK)
    inner = canvas.shrunk(trunk.cover > 0.9, 3)
    first = trunk.colour[inner].astype(float) @ GREY
    second = made[trunk.window][inner].astype(float) @ GREY
    if first.std() < PLAIN:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def to_lab(colours: Pixels) -> Floats:
    """Turn Nx3 uint8 RGB into CIE Lab."""
    return canvas.lab(np.ascontiguousarray(colours.reshape(-1, 1, 3)))[:, 0].astype(np.float64)


def ciede2000(first: Floats, second: Floats) -> float:
    """Return the colour difference of two CIE Lab colours (CIE 142-2001)."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    chroma = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * math.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    c1, c2 = math.hypot(a1 * stretch, b1), math.hypot(a2 * stretch, b2)
    h1 = math.degrees(math.atan2(b1, a1 * stretch)) % 360
    h2 = math.degrees(math.atan2(b2, a2 * stretch)) % 360
    apart = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = h1 + apart / 2
    c, light = (c1 + c2) / 2, (l1 + l2) / 2
    hue_step = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(apart) / 2)
    turn = (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
    weight_light = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    weight_chroma, weight_hue = 1 + 0.045 * c, 1 + 0.015 * c * turn
    rotation = (
        -2
        * math.sqrt(c**7 / (c**7 + 25.0**7))
        * math.sin(math.radians(60 * math.exp(-(((hue % 360 - 275) / 25) ** 2))))
    )
    x, y, z = (l2 - l1) / weight_light, (c2 - c1) / weight_chroma, hue_step / weight_hue
    return math.sqrt(x * x + y * y + z * z + rotation * y * z)


if __name__ == "__main__":
    main()
