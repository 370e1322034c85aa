"""Style pictures of many kinds, so that the network meets more than the named paintings."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from training.stylize.data import Picture, picture, resized

SIDE = 512
"""Pixels: the side of a style picture."""

Floats = npt.NDArray[np.float32]
Source = Callable[[np.random.Generator], Picture]


def style_picture(
    paintings: list[Picture],
    photos: list[Picture],
    cloths: list[Picture],
    random: np.random.Generator,
) -> Picture:
    """Return a random style picture, SIDE x SIDE.

    Args:
        paintings: what painters made; most often cut, and often recoloured.
        photos: photos, which as styles give colours and natural textures.
        cloths: photos of garments, which give weaves and prints.
        random: where the choices come from.
    """

    def cut_of(sources: list[Picture]) -> Source:
        return lambda chance: cut(sources[int(chance.integers(len(sources)))], chance)

    kinds: list[tuple[float, Source, float]] = [
        (0.25, cut_of(paintings), 0.0),
        (0.25, cut_of(paintings), 1.0),
        (0.15, cut_of(photos), 0.5),
        (0.05, cut_of(cloths), 0.7),
        (0.20, strokes, 0.0),
        (0.10, pattern, 0.0),
    ]
    weights = np.array([kind[0] for kind in kinds])
    _, source, recolouring = kinds[int(random.choice(len(kinds), p=weights / weights.sum()))]
    pixels = source(random)
    if recolouring and random.random() < 0.25:
        pixels = mosaic(pixels, cut_of(paintings)(random), random)
    return recoloured(pixels, random) if random.random() < recolouring else pixels


def cut(pixels: Picture, random: np.random.Generator) -> Picture:
    """Return a random window holding at least half of the picture's short side."""
    small = resized(pixels, round(SIDE * random.uniform(1.0, 1.7)))
    top = int(random.integers(small.shape[0] - SIDE + 1))
    left = int(random.integers(small.shape[1] - SIDE + 1))
    window = small[top : top + SIDE, left : left + SIDE]
    return picture(window[:, ::-1] if random.random() < 0.5 else window)


def recoloured(pixels: Picture, random: np.random.Generator) -> Picture:
    """Return the picture in other colours: channels swapped, hue turned, contrast bent."""
    bent = pixels[..., random.permutation(3)].astype(np.float32) / 255
    luminance = bent.mean(axis=2, keepdims=True)
    bent = luminance + (bent - luminance) * random.uniform(0.2, 1.6)
    bent = np.clip(bent, 0, 1) ** np.exp(random.normal(0, 0.35, 3))
    bent = (bent - 0.5) * random.uniform(0.6, 1.4) + 0.5 + random.normal(0, 0.08, 3)
    if random.random() < 0.12:
        bent = 1 - bent
    return picture(bent.astype(np.float32) * 255)


def mosaic(one: Picture, other: Picture, random: np.random.Generator) -> Picture:
    """Return one picture with soft patches of the other."""
    coarse = random.random((8, 8), dtype=np.float32)
    field = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)[..., None]
    share = np.clip((field - 0.5) * 8 + 0.5, 0, 1)
    return picture(one * (1 - share) + other * share)


def palette(random: np.random.Generator) -> Floats:
    """Return four to nine colours, [K,3], 0..255, around one or two moods."""
    count = int(random.integers(4, 10))
    mood = random.uniform(20, 235, (2, 3))
    colours = mood[random.integers(2, size=count)] + random.normal(0, 55, (count, 3))
    return np.clip(colours, 0, 255).astype(np.float32)


def strokes(random: np.random.Generator) -> Picture:
    """Return a field of brush strokes that follow a smooth direction."""
    colours = palette(random)
    canvas = np.full((SIDE, SIDE, 3), colours[0], np.float32)
    turns = cv2.resize(random.uniform(0, 4, (5, 5)).astype(np.float32), (SIDE, SIDE))
    choice = cv2.resize(random.random((6, 6)).astype(np.float32), (SIDE, SIDE))
    length, width = random.uniform(8, 70), max(1, round(random.uniform(1, 12)))
    for _ in range(int(min(9000, 1.6 * SIDE * SIDE / (length * width)))):
        x, y = (int(value) for value in random.integers(SIDE, size=2))
        angle = float(turns[y, x]) + random.normal(0, 0.25)
        reach = length * random.uniform(0.4, 1.2) / 2
        ends = [
            (round(x + s * reach * np.cos(angle)), round(y + s * reach * np.sin(angle)))
            for s in (-1, 1)
        ]
        picked = int(
            np.clip(choice[y, x] * len(colours) + random.normal(0, 1), 0, len(colours) - 1)
        )
        colour = colours[picked] + random.normal(0, 12, 3)
        cv2.line(canvas, ends[0], ends[1], colour.tolist(), width, cv2.LINE_AA)
    return picture(canvas)


def pattern(random: np.random.Generator) -> Picture:
    """Return a repeated or marbled pattern: hatching, dots, halftone, cells or marble."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    angle, period = random.uniform(0, np.pi), random.uniform(5, 60)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle)
    bend = cv2.resize(
        random.normal(0, 1, (6, 6)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
    ) * random.uniform(0, 40)
    wave = np.sin((along + bend) * 2 * np.pi / period)
    if random.random() < 0.6:
        wave = wave + np.sin((across - bend) * 2 * np.pi / period)
    sharpness = random.uniform(1, 8)
    field = 1 / (1 + np.exp(-sharpness * (wave + random.uniform(-0.7, 0.7))))
    tone = cv2.resize(random.random((5, 5)).astype(np.float32), (SIDE, SIDE))[..., None]
    colours = palette(random)
    ground = colours[1] * tone + colours[2] * (1 - tone)
    drawn = ground + (colours[0] - ground) * field[..., None]
    return picture(drawn + random.normal(0, random.uniform(0, 10), drawn.shape))
