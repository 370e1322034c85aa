"""Colours and patterns of cloth, and windows of photos, 256x256 each."""

import math

import cv2
import numpy as np

from training.parts.network import SIDE
from training.parts.people import Bytes, Floats


def any_colour(random: np.random.Generator) -> Floats:
    """Return a colour of cloth: white, black, grey, muted or bright."""
    if random.random() < 0.35:
        grey = random.choice(
            [random.uniform(5, 50), random.uniform(50, 200), random.uniform(200, 250)]
        )
        return np.clip(grey + random.normal(0, 6, 3), 0, 255).astype(np.float32)
    hue, saturation = random.uniform(0, 360), random.uniform(0.15, 1)
    value = random.uniform(0.15, 1)
    pixel = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.float32), cv2.COLOR_HSV2RGB)
    return np.asarray(pixel[0, 0] * 255, np.float32)


def weave(photos: list[Bytes], random: np.random.Generator) -> Floats:
    """Return 256x256x3 of plain cloth, stripes, checks, dots, a print or speckles, 0..255."""
    kind = random.choice(
        ["plain", "stripes", "checks", "dots", "print", "speckles"],
        p=[0.42, 0.16, 0.1, 0.08, 0.16, 0.08],
    )
    ground, ink = any_colour(random), any_colour(random)
    cloth = np.empty((SIDE, SIDE, 3), np.float32)
    cloth[:] = ground
    if kind == "plain":
        return cloth
    if kind == "print":
        photo = photos[int(random.integers(len(photos)))]
        share = random.uniform(0.3, 1)
        return share * window(photo, random) + (1 - share) * cloth
    if kind == "speckles":
        size = int(random.choice([8, 16, 32, 64, 128]))
        noise = cv2.resize(random.normal(0, 1, (size, size)).astype(np.float32), (SIDE, SIDE))
        return cloth + (ink - ground) * np.clip(noise, 0, 1)[:, :, None]
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    angle = random.choice([0, math.pi / 2, random.uniform(0, math.pi)])
    period, sharp = random.uniform(4, 28), random.uniform(1, 8)
    along = rows * math.cos(angle) + columns * math.sin(angle)
    across = columns * math.cos(angle) - rows * math.sin(angle)
    first = np.sin(along * 2 * math.pi / period)
    second = np.sin(across * 2 * math.pi / period)
    bias = random.uniform(-0.6, 0.6)
    wave = {"stripes": first, "checks": (first + second) / 1.4, "dots": first * second * 1.5}[
        str(kind)
    ]
    share = np.clip(0.5 + sharp * (wave + bias), 0, 1)
    return cloth + (ink - ground) * share[:, :, None]


def window(photo: Bytes, random: np.random.Generator) -> Floats:
    """Return a random 256x256x3 part of a photo, mirrored or not."""
    height, width = photo.shape[:2]
    side = round(min(height, width) * random.uniform(0.35, 1))
    top, left = int(random.integers(height - side + 1)), int(random.integers(width - side + 1))
    part = photo[top : top + side, left : left + side]
    part = part[:, ::-1] if random.random() < 0.5 else part
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)
