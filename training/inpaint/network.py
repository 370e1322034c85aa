"""The sketching network: a U-Net on a small picture, with attention from the hole to the rest.

A picture comes with its hole filled in three simple ways: smoothly, along rows and along columns.
For each pixel the network says how much more or less it takes of each than they are trusted, and
what it adds. So even an untrained network fills holes, and what it learns is to know better. Which
known place tells a hole's place about itself is found by attention (Yu et al., "Generative Image
Inpainting with Contextual Attention", 2018), whose heads prefer what is near by learnt amounts
across and down (Press et al., "Train Short, Test Long", 2022): one follows rows, one columns, two
look around.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.vision.sketch import SIDE

WIDTHS = (32, 64, 128, 192)
"""Channels on the grids of 2, 4, 8 and 16 pixels."""

HEADS = 4
KEY = 16
"""Channels that each head compares places by."""

VALUE = 32
"""Channels that each head brings."""

SLOPES = ((12.0, 0.5), (0.5, 12.0), (4.0, 4.0), (1.0, 1.0))
"""What each head loses at first, in logits, for the whole picture's side down and across."""

IN_HOLE = -12.0
"""Logit of asking a place that is itself missing."""

WAYS = 3
"""In which a hole comes filled."""


def joined(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution of 3x3, its normalisation and its activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two convolutions beside a straight path."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = joined(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.constant_(self.norm.weight, 0.2)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return F.relu(features + self.norm(self.second(self.first(features))))


class Recall(nn.Module):
    """Lets every place ask all known places, the nearer the rather."""

    def __init__(self, channels: int, cells: int) -> None:
        super().__init__()
        self.ask = nn.Conv2d(channels, HEADS * KEY, 1)
        self.tell = nn.Conv2d(channels, HEADS * KEY, 1, bias=False)
        self.bring = nn.Conv2d(channels, HEADS * VALUE, 1, bias=False)
        self.close = nn.Conv2d(HEADS * VALUE, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.constant_(self.norm.weight, 0.2)
        self.slopes = nn.Parameter(torch.tensor(SLOPES))
        self._cells = (cells, cells)
        place = torch.arange(cells) / cells
        self.register_buffer("apart", (place[:, None] - place).abs(), persistent=False)

    def forward(self, features: Tensor, hole: Tensor) -> Tensor:
        """Return features of the same shape.

        Args:
            features: [N,C,h,w].
            hole: [N,1,h,w], the share of each cell that is missing.
        """
        ask = self.ask(features).unflatten(1, (HEADS, KEY)).flatten(3)
        tell = self.tell(features).unflatten(1, (HEADS, KEY)).flatten(3)
        bring = self.bring(features).unflatten(1, (HEADS, VALUE)).flatten(3)
        likeness = torch.matmul(ask.transpose(2, 3), tell) * KEY**-0.5
        missing = IN_HOLE * hole.flatten(2)[:, :, None]
        share = (self._nearer(likeness) + missing).softmax(dim=3)
        brought = torch.matmul(bring, share.transpose(2, 3)).flatten(1, 2)
        brought = brought.unflatten(2, self._cells)
        changed: Tensor = features + self.norm(self.close(brought))
        return changed

    def _nearer(self, likeness: Tensor) -> Tensor:
        """Take from [N,HEADS,asking,asked] what each head loses by distance."""
        by_axis = likeness.unflatten(3, self._cells).unflatten(2, self._cells)
        down, right = (self.slopes.abs()[:, axis, None, None] * self.apart for axis in (0, 1))
        by_axis = by_axis - down[:, :, None, :, None] - right[:, None, :, None, :]
        return by_axis.flatten(4).flatten(2, 3)


class Sketching(nn.Module):
    """Reads a picture with its hole filled in simple ways, and draws what the hole may hold."""

    def __init__(self) -> None:
        super().__init__()
        fine, finer, coarse, coarser = WIDTHS
        cells = SIDE // 8
        self.stem = joined(4 * (4 * WAYS + 1), fine)
        self.down_4 = nn.Sequential(joined(fine, finer, 2), Residual(finer))
        self.down_8 = nn.Sequential(joined(finer, coarse, 2), Residual(coarse))
        self.recall = Recall(coarse, cells)
        self.down_16 = nn.Sequential(joined(coarse, coarser, 2), Residual(coarser))
        self.lift_8 = nn.Conv2d(coarser, coarse, 1)
        self.again = Recall(coarse, cells)
        self.up_8 = Residual(coarse)
        self.lift_4 = nn.Conv2d(coarse, finer, 1)
        self.up_4 = Residual(finer)
        self.lift_2 = nn.Conv2d(finer, fine, 1)
        self.up_2 = joined(fine, fine)
        self.head = nn.Conv2d(fine, 4 * (3 + WAYS), 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ways: Tensor, trust: Tensor, hole: Tensor) -> Tensor:
        """Return [N,3,SIDE,SIDE], about 0..1, of which the hole matters.

        Args:
            ways: [N,3 * WAYS,SIDE,SIDE] sRGB 0..1, the picture with its hole filled smoothly, along
                rows and along columns.
            trust: [N,WAYS,SIDE,SIDE], logits of how far each is to be trusted.
            hole: [N,1,SIDE,SIDE] 0..1, the share of each pixel that is missing.
        """
        answer = self.answer(torch.cat([2 * ways - 1, trust / 4, hole], dim=1), hole).float()
        shares = (trust + answer[:, 3:]).softmax(dim=1)
        chosen = (ways.unflatten(1, (WAYS, 3)) * shares[:, :, None]).sum(dim=1)
        return chosen + answer[:, :3]

    def answer(self, given: Tensor, hole: Tensor) -> Tensor:
        """Return [N,3 + WAYS,SIDE,SIDE]: colours to add, and logits to add to the trust."""
        small = F.avg_pool2d(hole, 8)
        at_2 = self.stem(F.pixel_unshuffle(given, 2))
        at_4 = self.down_4(at_2)
        at_8 = self.recall(self.down_8(at_4), small)
        rising = doubled(self.lift_8(self.down_16(at_8))) + at_8
        rising = self.up_8(self.again(rising, small))
        rising = self.up_4(doubled(self.lift_4(rising)) + at_4)
        rising = self.up_2(doubled(self.lift_2(rising)) + at_2)
        return F.pixel_shuffle(self.head(rising), 2)


def doubled(features: Tensor) -> Tensor:
    """Return features at twice the size."""
    return F.interpolate(features, scale_factor=2.0, mode="bilinear")
