"""Pictures to learn body parts from: rendered people in other colours, places, lights and cuts."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.vision.landmarker import OPPOSITES
from services.vision.limbs import MAP_CELLS, MAPS, limb_maps
from services.vision.skin import skin_likeness
from training.parts.cloth import any_colour, weave, window
from training.parts.network import GUIDES, SHARES_SIDE, SIDE
from training.parts.people import Bytes, Floats, Reading, RenderedPerson

GROUND: Final = 0
UPPER, LOWER, DRESS, SKIN, HAIR, SHOES, EYES = range(1, 8)
MIRRORED_BODY: Final = np.array([0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13], np.uint8)
DRESS_AGAIN: Final = 0.4
"""How often somebody without a dress is drawn again: few wear one."""
CROP_MARGIN: Final = 1.12
"""Side of the crop over the longer side of what the person covers; `parts.py` crops alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One crop.

    Attributes:
        image: 256x256x3 RGB.
        guide: GUIDESx64x64.
        body: 128x128 parts.
        wear: 128x128 classes.
    """

    image: Bytes
    guide: Floats
    body: Bytes
    wear: Bytes


@dataclass(slots=True, kw_only=True)
class Layers:
    """A person in the crop, before anything stands around it: 256x256 each, alpha 0..1."""

    pixels: Floats
    alpha: Floats
    wear: Bytes
    body: Bytes
    silhouette: Bytes
    landmarks: Floats
    beyond: NDArray[np.bool_]


def make_sample(
    people: list[RenderedPerson], photos: list[Bytes], random: np.random.Generator
) -> Sample:
    """Put a random person into a random picture."""
    person = people[int(random.integers(len(people)))]
    if not (person.wear == DRESS).any() and random.random() < DRESS_AGAIN:
        person = people[int(random.integers(len(people)))]
    reading = person.readings[int(random.integers(len(person.readings)))]
    layers = cut_out(person, reading, random)
    dress_up(layers, photos, random)
    picture = place(random, photos, layers.alpha.shape)
    if random.random() < 0.2:
        other = people[int(random.integers(len(people)))]
        stand_behind(picture, other, photos, random)
    shade = light(random)
    picture += (layers.pixels * shade - picture) * layers.alpha[:, :, None]
    if random.random() < 0.15:
        occlude(picture, layers, photos, random)
    image = develop(picture, random)
    # What lies beyond the picture is black in a crop.
    image[layers.beyond] = 0
    sample = Sample(
        image=image,
        guide=guide_of(layers, image, random),
        body=small_labels(layers.body),
        wear=small_labels(layers.wear),
    )
    return mirrored(layers, sample, random) if random.random() < 0.5 else sample


def true_sample(person: RenderedPerson, reading: Reading, photo: Bytes) -> Sample:
    """Put a person into a picture as it is, to judge by."""
    layers = cut_out(person, reading, None)
    picture = cv2.resize(photo, (SIDE, SIDE)).astype(np.float32)
    picture += (layers.pixels - picture) * layers.alpha[:, :, None]
    picture[layers.beyond] = 0
    image = picture.astype(np.uint8)
    return Sample(
        image=image,
        guide=guide_of(layers, image, None),
        body=small_labels(layers.body),
        wear=small_labels(layers.wear),
    )


def cut_out(person: RenderedPerson, reading: Reading, random: np.random.Generator | None) -> Layers:
    """Warp a person into the crop, with what was seen of it; without randomness, straight."""
    seen = reading.silhouette > 127
    rows, columns = np.nonzero(seen.any(axis=1))[0], np.nonzero(seen.any(axis=0))[0]
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    side = CROP_MARGIN * max(height, width)
    centre = np.array([(columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2])
    turn, stretch = 0.0, 1.0
    if random is not None:
        side *= math.exp(random.normal(0, 0.08)) * (
            random.uniform(1, 1.3) ** (random.random() < 0.3)
        )
        centre += random.normal(0, 0.03, 2) * side
        turn = random.normal(0, 0.12) if random.random() < 0.85 else random.uniform(-0.7, 0.7)
        stretch = math.exp(random.normal(0, 0.06))
    matrix = crop_matrix(centre, side, turn, stretch)
    into = cv2.invertAffineTransform(matrix)
    shown = np.zeros(person.alpha.shape, np.uint8)
    shown[: reading.rows] = 255
    wear, body = np.where(shown > 0, person.wear, 0), np.where(shown > 0, person.body, 0)
    landmarks = reading.landmarks.copy()
    landmarks[:, :2] = landmarks[:, :2] @ into[:, :2].T + into[:, 2]
    landmarks[:, 2] *= SIDE / side
    return Layers(
        pixels=warp(person.pixels, matrix, cv2.INTER_LINEAR).astype(np.float32),
        alpha=warp(np.minimum(person.alpha, shown), matrix, cv2.INTER_LINEAR).astype(np.float32)
        / 255,
        wear=warp(wear, matrix, cv2.INTER_NEAREST),
        body=warp(body, matrix, cv2.INTER_NEAREST),
        silhouette=warp(reading.silhouette, matrix, cv2.INTER_LINEAR),
        landmarks=landmarks,
        beyond=beyond_picture(matrix, reading, columns, random),
    )


def crop_matrix(
    centre: NDArray[np.float64], side: float, turn: float, stretch: float
) -> NDArray[np.float64]:
    """Return the 2x3 matrix from crop to picture."""
    step = side / SIDE
    matrix = np.array(
        [
            [step * math.cos(turn) * stretch, -step * math.sin(turn)],
            [step * math.sin(turn) * stretch, step * math.cos(turn)],
        ]
    )
    return np.column_stack([matrix, centre - matrix @ (SIDE / 2, SIDE / 2)])


def warp(source: Bytes, matrix: NDArray[np.float64], how: int) -> Bytes:
    """Fill the crop from a picture; 0 beyond it."""
    warped = cv2.warpAffine(source, matrix, (SIDE, SIDE), flags=how | cv2.WARP_INVERSE_MAP)
    return np.asarray(warped, np.uint8)


def dress_up(layers: Layers, photos: list[Bytes], random: np.random.Generator) -> None:
    """Change the colours of clothes, skin and hair, and put patterns on clothes."""
    for wear in (UPPER, LOWER, DRESS, SHOES):
        if random.random() < 0.75:
            dye(layers, layers.wear == wear, photos, random)
    tint(layers, layers.wear == SKIN, random.uniform(0.45, 1.25), 0.08, random)
    tint(layers, layers.wear == HAIR, random.uniform(0.3, 1.8), 0.25, random)


def tint(
    layers: Layers,
    where: NDArray[np.bool_],
    gain: float,
    spread: float,
    random: np.random.Generator,
) -> None:
    """Scale brightness and the balance of colours."""
    colour = gain * np.exp(random.normal(0, spread, 3))
    layers.pixels[where] = np.clip(layers.pixels[where] * colour, 0, 255)


def dye(
    layers: Layers, where: NDArray[np.bool_], photos: list[Bytes], random: np.random.Generator
) -> None:
    """Give a garment another colour or cloth; its folds stay."""
    if not where.any():
        return
    own = layers.pixels[where]
    shade = own.mean(axis=1) / max(float(own.mean()), 1.0)
    shade = np.clip(shade, 0, 2.5) ** random.uniform(0.6, 1.4)
    cloth = weave(photos, random)[where]
    if random.random() < 0.15:
        # Colour blocks: a garment's lower part, or one side, of another cloth.
        rows, columns = np.nonzero(where)
        angle = random.uniform(0, math.pi)
        place = rows * math.cos(angle) + columns * math.sin(angle)
        beyond = place > np.quantile(place, random.uniform(0.3, 0.8))
        cloth[beyond] = weave(photos, random)[where][beyond]
    mixed = cloth * shade[:, None]
    if random.random() < 0.35:
        keep = random.uniform(0.3, 0.8)
        mixed = keep * own + (1 - keep) * mixed
    layers.pixels[where] = np.clip(mixed, 0, 255)


def place(random: np.random.Generator, photos: list[Bytes], size: tuple[int, ...]) -> Floats:
    """Return a place to stand in: a photo, or a studio's backdrop."""
    if random.random() < 0.7:
        return window(photos[int(random.integers(len(photos)))], random)
    ramp = cv2.resize(random.uniform(0, 1, (3, 2)).astype(np.float32), size[::-1])
    first, second = any_colour(random), any_colour(random)
    second = first + (second - first) * random.uniform(0, 0.5)
    return np.asarray(first + (second - first) * ramp[:, :, None], np.float32)


