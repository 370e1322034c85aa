"""The stylizer, a conditional network whose statistics come from a thumbnail, and its encoder."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 16
"""Pixels: height and width of a picture must be multiples of it."""

CODE_SIZE = 96
"""Floats in a style code."""

ENCODER_SIDE = 512
"""Pixels: the side of the square the encoder reads."""

THUMBNAIL_SIDE = 128
"""Pixels: the side of the square, the whole photo shrunk, that statistics are taken from."""

ENCODER_WIDTH = 64
"""Channels of the encoder's features."""

SUMMARY_SIZE = 4 * ENCODER_WIDTH
"""Floats in the encoder's summary of a style picture, of which the code is a linear function."""

VARIANCE_FLOOR = 4e-3
"""Added to variances, so that a blank photo's noise is not blown up."""

Moments = tuple[Tensor, Tensor]
"""Mean and standard deviation [N,C,1,1] of features over the positions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Widths and depths of a stylizer.

    Attributes:
        fine: channels on the grid of 4 pixels.
        broad: channels on the grid of 8 pixels.
        entry: residual blocks on the fine grid before the descent.
        core: residual blocks on the broad grid.
        exit: residual blocks on the fine grid after the ascent.
    """

    fine: int = 48
    broad: int = 96
    entry: int = 1
    core: int = 3
    exit: int = 2


class Film(nn.Module):
    """Scale and shift of each channel, read off the style code (Perez et al., 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.read = nn.Linear(CODE_SIZE, 2 * channels)
        nn.init.normal_(self.read.weight, std=0.1 * CODE_SIZE**-0.5)
        with torch.no_grad():
            self.read.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, features: Tensor, code: Tensor, moments: Moments | None = None) -> Tensor:
        """Return features [N,C,H,W] scaled and shifted as code [N,CODE_SIZE] says.

        With moments the photo's own mean and deviation are taken out first (Huang and Belongie,
        2017); both steps are one multiplication and one addition.
        """
        scale, shift = self.read(code).float()[:, :, None, None].chunk(2, dim=1)
        if moments is not None:
            mean, deviation = moments
            scale = scale / deviation
            shift = shift - mean * scale
        changed: Tensor = features * scale.to(features.dtype) + shift.to(features.dtype)
        return changed


class Block(nn.Module):
    """Residual block of two 3x3 convolutions, normalised and steered by the style code."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = Film(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.film = Film(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight)
        nn.init.normal_(self.second.weight, std=0.4 * (channels * 9) ** -0.5)

    def forward(self, features: Tensor, moments: Moments, code: Tensor) -> Tensor:
        """Return features [N,C,H,W] changed in the manner of code [N,CODE_SIZE]."""
        levelled = self.norm(features, code, moments)
        hidden = F.relu(self.film(self.first(levelled), code))
        changed: Tensor = levelled + self.second(hidden)
        return changed


