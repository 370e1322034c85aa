"""Batches: windows of photos, each with the style it shall take and what that is judged by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.stylize.data import Picture, centred, load_photos, picture, resized, window
from training.stylize.losses import palette
from training.stylize.mediums import MEDIUMS, render
from training.stylize.network import CODE_SIZE, SCALE_INDEX
from training.stylize.pool import SIDE
from training.stylize.styles import PAINTINGS, load_painting
from training.stylize.targets import POOL_SCALES, SCALES, Targets, tensor

MARGIN = 32
"""Pixels around the judged window that the network also sees, so that it does not learn edges."""

PIECE = 160
"""Pixels: the side of the piece of the first photo that is also drawn by itself."""

SHARES = {"painting": 0.54, "medium": 0.23, "pool": 0.18, "mix": 0.05}
"""How often a picture of a batch is of each kind."""

CODE_NOISE = 0.12
"""Standard deviation added to codes, so that codes nearby mean styles nearby."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step's pictures.

    Attributes:
        photos: [N,3,S,S] sRGB 0..1.
        moved: [1,3,PIECE,PIECE], a piece of the first photo, with a little noise.
        shift: pixels, row and column of the photo where the piece starts.
        references: [N,3,S-2*MARGIN,S-2*MARGIN], the photo, or what a medium's filter makes of it.
        codes: [N,CODE_SIZE].
        views: [K,3,ENCODER_SIDE,ENCODER_SIDE] sRGB 0..1, the style pictures there are.
        viewed: [N] bool, whose code the encoder shall read off its style picture; K are true.
        grams: [N,LEVELS,GRAM_FLOATS], the style's; without meaning where paired.
        palettes: [N,...], the style's, see losses.palette; without meaning where paired.
        paired: [N] bool, whether the reference is a medium's picture.
    """

    photos: Tensor
    moved: Tensor
    shift: tuple[int, int]
    references: Tensor
    codes: Tensor
    views: Tensor
    viewed: Tensor
    grams: Tensor
    palettes: Tensor
    paired: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The style one photo shall take.

    Attributes:
        code: [CODE_SIZE-1].
        scale: log2 of the brush scale.
        grams: [LEVELS,GRAM_FLOATS].
        palette: [...], see losses.palette.
        medium: its place in MEDIUMS, or -1.
        view: the style picture's place in the pool, or -1.
    """

    code: Tensor
    scale: float
    grams: Tensor
    palette: Tensor
    medium: int = -1
    view: int = -1