def light(random: np.random.Generator) -> Floats:
    """Return 256x256x3 of light on the person: its colour, and a fall to one side."""
    colour = np.exp(random.normal(0, 0.12, 3)) * random.uniform(0.55, 1.25)
    ramp = cv2.resize(np.exp(random.normal(0, 0.25, (2, 2))).astype(np.float32), (SIDE, SIDE))
    return np.asarray(ramp[:, :, None] * colour, np.float32)


def stand_behind(
    picture: Floats, other: RenderedPerson, photos: list[Bytes], random: np.random.Generator
) -> None:
    """Put another person into the place, who is not to be read."""
    shown = cut_out(other, other.readings[0], random)
    dress_up(shown, photos, random)
    shift = int(random.choice([-1, 1]) * random.uniform(0.2, 0.6) * SIDE)
    move = np.array([[1, 0, -shift], [0, 1, random.uniform(-30, 30)]], np.float64)
    alpha = cv2.warpAffine(
        shown.alpha, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    pixels = cv2.warpAffine(
        shown.pixels, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    picture += (pixels - picture) * alpha[:, :, None]


def occlude(
    picture: Floats, layers: Layers, photos: list[Bytes], random: np.random.Generator
) -> None:
    """Put a thing before the person."""
    cover = np.zeros((SIDE, SIDE), np.uint8)
    centre = (int(random.uniform(0, SIDE)), int(random.uniform(60, SIDE)))
    axes = (int(random.uniform(10, 60)), int(random.uniform(10, 60)))
    if random.random() < 0.5:
        cv2.ellipse(cover, (centre, axes, float(random.uniform(0, 180))), 255, -1)
    else:
        start = (centre[0] - axes[0], centre[1] - axes[1])
        cv2.rectangle(cover, start, (centre[0] + axes[0], centre[1] + axes[1]), 255, -1)
    share = cv2.GaussianBlur(cover, (3, 3), 0).astype(np.float32)[:, :, None] / 255
    picture += (weave(photos, random) - picture) * share
    covered = cover > 127
    for layer in (layers.wear, layers.body, layers.silhouette):
        layer[covered] = 0


def beyond_picture(
    matrix: NDArray[np.float64],
    reading: Reading,
    columns: NDArray[np.intp],
    random: np.random.Generator | None,
) -> NDArray[np.bool_]:
    """Tell which cells of a crop lie beyond the borders of the picture."""
    right, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    x, y = (row[0] * right + row[1] * down + row[2] for row in matrix)
    bottom = reading.rows if reading.rows < len(reading.silhouette) else 1e9
    left, end = -1e9, 1e9
    if random is not None and random.random() < 0.3:
        left = columns[0] - random.uniform(0, 0.3) * np.ptp(columns)
    if random is not None and random.random() < 0.3:
        end = columns[-1] + random.uniform(0, 0.3) * np.ptp(columns)
    return np.asarray((y > bottom - 0.5) | (x < left) | (x > end))


def develop(picture: Floats, random: np.random.Generator) -> Bytes:
    """Take the picture with a camera: exposure, colours, blur, noise, JPEG."""
    picture = picture * np.exp(random.normal(0, 0.06, 3)) * random.uniform(0.75, 1.25)
    picture = 255 * np.clip(picture / 255, 0, 1) ** random.uniform(0.75, 1.35)
    if random.random() < 0.15:
        grey = picture.mean(axis=2, keepdims=True)
        picture = grey + (picture - grey) * random.uniform(0, 0.6)
    blur = random.random()
    if blur < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    elif blur < 0.55:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = picture + (picture - soft) * random.uniform(0.3, 1.2)
    if random.random() < 0.5:
        picture = picture + random.normal(0, random.uniform(1, 9), picture.shape)
    image = np.clip(picture, 0, 255).astype(np.uint8)
    if random.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.uniform(30, 90))]
        coded = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return image


