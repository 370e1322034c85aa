"""Style targets: Gram matrices to reach, and codes that describe them.

A code is what is left of a style picture's Gram matrices after principal component analysis over
the pool: a linear summary, so mixes of codes describe mixes of styles, and it exists for any
picture without training. The style encoder learns to read the same code off the pixels.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.stylize.data import Picture, centred, load_photos, read, resized, window
from training.stylize.losses import LEVELS, by_layer, pyramid_grams
from training.stylize.mediums import MEDIUMS, render
from training.stylize.network import CODE_SIZE, ENCODER_SIDE
from training.stylize.perception import Perception
from training.stylize.pool import SIDE, style_picture
from training.stylize.styles import PAINTINGS, load_painting

SCALES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""log2 of the brush scales for which the named paintings have targets."""

POOL_SCALES = (-1.0, 0.0, 1.0)
"""log2 of the brush scales for which pictures of the pool have targets."""

MEDIUM_SHARE = 0.1
"""Share of the pool that is photos rendered in a medium."""

CODE_LIMIT = 3.5
"""Codes have unit variance over the pool; further out than this they are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """All that training compares with; see the module's text.

    Attributes:
        paintings: [P,S,LEVELS,GRAM_FLOATS] bfloat16, S as SCALES.
        painting_codes: [P,CODE_SIZE-1].
        mediums: [M,LEVELS,GRAM_FLOATS] bfloat16, means over many renders.
        medium_codes: [M,CODE_SIZE-1].
        pool: [N,S,LEVELS,GRAM_FLOATS] bfloat16, S as POOL_SCALES.
        pool_codes: [N,CODE_SIZE-1].
        pool_images: [N,3,ENCODER_SIDE,ENCODER_SIDE] uint8, what the encoder sees of the pool.
        centre: mean descriptor that the projection subtracts.
        projection: [descriptor, CODE_SIZE-1].
        spreads: [LEVELS, layers, 2] scale of each block of the descriptor.
    """

    paintings: Tensor
    painting_codes: Tensor
    mediums: Tensor
    medium_codes: Tensor
    pool: Tensor
    pool_codes: Tensor
    pool_images: Tensor
    centre: Tensor
    projection: Tensor
    spreads: Tensor

    def codes(self, grams: Tensor) -> Tensor:
        """Return the codes [N,CODE_SIZE-1] of packed Gram matrices [N,LEVELS,GRAM_FLOATS]."""
        described = describe(grams.float(), self.spreads)
        return ((described - self.centre) @ self.projection).clamp(-CODE_LIMIT, CODE_LIMIT)


def load_targets(cache: Path) -> Targets:
    """Read targets from a file that build_targets made."""
    return Targets(**torch.load(cache, weights_only=True))


def build_targets(data: Path, eye: Perception, cache: Path, count: int, seed: int) -> None:
    """Make the pool and all targets, and write them to a file.

    Args:
        data: root of the training material.
        eye: the perceptual network.
        cache: file to write.
        count: pictures in the pool.
        seed: where the pool's random choices start.
    """
    random = np.random.default_rng(seed)
    photos = load_photos(data)
    originals = [load_painting(data, painting) for painting in PAINTINGS]
    cloths = [read(path) for path in sorted((data / "garments").rglob("*.jpg"))[::8]]
    pictures = [
        medium_picture(photos, index, random)
        if random.random() < MEDIUM_SHARE
        else style_picture(originals, photos, cloths, random)
        for index in range(count)
    ]
    pool = torch.stack([targets_at(eye, shown, POOL_SCALES) for shown in pictures])
    mediums = torch.stack([medium_grams(eye, photos, index) for index in range(len(MEDIUMS))])
    paintings = torch.stack([targets_at(eye, shown, SCALES) for shown in originals])
    usual = torch.cat([pool[:, 1], mediums.flatten(0, 1), paintings[:, SCALES.index(0)]]).float()
    spreads = block_spreads(usual)
    centre, projection = principal(describe(usual, spreads))
    found = Targets(
        paintings=paintings,
        painting_codes=torch.empty(0),
        mediums=mediums.float().mean(dim=1).bfloat16(),
        medium_codes=torch.empty(0),
        pool=pool,
        pool_codes=torch.empty(0),
        pool_images=torch.stack([encoder_view(shown) for shown in pictures]),
        centre=centre,
        projection=projection,
        spreads=spreads,
    )
    stored = {name: getattr(found, name) for name in Targets.__slots__}
    stored["painting_codes"] = found.codes(paintings[:, SCALES.index(0)])
    stored["medium_codes"] = torch.stack([found.codes(one).mean(dim=0) for one in mediums])
    stored["pool_codes"] = found.codes(pool[:, 1])
    torch.save(stored, cache)


def medium_picture(photos: list[Picture], index: int, random: np.random.Generator) -> Picture:
    """Return a random photo's window in one of the mediums, as a style picture of the pool."""
    cut = window(photos[int(random.integers(len(photos)))], SIDE, random)
    return render(MEDIUMS[index % len(MEDIUMS)], cut, random.uniform(-0.5, 0.5))


