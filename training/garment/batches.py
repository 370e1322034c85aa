"""Pictures to learn garments from: drawn ones with exact truth, and photos with guessed masks."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.tryon.landmarks import LANDMARKS, OPPOSITES, SIDE
from training.garment.masks import letterboxed
from training.garment.network import COUNTS, KINDS, MASK_SIDE
from training.garment.outlines import Outline, any_outline
from training.parts.batches import develop
from training.parts.cloth import any_colour, weave, window
from training.parts.people import Bytes, Floats
from training.stylize.data import read

UNKNOWN: Final = 255
"""Label of mask cells that do not count."""

GARMENTS: Final = KINDS[:-1]
KINDS_OF_FOLDER: Final = {
    "dress": ("dress",),
    "longsleeve": ("top_long_sleeve",),
    "outwear": ("outerwear",),
    "pants": ("trousers",),
    "shirt": ("top_short_sleeve", "top_long_sleeve", "top_sleeveless"),
    "shorts": ("shorts",),
    "skirt": ("skirt",),
    "t-shirt": ("top_short_sleeve", "top_sleeveless"),
    "hat": ("other",),
    "shoes": ("other",),
}
"""Kinds that a folder's photos may show."""


@dataclass(slots=True, kw_only=True)
class Sample:
    """One picture.

    Attributes:
        image: 256x256x3 RGB.
        mask: 128x128: 0, 1 or UNKNOWN.
        kinds: which of KINDS it may be; none if that does not count.
        count: of COUNTS.
        places: 20x2, x and y in pixels.
        known: 20: 1 where a landmark is, 0 where there is none, -1 where that is unknown.
    """

    image: Bytes
    mask: Bytes
    kinds: NDArray[np.bool_]
    count: int
    places: Floats
    known: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A real picture of a garment.

    Attributes:
        pixels: 256x256x3 RGB.
        mask: 256x256, 0 or 255; None if it could not be guessed.
        kinds: what it may show.
        places: 20x2, landmarks, x and y in pixels.
        known: as `Sample.known`.
    """

    pixels: Bytes
    mask: Bytes | None
    kinds: tuple[str, ...]
    places: Floats = field(default_factory=lambda: np.zeros((len(LANDMARKS), 2), np.float32))
    known: Floats = field(default_factory=lambda: np.full(len(LANDMARKS), -1, np.float32))


@dataclass(slots=True, kw_only=True)
class Layers:
    """A garment before it lies anywhere: 256x256 each, alpha 0..1."""

    pixels: Floats
    alpha: Floats
    kinds: tuple[str, ...]
    places: Floats
    known: Floats


class Material:
    """All that samples are made of."""

    def __init__(self, photos: list[Photo], grounds: list[Bytes]) -> None:
        self.masked = [(photo, photo.mask) for photo in photos if photo.mask is not None]
        self.photos = photos
        self.others = [photo for photo in photos if photo.kinds == ("other",)]
        self.grounds = grounds


def load_photos(data: Path, masks: Path) -> list[Photo]:
    """Read the garment photos with the masks that were guessed."""
    guessed = np.load(masks)
    photos = []
    for folder, kinds in KINDS_OF_FOLDER.items():
        for file in sorted((data / "garments" / folder).glob("*.jpg")):
            name = f"{folder}/{file.stem}"
            photos.append(
                Photo(
                    pixels=letterboxed(read(file)),
                    mask=guessed.get(name),
                    kinds=kinds,
                )
            )
    return photos


def make_sample(material: Material, random: np.random.Generator) -> Sample:
    """Make a picture of one garment, of several, or of none."""
    choice = random.random()
    if choice < 0.42:
        return one(material, drawn(material, random), random)
    if choice < 0.54:
        return one(material, cut_out(material, random), random)
    if choice < 0.82:
        return photographed(material, material.photos, random)
    if choice < 0.86:
        return photographed(material, material.others, random)
    if choice < 0.92:
        return nothing(material, random)
    return several(material, random)


def one(material: Material, layers: Layers, random: np.random.Generator) -> Sample:
    """Lay one garment on a ground."""
    picture = lie(material, layers, ground(material, random), random)
    sample = Sample(
        image=develop(picture, random),
        mask=small(layers.alpha > 0.5),
        kinds=kinds_mask(layers.kinds),
        count=COUNTS.index("one"),
        places=layers.places,
        known=layers.known,
    )
    return mirrored(sample) if random.random() < 0.5 else sample


def several(material: Material, random: np.random.Generator) -> Sample:
    """Lay two or three garments beside each other."""
    picture = ground(material, random)
    wholes = [
        drawn(material, random) if random.random() < 0.6 else cut_out(material, random)
        for _ in range(2 if random.random() < 0.8 else 3)
    ]
    covered = np.zeros((SIDE, SIDE), bool)
    upright = random.random() < 0.4
    for number, layers in enumerate(wholes):
        share = 1 / len(wholes)
        scale = random.uniform(0.8, 1.05) * (share + 0.1)
        middle = np.array([(number + 0.5) * share * SIDE, SIDE / 2 + random.normal(0, 15)])
        middle = middle[::-1] if upright else middle
        move(layers, scale, middle)
        picture = lie(material, layers, picture, random)
        covered |= layers.alpha > 0.5
    return Sample(
        image=develop(picture, random),
        mask=np.where(small(covered) > 0, UNKNOWN, 0).astype(np.uint8),
        kinds=np.zeros(len(KINDS), bool),
        count=COUNTS.index("several"),
        places=np.zeros((len(LANDMARKS), 2), np.float32),
        known=np.full(len(LANDMARKS), -1, np.float32),
    )


def nothing(material: Material, random: np.random.Generator) -> Sample:
    """Show a ground, or a photo of something else."""
    picture = ground(material, random)
    return Sample(
        image=develop(picture, random),
        mask=np.zeros((MASK_SIDE, MASK_SIDE), np.uint8),
        kinds=np.zeros(len(KINDS), bool),
        count=COUNTS.index("none"),
        places=np.zeros((len(LANDMARKS), 2), np.float32),
        known=np.zeros(len(LANDMARKS), np.float32),
    )


def photographed(material: Material, photos: list[Photo], random: np.random.Generator) -> Sample:
    """Show a real photo, moved and recoloured a little."""
    photo = photos[int(random.integers(len(photos)))]
    matrix = shake(random, 0.16, 0.06)
    pixels = cv2.warpAffine(
        photo.pixels,
        matrix,
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    picture = pixels.astype(np.float32)
    if photo.mask is None:
        mask = np.full((MASK_SIDE, MASK_SIDE), UNKNOWN, np.uint8)
    else:
        whole = cv2.warpAffine(photo.mask, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        mask = small(whole > 127)
        if random.random() < 0.4:
            dye(picture, whole.astype(np.float32) / 255, material, random)
    known = photo.known
    is_other = photo.kinds == ("other",)
    if is_other:
        mask = np.full_like(mask, UNKNOWN)
    sample = Sample(
        image=develop(picture, random),
        mask=mask,
        kinds=kinds_mask(photo.kinds),
        count=COUNTS.index("one"),
        places=moved(photo.places, matrix),
        known=known,
    )
    return mirrored(sample) if random.random() < 0.5 else sample


def cut_out(material: Material, random: np.random.Generator) -> Layers:
    """Take a garment out of a photo, to lie elsewhere."""
    photo, mask = material.masked[int(random.integers(len(material.masked)))]
    matrix = shake(random, 0.25, 0.1)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
    alpha = cv2.warpAffine(
        cv2.GaussianBlur(inner, (3, 3), 0), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR
    )
    pixels = cv2.warpAffine(photo.pixels, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(
        np.float32
    )
    layers = Layers(
        pixels=pixels,
        alpha=alpha.astype(np.float32) / 255,
        kinds=photo.kinds,
        places=moved(photo.places, matrix),
        known=photo.known,
    )
    if random.random() < 0.7:
        dye(layers.pixels, layers.alpha, material, random)
    return layers


def drawn(material: Material, random: np.random.Generator) -> Layers:
    """Draw a garment with cloth, folds and seams."""
    kind = str(random.choice(GARMENTS))
    outline = any_outline(random, kind)
    place, bend = stand(outline, random)
    alpha = np.zeros((SIDE, SIDE), np.float32)
    pixels = np.zeros((SIDE, SIDE, 3), np.float32)
    cloth = weave(material.grounds, random)
    trim = weave(material.grounds, random) if random.random() < 0.2 else cloth
    for number, (piece, turn) in enumerate(zip(outline.pieces, outline.turns, strict=True)):
        cover = filled(bend(place(piece)))
        laid = turned(cloth if number == 0 else trim, turn)
        if number and random.random() < 0.7:
            laid = laid * (1 - 0.35 * rim_of(cover)[:, :, None])
        pixels += (laid - pixels) * cover[:, :, None]
        alpha = np.maximum(alpha, cover)
    if len(outline.back):
        inside = filled(bend(place(outline.back)))[:, :, None]
        pixels += (pixels * random.uniform(0.4, 0.9) - pixels) * inside
    draw_lines(pixels, [bend(place(line)) for line in outline.lines], random)
    pixels *= folds(alpha, random)[:, :, None]
    places = np.zeros((len(LANDMARKS), 2), np.float32)
    known = np.zeros(len(LANDMARKS), np.float32)
    for name, point in outline.landmarks.items():
        number = LANDMARKS.index(name)
        places[number] = bend(place(np.array([point])))[0]
        known[number] = 1
    return Layers(
        pixels=np.clip(pixels, 0, 255), alpha=alpha, kinds=(kind,), places=places, known=known
    )


def stand(outline: Outline, random: np.random.Generator):  # noqa: ANN201
    """Return how an outline is placed in the picture, and how it is bent by lying about."""
    points = np.vstack(outline.pieces)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = SIDE * random.uniform(0.5, 0.96) / float((high - low).max())
    turn = random.normal(0, 0.09) if random.random() < 0.85 else random.uniform(-0.6, 0.6)
    matrix = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix[0] *= math.exp(random.normal(0, 0.05))
    spare = max(0.0, SIDE / 2 - scale * float((high - low).max()) / 2)
    middle = SIDE / 2 + random.uniform(-0.8, 0.8, 2) * spare
    field_side = int(random.integers(3, 7))
    shifts = random.normal(0, random.uniform(0, 3.5), (field_side, field_side, 2)).astype(
        np.float32
    )
    field_map = cv2.resize(shifts, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)

    def place(path: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((path - (low + high) / 2) @ matrix.T + middle)

    def bend(path: NDArray[np.float64]) -> NDArray[np.float64]:
        cells = np.clip(np.rint(path).astype(int), 0, SIDE - 1)
        return np.asarray(path + field_map[cells[:, 1], cells[:, 0]])

    return place, bend


def filled(path: NDArray[np.float64]) -> Floats:
    """Return 256x256, 1 inside a closed outline, soft at its edge."""
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(cover, [np.rint(path * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cover.astype(np.float32) / 255


def rim_of(cover: Floats) -> Floats:
    """Return 256x256, 1 at the inner side of a piece's edge, fading inwards."""
    soft = cv2.GaussianBlur(cover, (0, 0), 2.0)
    return np.asarray(np.clip(2 * (cover - soft), 0, 1), np.float32)