def guide_of(layers: Layers, image: Bytes, random: np.random.Generator | None) -> Floats:
    """Draw limb maps, silhouette and skin as the service does; with randomness, less surely."""
    guide = np.zeros((GUIDES, MAP_CELLS, MAP_CELLS), np.float32)
    step = SIDE / MAP_CELLS
    landmarks = layers.landmarks.copy()
    silhouette = layers.silhouette
    if random is not None:
        landmarks[:, :2] += random.normal(0, random.uniform(0, 3.5), (len(landmarks), 2))
    landmarks[:, :2] = (landmarks[:, :2] + 0.5) / step - 0.5
    landmarks[:, 2] /= step
    landmarks = landmarks.astype(np.float32)
    limb_maps(landmarks, guide[:MAPS])
    small = cv2.resize(image, (MAP_CELLS, MAP_CELLS), interpolation=cv2.INTER_AREA)
    skin_likeness(small, landmarks, guide[MAPS + 1])
    if random is not None:
        if random.random() < 0.1:
            guide[random.integers(0, MAPS, 3)] = 0
        if random.random() < 0.3:
            silhouette = (layers.alpha * 255).astype(np.uint8) * (layers.body > 0)
    guide[MAPS] = cv2.resize(silhouette, (MAP_CELLS, MAP_CELLS), interpolation=cv2.INTER_AREA) / 255
    return guide


def small_labels(labels: Bytes) -> Bytes:
    """Return labels at the size of the network's answers."""
    return (
        np.ascontiguousarray(labels[1::2, 1::2]) if labels.shape[0] == 2 * SHARES_SIDE else labels
    )


def mirrored(layers: Layers, sample: Sample, random: np.random.Generator) -> Sample:
    """Return the mirror image: the person's left becomes right."""
    layers.landmarks = layers.landmarks[OPPOSITES]
    layers.landmarks[:, 0] = SIDE - 1 - layers.landmarks[:, 0]
    layers.silhouette = np.ascontiguousarray(layers.silhouette[:, ::-1])
    layers.alpha = np.ascontiguousarray(layers.alpha[:, ::-1])
    layers.body = np.ascontiguousarray(MIRRORED_BODY[layers.body[:, ::-1]])
    image = np.ascontiguousarray(sample.image[:, ::-1])
    return Sample(
        image=image,
        guide=guide_of(layers, image, random),
        body=small_labels(layers.body),
        wear=np.ascontiguousarray(small_labels(layers.wear[:, ::-1])),
    )