def medium_grams(eye: Perception, photos: list[Picture], medium: int) -> Tensor:
    """Return packed Gram matrices [R,LEVELS,GRAM_FLOATS] of photos in a medium."""
    shown = [render(MEDIUMS[medium], centred(photo, SIDE), 0.0) for photo in photos[::18]]
    return torch.cat([targets_at(eye, picture, (0.0,)) for picture in shown])


@torch.no_grad()
def targets_at(eye: Perception, shown: Picture, scales: tuple[float, ...]) -> Tensor:
    """Return packed Gram matrices [S,LEVELS,GRAM_FLOATS] of a picture at several brush scales."""
    found = []
    for scale in scales:
        side = round(SIDE * 2.0**scale)
        pixels = resized(shown, side)
        if scale > 0:
            # The middle is enough for a texture, and costs no more than the usual size.
            rows, columns = (min(length, SIDE) for length in pixels.shape[:2])
            top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
            pixels = pixels[top : top + rows, left : left + columns]
        grams, _ = pyramid_grams(eye, tensor(pixels[None]))
        found.append(grams[0].bfloat16())
    return torch.stack(found)


def tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """Return pictures NHWC uint8 as [N,3,H,W] float32 0..1, channels last."""
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return (planes.float() / 255).contiguous(memory_format=torch.channels_last)


def encoder_view(shown: Picture) -> Tensor:
    """Return what the encoder sees of a picture: [3,ENCODER_SIDE,ENCODER_SIDE] uint8."""
    small = cv2.resize(shown, (ENCODER_SIDE, ENCODER_SIDE), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1).contiguous()


def blocks(grams: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return direction [N,side*side] and log length [N,1] of each Gram matrix, level by level."""
    found = []
    for level in range(LEVELS):
        for part in by_layer(grams[:, level]):
            length = part.norm(dim=1, keepdim=True).clamp_min(1e-6)
            found.append((part / length, length.log()))
    return found


def block_spreads(grams: Tensor) -> Tensor:
    """Return the spread [blocks,2] of directions and of lengths over the pictures."""
    return torch.tensor(
        [
            [part.sub(part.mean(dim=0)).norm(dim=1).mean().item() for part in pair]
            for pair in blocks(grams)
        ]
    )


def describe(grams: Tensor, spreads: Tensor) -> Tensor:
    """Return descriptors [N,D] of packed Gram matrices, every layer and level counting alike."""
    parts = [
        part / spread
        for pair, pair_spreads in zip(blocks(grams), spreads, strict=True)
        for part, spread in zip(pair, pair_spreads, strict=True)
    ]
    return torch.cat(parts, dim=1)


def principal(descriptors: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean [D] and the whitening projection [D,CODE_SIZE-1] of descriptors [N,D]."""
    centre = descriptors.mean(dim=0)
    centred_ones = descriptors - centre
    values, vectors = torch.linalg.eigh(centred_ones @ centred_ones.T)
    kept = slice(-(CODE_SIZE - 1), None)
    values, vectors = values[kept].flip(0), vectors[:, kept].flip(1)
    return centre, centred_ones.T @ vectors / values * len(descriptors) ** 0.5