def turned(cloth: Floats, turn: float) -> Floats:
    """Turn cloth around the middle."""
    if not turn:
        return cloth
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), math.degrees(turn), 1.0)
    return np.asarray(
        cv2.warpAffine(cloth, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT), np.float32
    )


def draw_lines(
    pixels: Floats, lines: list[NDArray[np.float64]], random: np.random.Generator
) -> None:
    """Draw seams, darker or lighter than the cloth."""
    for line in lines:
        drawn_line = np.zeros((SIDE, SIDE), np.uint8)
        points = np.rint(line * 16).astype(np.int32)
        cv2.polylines(drawn_line, [points], False, 255, int(random.integers(1, 3)), cv2.LINE_AA, 4)
        share = drawn_line.astype(np.float32)[:, :, None] / 255 * random.uniform(0.2, 0.8)
        pixels += (pixels * random.choice([0.5, 0.7, 1.3]) - pixels) * share


def folds(alpha: Floats, random: np.random.Generator) -> Floats:
    """Return 256x256 of light on lying cloth: folds, and darker rims."""
    shade = np.zeros((SIDE, SIDE), np.float32)
    for cells, strength in ((4, 0.14), (9, 0.08), (24, 0.05)):
        shade += cv2.resize(
            random.normal(0, strength, (cells, cells)).astype(np.float32),
            (SIDE, SIDE),
            interpolation=cv2.INTER_CUBIC,
        )
    creases = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(random.integers(0, 14))):
        start, angle = random.uniform(30, SIDE - 30, 2), random.uniform(0, math.pi)
        end = start + random.uniform(15, 90) * np.array([math.cos(angle), math.sin(angle)])
        ink = float(random.choice([-1, 1])) * random.uniform(0.1, 0.5)
        cv2.line(
            creases,
            tuple(int(v) for v in start),
            tuple(int(v) for v in end),
            ink,
            int(random.integers(1, 5)),
            cv2.LINE_AA,
        )
    shade += cv2.GaussianBlur(creases, (0, 0), random.uniform(1, 4))
    shade -= random.uniform(0, 0.4) * rim_of(alpha)
    return np.exp(shade * random.uniform(0.4, 1.6))