class Stylizer(nn.Module):
    """Photo, its thumbnail and a style code in, stylised photo out.

    The statistics that normalise the photo's features are those of its thumbnail's (Chen et al.,
    2022). So each pixel depends on a bounded window and on numbers that hold for the whole photo.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        fine, broad = layout.fine, layout.broad
        self.stem = nn.Conv2d(3, fine, 8, stride=4, padding=2)
        self.entry = nn.ModuleList(Block(fine) for _ in range(layout.entry))
        self.descend = nn.Conv2d(fine, broad, 2, stride=2)
        self.core = nn.ModuleList(Block(broad) for _ in range(layout.core))
        self.ascend = nn.Conv2d(broad, 4 * fine, 1)
        self.exit = nn.ModuleList(Block(fine) for _ in range(layout.exit))
        self.tint = Film(fine)
        self.head = nn.Conv2d(fine, 48, 3, padding=1)
        self.start_as_identity()

    @torch.no_grad()
    def start_as_identity(self) -> None:
        """Set the weights so that the picture comes out nearly as it went in, but for contrast.

        48 channels of the fine grid carry the 48 values of their cell of 4x4 pixels, from the stem
        past all blocks to the head. Training then only has to learn what a style changes.
        """
        nn.init.kaiming_normal_(self.descend.weight)
        self.stem.weight[:48] = 0
        self.head.weight.mul_(0.2)
        self.head.bias.fill_(0.45)  # type: ignore[union-attr]
        self.ascend.weight.mul_(0.2)
        for value in range(48):
            colour, row, column = value // 16, value // 4 % 4, value % 4
            self.stem.weight[value, colour, row + 2, column + 2] = 1
            self.head.weight[value, value, 1, 1] = 0.22
        # The stem reads -1..1; lifted by 1, nothing is lost to the ReLU that follows.
        self.stem.bias[:48] = 1  # type: ignore[index]

    def forward(self, image: Tensor, thumbnail: Tensor, code: Tensor) -> Tensor:
        """Return the stylised picture, not yet limited to 0..1.

        Args:
            image: [N,3,H,W] sRGB 0..1, height and width multiples of STRIDE.
            thumbnail: [N,3,THUMBNAIL_SIDE,THUMBNAIL_SIDE] sRGB 0..1, the whole photo shrunk.
            code: [N,CODE_SIZE].

        Returns:
            [N,3,H,W] sRGB, about 0..1.
        """
        return F.pixel_shuffle(self.paint(image, thumbnail, code), 4)

    def paint(self, image: Tensor, thumbnail: Tensor, code: Tensor) -> Tensor:
        """Return the stylised picture as [N,48,H/4,W/4], before it is spread to pixels."""
        known = iter(self.look(thumbnail, code))
        features = self.trunk(image, code, lambda _: next(known))
        cells: Tensor = self.head(self.tint(features, code))
        return cells

    def look(self, thumbnail: Tensor, code: Tensor) -> list[Moments]:
        """Return the moments of the thumbnail's features before each block, in order."""
        found: list[Moments] = []

        def take(features: Tensor) -> Moments:
            found.append(measured(features, VARIANCE_FLOOR))
            return found[-1]

        self.trunk(thumbnail, code, take)
        return found

    def trunk(self, image: Tensor, code: Tensor, moments_of: Callable[[Tensor], Moments]) -> Tensor:
        """Return features [N,fine,H/4,W/4]; moments_of tells what each block divides out."""
        fine = F.relu(self.stem(image * 2 - 1))
        for block in self.entry:
            fine = block(fine, moments_of(fine), code)
        broad = F.relu(self.descend(fine))
        for block in self.core:
            broad = block(broad, moments_of(broad), code)
        fine = fine + F.pixel_shuffle(self.ascend(broad), 2)
        for block in self.exit:
            fine = block(fine, moments_of(fine), code)
        return fine

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
        width = ENCODER_WIDTH
        self.stem = nn.Conv2d(3, width, 8, stride=4, padding=2)
        self.mix = nn.Conv2d(width, width, 3, padding=1)
        self.shallow = Residual(width)
        self.deep = Residual(width)
        self.code = nn.Linear(SUMMARY_SIZE, CODE_SIZE)

    def forward(self, style_image: Tensor) -> Tensor:
        """Return codes [N,CODE_SIZE] of pictures [N,3,H,W] sRGB 0..1."""
        code: Tensor = self.code(summary(self.features(style_image)))
        return code

    def features(self, style_image: Tensor) -> list[Tensor]:
        """Return features [N,ENCODER_WIDTH,H/4,W/4] at two depths."""
        mixed = F.relu(self.mix(F.relu(self.stem(style_image * 2 - 1))))
        shallow = self.shallow(mixed)
        return [shallow, self.deep(shallow)]


class Residual(nn.Module):
    """Features plus two 3x3 convolutions of them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features [N,C,H,W] of the same shape."""
        changed: Tensor = features + self.second(F.relu(self.first(features)))
        return changed


class Pair(nn.Module):
    """Stylizer, the codes of the named styles, and a correction of all others' codes.

    They are trained together. The correction is linear in the encoder's summary, as the code
    itself is, and joins the encoder's last layer when training is done.
    """

    def __init__(self, layout: Layout, named: int) -> None:
        super().__init__()
        self.stylizer = Stylizer(layout)
        self.named = nn.Parameter(torch.zeros(named, CODE_SIZE))
        self.correction = nn.Linear(SUMMARY_SIZE, CODE_SIZE)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def measured(features: Tensor, floor: float) -> Moments:
    """Return mean and deviation [N,C,1,1], float32, of features [N,C,H,W] over the positions."""
    features = features.float()
    mean = features.mean(dim=(2, 3), keepdim=True)
    variance = (features - mean).square().mean(dim=(2, 3), keepdim=True)
    return mean, (variance + floor).sqrt()


def summary(features: list[Tensor]) -> Tensor:
    """Return means and deviations [N,4C] of features at two depths."""
    parts = []
    for layer in features:
        mean = layer.float().mean(dim=(2, 3))
        centred = layer.float() - mean[:, :, None, None]
        parts += [mean, (centred.square().mean(dim=(2, 3)) + 1e-5).sqrt()]
    return torch.cat(parts, dim=1)