class Batches:
    """Makes the batch of any step from the seed and the step's number alone."""

    def __init__(self, data: Path, targets: Targets, size: int, side: int, seed: int) -> None:
        self.photos = load_photos(data)
        self.targets = targets
        self.painting_palettes = torch.cat(
            [
                palette(tensor(resized(load_painting(data, painting), SIDE)[None]))
                for painting in PAINTINGS
            ]
        )
        self.medium_palettes = torch.cat(
            [medium_palette(self.photos, index) for index in range(len(MEDIUMS))]
        )
        self.size = size
        self.side = side
        self.seed = seed

    def make(self, step: int) -> Batch:
        """Return the batch of a step."""
        random = np.random.default_rng((self.seed, step))
        spare = self.side + 2 * MARGIN - PIECE
        row, column = (int(value) for value in random.integers(spare + 1, size=2))
        wishes = [self.wish(random) for _ in range(self.size)]
        outer = [self.cut(random) for _ in range(self.size)]
        piece = outer[0][row : row + PIECE, column : column + PIECE]
        noisy = picture(piece + random.normal(0, random.uniform(0, 4), piece.shape))
        views = zip(outer, wishes, strict=True)
        inner = slice(MARGIN, MARGIN + self.side)
        references = [reference(view, wish)[inner, inner] for view, wish in views]
        return Batch(
            photos=tensor(np.stack(outer)),
            moved=tensor(noisy[None]),
            shift=(row, column),
            references=tensor(np.stack(references)),
            codes=torch.stack([full_code(wish, random) for wish in wishes]),
            views=self.views([wish.view for wish in wishes if wish.view >= 0]),
            viewed=torch.tensor([wish.view >= 0 for wish in wishes]),
            grams=torch.stack([wish.grams.float() for wish in wishes]),
            palettes=torch.stack([wish.palette for wish in wishes]),
            paired=torch.tensor([wish.medium >= 0 for wish in wishes]),
        )

    def cut(self, random: np.random.Generator) -> Picture:
        """Return a window of a random photo."""
        photo = self.photos[int(random.integers(len(self.photos)))]
        return window(photo, self.side + 2 * MARGIN, random)

    def views(self, indices: list[int]) -> Tensor:
        """Return what the encoder sees of pictures of the pool, [K,3,side,side] 0..1."""
        return self.targets.pool_images[indices].float() / 255

    def wish(self, random: np.random.Generator) -> Wish:
        """Return a random style to take."""
        kind = str(random.choice(list(SHARES), p=list(SHARES.values())))
        if kind == "medium":
            medium = int(random.integers(len(MEDIUMS)))
            scale = float(random.uniform(-1, 1)) if random.random() < 0.4 else 0.0
            code, grams = self.targets.medium_codes[medium], self.targets.mediums[medium]
            spread = self.medium_palettes[medium]
            return Wish(code=code, scale=scale, grams=grams, palette=spread, medium=medium)
        if kind == "painting":
            place = pick(random, len(SCALES), SCALES.index(0))
            return self.painting(int(random.integers(len(self.targets.paintings))), place)
        if kind == "pool":
            index = int(random.integers(len(self.targets.pool)))
            place = pick(random, len(POOL_SCALES), POOL_SCALES.index(0))
            code, grams = self.targets.pool_codes[index], self.targets.pool[index, place]
            spread = palette(enlarged(self.views([index])))[0]
            scale = POOL_SCALES[place]
            return Wish(code=code, scale=scale, grams=grams, palette=spread, view=index)
        return self.mix(random)

    def painting(self, index: int, place: int) -> Wish:
        """Return a named painting at the brush scale SCALES[place]."""
        code, grams = self.targets.painting_codes[index], self.targets.paintings[index, place]
        spread = self.painting_palettes[index]
        return Wish(code=code, scale=SCALES[place], grams=grams, palette=spread)

    def mix(self, random: np.random.Generator) -> Wish:
        """Return two named styles mixed by weight."""
        usual = self.targets.paintings[:, SCALES.index(0)]
        grams = torch.cat([usual, self.targets.mediums]).float()
        codes = torch.cat([self.targets.painting_codes, self.targets.medium_codes])
        spreads = torch.cat([self.painting_palettes, self.medium_palettes])
        one, other = (int(index) for index in random.choice(len(codes), 2, replace=False))
        share = float(random.uniform(0.2, 0.8))
        return Wish(
            code=codes[one] * share + codes[other] * (1 - share),
            scale=0.0,
            grams=grams[one] * share + grams[other] * (1 - share),
            palette=spreads[one] * share + spreads[other] * (1 - share),
        )


def enlarged(views: Tensor) -> Tensor:
    """Return what the encoder sees, [K,3,side,side], at the size that styles have, SIDE."""
    return F.interpolate(views, size=(SIDE, SIDE), mode="bilinear")


def medium_palette(photos: list[Picture], medium: int) -> Tensor:
    """Return the mean palette [1,...] of some photos in a medium."""
    shown = [render(MEDIUMS[medium], centred(photo, SIDE), 0.0) for photo in photos[::24]]
    return palette(tensor(np.stack(shown))).mean(dim=0, keepdim=True)


def pick(random: np.random.Generator, count: int, usual: int) -> int:
    """Return the usual index more than half of the time, else any."""
    return usual if random.random() < 0.65 else int(random.integers(count))


def reference(view: Picture, wish: Wish) -> Picture:
    """Return what a photo's picture is compared with: the medium's picture, or the photo."""
    return render(MEDIUMS[wish.medium], view, wish.scale) if wish.medium >= 0 else view


def full_code(wish: Wish, random: np.random.Generator) -> Tensor:
    """Return the code [CODE_SIZE] the network gets: a little noise, and the brush scale."""
    code = torch.zeros(CODE_SIZE)
    noise = torch.from_numpy(random.normal(0, CODE_NOISE, CODE_SIZE - 1).astype(np.float32))
    code[: CODE_SIZE - 1] = wish.code + noise
    code[SCALE_INDEX] = wish.scale
    return code