def dye(picture: Floats, alpha: Floats, material: Material, random: np.random.Generator) -> None:
    """Give a photographed garment another cloth in place; its folds stay."""
    where = alpha > 0.02
    own = picture[where]
    if not len(own):
        return
    shade = np.clip(own.mean(axis=1) / max(float(own.mean()), 1), 0, 2.5)
    cloth = weave(material.grounds, random)[where] * shade[:, None]
    keep = random.uniform(0, 0.7)
    mixed = keep * own + (1 - keep) * cloth
    picture[where] = own + (np.clip(mixed, 0, 255) - own) * alpha[where][:, None]


def ground(material: Material, random: np.random.Generator) -> Floats:
    """Return 256x256x3 to lie on: white, plain, cloth, floor or any photo."""
    choice = random.random()
    if choice < 0.12:
        white = np.full((SIDE, SIDE, 3), random.uniform(225, 255), np.float32)
        return white + random.normal(0, 3, 3).astype(np.float32)
    if choice < 0.27:
        plain = np.empty((SIDE, SIDE, 3), np.float32)
        plain[:] = any_colour(random)
        cells = int(random.integers(2, 9))
        noise = cv2.resize(
            random.normal(0, 0.1, (cells, cells)).astype(np.float32),
            (SIDE, SIDE),
            interpolation=cv2.INTER_CUBIC,
        )
        return np.clip(plain * np.exp(noise)[:, :, None], 0, 255)
    if choice < 0.7:
        photo = material.grounds[int(random.integers(len(material.grounds)))]
        return window(photo, random)
    if choice < 0.84:
        # The border of a real garment photo: floors, beds and carpets as they are.
        return np.ascontiguousarray(floor(material, random))
    return turned(weave(material.grounds, random), random.uniform(-0.5, 0.5))


