"""Try-ons whose truth is known: one person in two outfits, all else equal, and the garments alone.

Two kinds of folders are read. One of samples holds people and garments by name
(`person_NAME_OUTFIT_SET.png`, `..._mask_PART.png`, `garment_NAME.png`). One of pairs holds people
by number, `NNNNN.png` and the same in other clothes, `NNNNNb.png`: both with a transparent ground,
and `..._class.png` that tells what each pixel shows. Beside a picture of a pair may stand
`..._garment_KIND.png`, the garment alone on white as another body wears it, and
`..._alone_KIND.png`, what it covers if no other cloth lies on it; without them the garment is cut
out of the truth itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Chosen = NDArray[np.bool_]

# What `_class.png` of a pair holds.
CLASSES = {"upper": 1, "lower": 2, "dress": 3}
SKIN = 4
# Behind people without a ground: light from above.
GROUND = (196, 168)
WHITE = 255
# A garment cut out of a small picture is enlarged to so many pixels of its longer side.
CUT_OUT_SIDE = 480
CUT_OUT_MARGIN = 0.08
# Fewer pixels of a garment are no truth.
WORN_MIN = 400

# The garment, the person in other clothes, and the person in that very garment.
TRIPLES = (
    ("upper_striped_blouse", "anna_teal_tee_jeans_studio", "anna_striped_blouse_skirt_studio"),
    ("lower_grey_skirt", "anna_teal_tee_jeans_studio", "anna_striped_blouse_skirt_studio"),
    ("upper_teal_tee", "anna_striped_blouse_skirt_studio", "anna_teal_tee_jeans_studio"),
    ("lower_blue_jeans", "anna_striped_blouse_skirt_studio", "anna_teal_tee_jeans_studio"),
    ("upper_striped_shirt", "kofi_white_tee_chinos_studio", "kofi_striped_shirt_jeans_studio"),
    ("upper_white_tee", "kofi_striped_shirt_jeans_studio", "kofi_white_tee_chinos_studio"),
    ("lower_beige_chinos", "kofi_striped_shirt_jeans_studio", "kofi_white_tee_chinos_studio"),
    ("upper_striped_longsleeve", "priya_dotted_dress_room", "priya_stripe_longsleeve_jeans_room"),
    ("dress_dotted", "priya_stripe_longsleeve_jeans_room", "priya_dotted_dress_room"),
)
# Hems that the rendered trousers hide, so that the truth does not show where they end.
HIDDEN_HEMS = ("upper_teal_tee", "upper_white_tee", "upper_striped_longsleeve")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One try-on and its truth; all pictures of one person are of one size.

    Attributes:
        name: in the table.
        kind: `upper`, `lower` or `dress`.
        garment: its picture, HxWx3.
        before: the person in other clothes, HxWx3.
        after: the person in this garment, HxWx3.
        worn: where the garment shows in `after`.
        reach: where it would show there if no other cloth lay on it; None where that is not known
            of its hem.
        uncovered: skin of `after` that is none in `before`.
    """

    name: str
    kind: str
    garment: Pixels
    before: Pixels
    after: Pixels
    worn: Chosen
    reach: Chosen | None
    uncovered: Chosen


def sample_cases(data: Path) -> Iterator[Case]:
    """Read the pairs of the named samples."""
    for garment, before, after in TRIPLES:
        kind = garment.partition("_")[0]
        worn = read_mask(data / f"person_{after}_mask_{kind}.png")
        skin = [read_mask(data / f"person_{name}_mask_skin.png") for name in (before, after)]
        yield Case(
            name=garment,
            kind=kind,
            garment=read(data / f"garment_{garment}.png"),
            before=read(data / f"person_{before}.png"),
            after=read(data / f"person_{after}.png"),
            worn=worn,
            reach=None if garment in HIDDEN_HEMS else worn,
            uncovered=skin[1] & ~skin[0],
        )


def pair_cases(data: Path) -> Iterator[Case]:
    """Read numbered pairs: each garment of either outfit on the person in the other."""
    for path in sorted(data.glob("*b.png")):
        number = path.stem.removesuffix("b")
        for before, after in ((number, path.stem), (path.stem, number)):
            yield from between(data, before, after)


def between(data: Path, before: str, after: str) -> Iterator[Case]:
    """Put each garment of one picture on the person of another."""
    labels = [np.asarray(Image.open(data / f"{name}_class.png")) for name in (before, after)]
    pictures = [on_ground(data / f"{name}.png") for name in (before, after)]
    for kind, label in CLASSES.items():
        worn = labels[1] == label
        if np.count_nonzero(worn) < WORN_MIN:
            continue
        alone, whole = data / f"{after}_alone_{kind}.png", data / f"{after}_garment_{kind}.png"
        yield Case(
            name=f"{before} {kind}",
            kind=kind,
            garment=read(whole) if whole.exists() else cut_out(data / f"{after}.png", worn),
            before=pictures[0],
            after=pictures[1],
            worn=worn,
            reach=read_mask(alone) if alone.exists() else worn,
            uncovered=(labels[1] == SKIN) & (labels[0] != SKIN),
        )


def read(path: Path) -> Pixels:
    """Read a picture."""
    return np.ascontiguousarray(Image.open(path).convert("RGB"))


def read_mask(path: Path) -> Chosen:
    """Read where something is."""
    return np.asarray(Image.open(path).convert("L")) > 127


def on_ground(path: Path) -> Pixels:
    """Read a picture without a ground, and stand it before an even one."""
    pixels = np.asarray(Image.open(path).convert("RGBA"), np.float32)
    ground = np.linspace(*GROUND, len(pixels), dtype=np.float32)[:, None, None]
    share = pixels[:, :, 3:] / 255
    return np.rint(pixels[:, :, :3] * share + ground * (1 - share)).astype(np.uint8)


def cut_out(path: Path, worn: Chosen) -> Pixels:
    """Lay what somebody wears alone on white, enlarged."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    rows, columns = (np.flatnonzero(worn.any(axis=axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    garment = np.where(worn[window][:, :, None], pixels[window], np.uint8(WHITE))
    margin = round(CUT_OUT_MARGIN * max(garment.shape))
    garment = np.pad(garment, ((margin,) * 2, (margin,) * 2, (0, 0)), constant_values=WHITE)
    scale = CUT_OUT_SIDE / max(garment.shape)
    size = round(garment.shape[1] * scale), round(garment.shape[0] * scale)
    return np.ascontiguousarray(Image.fromarray(garment).resize(size, Image.Resampling.BICUBIC))
