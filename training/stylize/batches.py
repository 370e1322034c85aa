"""Batches: windows of the lessons' photos, each with the style it shall take."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.stylize.data import Picture, picture, thumbnail
from training.stylize.lessons import Lessons
from training.stylize.losses import GRAM_FLOATS, LEVELS
from training.stylize.network import STRIDE
from training.stylize.styles import PAINTINGS
from training.stylize.targets import tensor
from training.stylize.teacher import SIDE

MARGIN = 16
"""Pixels around the judged window that the network also sees, so that it does not learn edges."""

VIEW_MOVE = 30
"""Pixels: how far at most the second view of the first photo is moved against the whole."""

PIECE = 224
"""Pixels: the side of the piece of the first photo that is also drawn by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One step's pictures.

    Attributes:
        photos: [N,3,S,S] sRGB 0..1.
        pictures: [N,3,S,S], what the lesson wants the network to make of them.
        thumbnails: [N,3,THUMBNAIL_SIDE,THUMBNAIL_SIDE], the photos that the windows are cut from.
        moved: [1,3,PIECE,PIECE], a piece of the first photo, with a little noise.
        view: [1,3,THUMBNAIL_SIDE,THUMBNAIL_SIDE], the photo that the piece comes from, as if the
            camera had been turned a little.
        shift: pixels, row and column of the photo where the piece starts.
        named: [N], place among the named styles, or -1.
        codes: [N,CODE_SIZE], by the teacher's statistics or the encoder; without meaning where
            named.
        summaries: [N,SUMMARY_SIZE], what the encoder's code is made of; zeros for the teacher's.
        grams: [N,LEVELS,GRAM_FLOATS], the style's; without meaning unless styled.
        palettes: [N,...], the style's, see losses.palette; without meaning unless styled.
        styled: [N] bool, whether there is one style picture to come near to.
    """

    photos: Tensor
    pictures: Tensor
    thumbnails: Tensor
    moved: Tensor
    view: Tensor
    shift: tuple[int, int]
    named: Tensor
    codes: Tensor
    summaries: Tensor
    grams: Tensor
    palettes: Tensor
    styled: Tensor


class Batches:
    """Makes the batch of any step from the seed and the step's number alone."""

    def __init__(self, lessons: Lessons, size: int, side: int, seed: int, known: float) -> None:
        self.lessons = lessons
        self.size = size
        self.side = side + 2 * MARGIN
        self.seed = seed
        chances = np.where(lessons.first.numpy() < len(PAINTINGS), known, 1.0)
        self.chances = chances / chances.sum()
        if self.side % STRIDE:
            message = f"a window of {self.side} pixels does not lie on the network's grid"
            raise ValueError(message)

    def make(self, step: int) -> Batch:
        """Return the batch of a step."""
        random = np.random.default_rng((self.seed, step))
        count = len(self.lessons.first)
        chosen = random.choice(count, self.size, replace=False, p=self.chances)
        cuts = [self.cut(int(index), random) for index in chosen]
        photos = np.stack([cut[0] for cut in cuts])
        row, column = (int(value) for value in random.integers(self.side - PIECE + 1, size=2))
        piece = photos[0, row : row + PIECE, column : column + PIECE]
        noisy = picture(piece + random.normal(0, random.uniform(0, 4), piece.shape))
        first, second = self.lessons.first[chosen], self.lessons.second[chosen]
        pictured = first < len(self.lessons.codes)
        alone = pictured & (second < 0)
        return Batch(
            photos=tensor(photos),
            pictures=tensor(np.stack([cut[1] for cut in cuts])),
            thumbnails=tensor(np.stack([cut[2] for cut in cuts])),
            moved=tensor(noisy[None]),
            view=self.view(int(chosen[0]), random),
            shift=(row, column),
            named=torch.tensor([self.named(int(index)) for index in chosen]),
            codes=torch.stack([self.mixed(self.lessons.codes, int(index)) for index in chosen]),
            summaries=torch.stack(
                [self.mixed(self.lessons.summaries, int(index)) for index in chosen]
            ),
            grams=self.grams(first, alone),
            palettes=self.lessons.palettes[first.clamp_max(len(self.lessons.codes) - 1)],
            styled=alone,
        )

    def cut(self, index: int, random: np.random.Generator) -> tuple[Picture, Picture, Picture]:
        """Return the same window of a lesson's photo and picture, and the photo's thumbnail."""
        photo, drawn = self.lessons.photos[index], self.lessons.pictures[index]
        row, column = (int(value) for value in random.integers(SIDE - self.side + 1, size=2))
        inner = (slice(row, row + self.side), slice(column, column + self.side))
        found = (photo[inner], drawn[inner], thumbnail(photo))
        return found if random.random() < 0.5 else tuple(part[:, ::-1] for part in found)  # type: ignore[return-value]

    def view(self, index: int, random: np.random.Generator) -> Tensor:
        """Return the thumbnail of a lesson's photo, cut a little narrower at random sides."""
        photo = self.lessons.photos[index]
        top, bottom, left, right = (int(value) for value in random.integers(VIEW_MOVE, size=4))
        seen = photo[top : SIDE - bottom, left : SIDE - right]
        return tensor(thumbnail(seen)[None])

    def named(self, index: int) -> int:
        """Return the place of a lesson's style among the named ones, mediums last, or -1."""
        first, pool = int(self.lessons.first[index]), len(self.lessons.codes)
        if first >= pool:
            return len(PAINTINGS) + first - pool
        return first if first < len(PAINTINGS) and self.lessons.second[index] < 0 else -1

    def mixed(self, table: Tensor, index: int) -> Tensor:
        """Return a lesson's row of a table of the style pictures, mixed as its styles are."""
        first, second = int(self.lessons.first[index]), int(self.lessons.second[index])
        if first >= len(table):
            return torch.zeros_like(table[0])
        share = float(self.lessons.share[index])
        return table[first] * share + table[second] * (1 - share) if second >= 0 else table[first]

    def grams(self, first: Tensor, alone: Tensor) -> Tensor:
        """Return the Gram matrices [N,LEVELS,GRAM_FLOATS] of the lessons that have a style."""
        found = torch.zeros(len(first), LEVELS, GRAM_FLOATS)
        found[alone] = self.lessons.grams[first[alone]].float()
        return found