def floor(material: Material, random: np.random.Generator) -> Floats:
    """Fill the hole that a photographed garment leaves with the floor around it."""
    photo, mask = material.masked[int(random.integers(len(material.masked)))]
    small_size = (96, 96)
    pixels = cv2.resize(photo.pixels, small_size, interpolation=cv2.INTER_AREA)
    hole = cv2.dilate(cv2.resize(mask, small_size), np.ones((5, 5), np.uint8))
    fill = cv2.inpaint(pixels, (hole > 0).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    free = cv2.resize(fill, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return free + random.normal(0, 5, free.shape).astype(np.float32)


def lie(material: Material, layers: Layers, picture: Floats, random: np.random.Generator) -> Floats:
    """Lay a garment on a ground, with its shadow, perhaps on a hanger."""
    del material
    if random.random() < 0.6:
        offset = random.normal(0, 5, 2)
        shift = np.array([[1, 0, offset[0]], [0, 1, offset[1]]])
        shadow = cv2.warpAffine(layers.alpha, shift, (SIDE, SIDE))
        shadow = cv2.GaussianBlur(shadow, (0, 0), random.uniform(1.5, 8))
        picture = picture * (1 - random.uniform(0.1, 0.6) * shadow)[:, :, None]
    centre = LANDMARKS.index("collar_centre")
    if layers.known[centre] == 1 and random.random() < 0.3:
        hang(picture, layers.places[centre], random)
    return picture + (layers.pixels - picture) * layers.alpha[:, :, None]


def hang(picture: Floats, collar: Floats, random: np.random.Generator) -> None:
    """Draw a hanger's hook above the collar, behind the garment."""
    x, y = (int(value) for value in collar)
    colour = tuple(float(value) for value in any_colour(random))
    high = int(random.uniform(20, 60))
    canvas = np.ascontiguousarray(picture)
    cv2.line(canvas, (x, y), (x, y - high), colour, int(random.integers(2, 5)), cv2.LINE_AA)
    cv2.ellipse(canvas, (x + 6, y - high), (7, 8), 0, 160, 380, colour, 2, cv2.LINE_AA)
    wide = int(random.uniform(20, 60))
    for side in (-1, 1):
        cv2.line(
            canvas,
            (x, y - 12),
            (x + side * wide, y + 12),
            colour,
            int(random.integers(3, 8)),
            cv2.LINE_AA,
        )
    picture[:] = canvas


def move(layers: Layers, scale: float, middle: NDArray[np.float64]) -> None:
    """Make a garment smaller, around another place."""
    matrix = np.column_stack([scale * np.eye(2), middle - scale * SIDE / 2])
    layers.pixels = cv2.warpAffine(layers.pixels, matrix, (SIDE, SIDE))
    layers.alpha = cv2.warpAffine(layers.alpha, matrix, (SIDE, SIDE))
    layers.places = moved(layers.places, matrix)


def shake(random: np.random.Generator, turn: float, shift: float) -> NDArray[np.float64]:
    """Return a small random 2x3 motion around the middle."""
    angle, scale = random.normal(0, turn), math.exp(random.normal(0, 0.12))
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), math.degrees(angle), scale)
    matrix[:, 2] += random.normal(0, shift, 2) * SIDE
    return np.asarray(matrix, np.float64)


def moved(places: Floats, matrix: NDArray[np.float64]) -> Floats:
    """Move points by a 2x3 matrix."""
    return np.asarray(places @ matrix[:, :2].T + matrix[:, 2], np.float32)


def small(mask: NDArray[np.bool_]) -> Bytes:
    """Return labels at the size of the network's mask."""
    return np.ascontiguousarray(mask[1::2, 1::2]).astype(np.uint8)


def kinds_mask(kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which of KINDS are named."""
    return np.array([kind in kinds for kind in KINDS])


def mirrored(sample: Sample) -> Sample:
    """Return the mirror image: the wearer's left becomes right."""
    places = sample.places[OPPOSITES].copy()
    places[:, 0] = SIDE - 1 - places[:, 0]
    return Sample(
        image=np.ascontiguousarray(sample.image[:, ::-1]),
        mask=np.ascontiguousarray(sample.mask[:, ::-1]),
        kinds=sample.kinds,
        count=sample.count,
        places=places,
        known=sample.known[OPPOSITES],
    )
