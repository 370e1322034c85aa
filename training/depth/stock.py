"""What scenes are dressed with: textures cut from photos or drawn, people, trees, odd shapes."""

from pathlib import Path

import cv2
import numpy as np

from training.depth.canvas import OTHER, PERSON, Floats, Random
from training.depth.cutouts import Cutout
from training.depth.textures import TEXTURE_SIDE, Texture, noise, soften

PHOTO_SIDE = 320
DEPTH_METRES = 16.0
HELD_EVERY = 16


class Stock:
    """Photos and people in memory, and what is drawn of them."""

    def __init__(self, data: Path, random: Random, people: int) -> None:
        """Read photos and `people` rendered people below a data folder."""
        self._random = random
        paths = [*sorted((data / "photos/cid22").glob("*.jpg"))]
        paths += sorted((data / "photos/clic").glob("*.jpg"))
        self.photos = [read(path) for index, path in enumerate(paths) if index % HELD_EVERY]
        names = [path for path in sorted((data / "people").glob("*.png")) if "_" not in path.name]
        chosen = random.permutation(len(names))[:people]
        self.people = [read_person(names[index]) for index in chosen]

    def person(self) -> Cutout:
        """Return a person, lit as it comes."""
        found = self.people[int(self._random.integers(len(self.people)))]
        colour = found.colour.copy()
        colour[:, :, :3] *= tint(self._random, 0.25)
        return Cutout(
            colour=np.clip(colour, 0, 1),
            relief=found.relief,
            metres=found.metres * self._random.uniform(0.85, 1.12),
            kind=PERSON,
        )

    def photo(self) -> Floats:
        """Return a whole photo, hxwx3, mirrored half of the time."""
        found = self.photos[int(self._random.integers(len(self.photos)))]
        return found[:, ::-1] if self._random.random() < 0.5 else found

    def texture(self, metres: float, plain: float = 0.3) -> Texture:
        """Return a texture; a share of `plain` is drawn, the others are cut from photos."""
        random = self._random
        if random.random() < plain:
            picture = drawn(random)
        else:
            photo = self.photo()
            side = int(random.integers(48, min(photo.shape[:2]) + 1))
            top = int(random.integers(photo.shape[0] - side + 1))
            left = int(random.integers(photo.shape[1] - side + 1))
            cut = np.ascontiguousarray(photo[top : top + side, left : left + side])
            picture = cv2.resize(cut, (TEXTURE_SIDE, TEXTURE_SIDE))
            if random.random() < 0.5:
                picture = picture.mean(axis=(0, 1)) * 0.7 + picture * 0.3
        # Most things are nearly grey.
        grey = picture.mean(axis=2, keepdims=True)
        picture = grey + (picture - grey) * random.uniform(0.3, 1.0)
        picture = np.clip(picture * tint(random, 0.2), 0, 1)
        return Texture(
            levels=soften(np.ascontiguousarray(picture, np.float32)),
            metres=metres * random.uniform(0.6, 1.7),
        )

    def tree(self) -> Cutout:
        """Return a tree: a trunk and a crown of leaves."""
        random = self._random
        height, width = 192, 128
        down, right = np.mgrid[0:height, 0:width].astype(np.float32)
        middle, half = random.uniform(0.3, 0.45), random.uniform(0.25, 0.42)
        pointed = random.random() < 0.35
        reach = ((down / height - middle) / half) ** 2 + ((right / width - 0.5) / 0.45) ** 2
        if pointed:
            reach = np.abs(right / width - 0.5) / (0.03 + 0.4 * down / height) + 0.0 * reach
            reach[down > 0.88 * height] = 9
        rough = noise((height, width), random, 5, 0.7)
        crown = np.clip((1 - reach + 0.5 * rough) * 6, 0, 1)
        trunk = (np.abs(right - width / 2) < 3 + 3 * down / height) & (down > middle * height)
        green = np.array([0.2, 0.4, 0.12], np.float32) * tint(random, 0.5)
        leaf = (0.75 + 0.5 * noise((height, width), random, 14, 0.8))[:, :, None] * green
        bark = np.array([0.28, 0.2, 0.15], np.float32) * tint(random, 0.3)
        colour = np.where(
            crown[:, :, None] > 0.3, leaf * (1.2 - 0.5 * down / height)[:, :, None], bark
        )
        share = np.maximum(crown, trunk)
        return Cutout(
            colour=np.dstack([np.clip(colour, 0, 1), share]).astype(np.float32),
            relief=(0.5 * rough - 0.5 * crown).astype(np.float32),
            metres=random.uniform(2, 14),
            kind=OTHER,
        )

    def shape(self, metres: float) -> Cutout:
        """Return a bulging thing of some outline, covered with a piece of a photo."""
        random = self._random
        side = 128
        angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        radius = np.full(90, 0.34)
        for wave in range(2, 6):
            radius += random.normal() * 0.09 / wave * np.cos(wave * angle + random.uniform(0, 6.3))
        stretch = random.uniform(0.5, 1.0)
        outline = np.stack(
            [0.5 + stretch * radius * np.cos(angle), 0.55 + radius * np.sin(angle)], 1
        )
        mask = np.zeros((side * 2, side * 2), np.uint8)
        cv2.fillPoly(mask, [np.int32(outline * side * 2)], 255)
        share = (
            cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        )
        bulge = cv2.distanceTransform(np.uint8(share > 0.5), cv2.DIST_L2, 3) / side
        bulge = np.sqrt(bulge / max(bulge.max(), 1e-3))
        slope = cv2.Sobel(cv2.GaussianBlur(bulge, (0, 0), 3), cv2.CV_32F, 1, 0)
        picture = cv2.resize(self.texture(1.0).levels[0], (side, side))
        colour = picture * (0.7 + 0.4 * bulge + random.normal() * slope)[:, :, None]
        rows = np.flatnonzero(share.max(axis=1) > 0.5)
        columns = np.flatnonzero(share.max(axis=0) > 0.5)
        cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        return Cutout(
            colour=np.dstack([np.clip(colour, 0, 1), share]).astype(np.float32)[cut],
            relief=(-0.35 * metres * bulge).astype(np.float32)[cut],
            metres=metres,
            kind=OTHER,
        )


