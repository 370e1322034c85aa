"""The stylizer: a purely local conditional network, and the encoder that reads a style picture."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 16
"""Pixels: height and width of a picture must be multiples of it."""

CODE_SIZE = 48
"""Floats in a style code, the brush scale included."""

SCALE_INDEX = CODE_SIZE - 1
"""Where the code holds log2 of the brush scale, in -1..1; 0 is the size the picture has."""

ENCODER_SIDE = 256
"""Pixels: the side of the square the encoder reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Widths and depths of a stylizer.

    Attributes:
        fine: channels on the grid of 4 pixels.
        broad: channels on the grid of 8 pixels.
        entry: residual blocks on the fine grid before the descent.
        core: residual blocks on the broad grid.
        exit: residual blocks on the fine grid after the ascent.
        level: 1 if core blocks first give each position's features unit power, else 0.
    """

    fine: int = 64
    broad: int = 96
    entry: int = 0
    core: int = 6
    exit: int = 2
    level: int = 1


class Film(nn.Module):
    """Scale and shift of each channel, read off the style code (Perez et al., 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.read = nn.Linear(CODE_SIZE, 2 * channels)
        nn.init.normal_(self.read.weight, std=0.3 * CODE_SIZE**-0.5)
        with torch.no_grad():
            self.read.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """Return features [N,C,H,W] scaled and shifted as code [N,CODE_SIZE] says."""
        scale, shift = self.read(code)[:, :, None, None].chunk(2, dim=1)
        changed: Tensor = features * scale + shift
        return changed


class Block(nn.Module):
    """Residual block of two 3x3 convolutions, steered by the style code (FiLM)."""

    def __init__(self, channels: int, *, level: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.film = Film(channels)
        self.level = level
        # A block starts near the identity, so that a deep net without batch statistics trains.
        nn.init.normal_(self.second.weight, std=0.4 * (channels * 9) ** -0.5)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """Return features [N,C,H,W] changed in the manner of code [N,CODE_SIZE]."""
        hidden = unit_power(features) if self.level else features
        hidden = F.relu(self.film(self.first(hidden), code))
        changed: Tensor = features + self.second(hidden)
        return changed


def unit_power(features: Tensor) -> Tensor:
    """Divide each position's features [N,C,H,W] by their root mean square over the channels.

    This takes over what instance normalisation does in other stylizers (Ulyanov et al., 2016),
    the removal of the photo's own contrast, without looking further than one position.
    """
    levelled: Tensor = F.normalize(features, dim=1, eps=1e-3) * features.shape[1] ** 0.5
    return levelled


class Stylizer(nn.Module):
    """Photo and style code in, stylised photo out; each pixel depends on a bounded window."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        fine, broad = layout.fine, layout.broad
        self.stem = nn.Conv2d(3, fine, 8, stride=4, padding=2)
        self.entry = nn.ModuleList(Block(fine, level=False) for _ in range(layout.entry))
        self.descend = nn.Conv2d(fine, broad, 2, stride=2)
        self.core = nn.ModuleList(
            Block(broad, level=bool(layout.level)) for _ in range(layout.core)
        )
        self.ascend = nn.Conv2d(broad, 4 * fine, 1)
        self.exit = nn.ModuleList(Block(fine, level=False) for _ in range(layout.exit))
        self.tint = Film(fine)
        nn.init.zeros_(self.tint.read.weight)
        self.head = nn.Conv2d(fine, 48, 3, padding=1)
        self.start_as_identity()

    @torch.no_grad()
    def start_as_identity(self) -> None:
        """Set the weights so that the picture comes out as it went in, nearly.

        48 channels of the fine grid carry the 48 values of their cell of 4x4 pixels, from the stem
        past all blocks to the head. Training then only has to learn what a style changes.
        """
        self.stem.weight[:48] = 0
        self.head.weight.zero_()
        self.head.bias.zero_()  # type: ignore[union-attr]
        self.ascend.weight.mul_(0.05)
        for value in range(48):
            colour, row, column = value // 16, value // 4 % 4, value % 4
            self.stem.weight[value, colour, row + 2, column + 2] = 1
            self.head.weight[value, value, 1, 1] = 0.5
        # The stem reads -1..1; lifted by 1, nothing is lost to the ReLU that follows.
        self.stem.bias[:48] = 1  # type: ignore[index]

    def forward(self, image: Tensor, code: Tensor) -> Tensor:
        """Return the stylised picture, not yet limited to 0..1.

        Args:
            image: [N,3,H,W] sRGB 0..1, height and width multiples of STRIDE.
            code: [N,CODE_SIZE].

        Returns:
            [N,3,H,W] sRGB, about 0..1.
        """
        return F.pixel_shuffle(self.paint(image, code), 4)

    def paint(self, image: Tensor, code: Tensor) -> Tensor:
        """Return the stylised picture as [N,48,H/4,W/4], before it is spread to pixels."""
        fine = F.relu(self.stem(image * 2 - 1))
        for block in self.entry:
            fine = block(fine, code)
        broad = F.relu(self.descend(fine))
        for block in self.core:
            broad = block(broad, code)
        fine = fine + F.pixel_shuffle(self.ascend(broad), 2)
        for block in self.exit:
            fine = block(fine, code)
        cells: Tensor = self.head(self.tint(fine, code))
        return cells

    @property
    def reach(self) -> int:
        """Pixels: how far from a pixel, on each side, the picture can still change it."""
        fine_steps = 1 + 2 * (self.layout.entry + self.layout.exit)
        broad_steps = 2 * self.layout.core
        # The stem sees 2 px beyond its cell; a cell of the fine grid is 4 px, of the broad one 8.
        return 2 + 4 * fine_steps + 8 * broad_steps + 8


class StyleEncoder(nn.Module):
    """Style picture in, style code out, from means and deviations of convolutional features."""

    def __init__(self) -> None:
        super().__init__()
        widths = (24, 48, 96, 160)
        self.stem = nn.Conv2d(3, widths[0], 5, stride=2, padding=2)
        self.stages = nn.ModuleList(
            nn.Conv2d(source, target, 3, stride=2, padding=1) for source, target in pairwise(widths)
        )
        self.refine = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for width in widths[1:])
        pooled = 2 * sum(widths)
        self.read = nn.Sequential(nn.Linear(pooled, 320), nn.ReLU(), nn.Linear(320, 320), nn.ReLU())
        self.code = nn.Linear(320, CODE_SIZE - 1)

    def forward(self, style_image: Tensor) -> Tensor:
        """Return codes [N,CODE_SIZE], brush scale 0, of pictures [N,3,256,256] sRGB 0..1."""
        features = F.relu(self.stem(style_image * 2 - 1))
        pooled = [moments(features)]
        for descend, refine in zip(self.stages, self.refine, strict=True):
            features = F.relu(descend(features))
            features = features + F.relu(refine(features))
            pooled.append(moments(features))
        code: Tensor = self.code(self.read(torch.cat(pooled, dim=1)))
        return F.pad(code, (0, 1))


class Pair(nn.Module):
    """Stylizer and style encoder, which are trained together."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.stylizer = Stylizer(layout)
        self.encoder = StyleEncoder()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def moments(features: Tensor) -> Tensor:
    """Return means and standard deviations [N,2C] of features [N,C,H,W] over the positions."""
    means = features.mean(dim=(2, 3))
    centred = features - means[:, :, None, None]
    return torch.cat([means, (centred.square().mean(dim=(2, 3)) + 1e-4).sqrt()], dim=1)