def read(path: Path) -> Floats:
    """Read a photo as hxwx3 float32 0..1 RGB with a short side of at most PHOTO_SIDE."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        message = f"{path} is not a picture"
        raise ValueError(message)
    scale = min(1.0, PHOTO_SIDE / min(pixels.shape[:2]))
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[:, :, ::-1], np.float32) / 255


def read_person(path: Path) -> Cutout:
    """Read a rendered person, cut to its hull."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    raw = cv2.imread(str(path.with_name(f"{path.stem}_depth.png")), cv2.IMREAD_UNCHANGED)
    colour = pixels[:, :, [2, 1, 0, 3]].astype(np.float32) / 255
    depth = raw.astype(np.float32) / 65535 * DEPTH_METRES
    body = depth > 0
    middle = float(np.median(depth[body]))
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    # The renders put the whole body into 480 pixels whatever its distance.
    relief = np.where(body, depth - middle, 0).astype(np.float32)
    return Cutout(
        colour=colour[cut], relief=np.clip(relief[cut], -0.6, 0.6), metres=1.7, kind=PERSON
    )


def tint(random: Random, strength: float) -> Floats:
    """Return three factors around 1 for red, green and blue."""
    common = random.normal() * strength
    return np.exp(common + random.normal(size=3) * strength * 0.4).astype(np.float32)


def drawn(random: Random) -> Floats:
    """Draw a texture: even, rough, tiles, boards or windows."""
    side = TEXTURE_SIDE
    base = random.uniform(0.1, 0.95, size=3).astype(np.float32)
    if random.random() < 0.6:
        base = base.mean() + (base - base.mean()) * 0.3
    picture = np.tile(base, (side, side, 1)).astype(np.float32)
    down, right = np.mgrid[0:side, 0:side]
    choice = random.integers(5)
    if choice >= 2:
        rows, columns = int(random.integers(2, 12)), int(random.integers(1, 12))
        shift = (down * rows // side % 2) * int(random.integers(2)) * side // (2 * columns)
        y, x = down * rows % side / side, (right + shift) * columns % side / side
        edge = random.uniform(0.03, 0.3)
        joint = (
            (y < edge) | (x < edge)
            if choice < 4
            else (np.abs(y - 0.5) < edge) & (np.abs(x - 0.5) < edge)
        )
        picture[joint] = picture[joint] * random.uniform(0.2, 1.6)
    grain = noise((side, side), random, random.uniform(3, 40), 0.7)
    return picture * (1 + 0.3 * random.random() ** 2 * grain)[:, :, None]
