"""The depth network: convolutions from a grid of 4 pixels down to one of 32 and back up."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 32
"""Pixels: height and width of a picture must be multiples of it."""

CELL = 4
"""Pixels: the side of the cells that the finest grid is made of."""

WIDTHS = (24, 64, 128, 192)
"""Channels on the grids of 4, 8, 16 and 32 pixels."""

DEPTHS = (1, 1, 4, 5)
"""Blocks on each grid on the way down."""

KINDS = 2
"""What training also asks for: the likelihood of a person and of sky."""


def joined(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution, its normalisation and its activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Plain(nn.Module):
    """A residual block of two convolutions, for grids with few channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = joined(channels, channels, 3)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return F.relu(features + self.norm(self.second(self.first(features))))


class Wide(nn.Module):
    """A residual block that looks around by 7x7, each channel for itself, then mixes channels.

    After Liu et al., "A ConvNet for the 2020s" (2022). Borders of zeros tell it where it is.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(channels, channels, 7, padding=3, groups=channels, bias=False)
        self.look_norm = nn.BatchNorm2d(channels)
        self.open = nn.Conv2d(channels, 3 * channels, 1)
        self.close = nn.Conv2d(3 * channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.constant_(self.norm.weight, 0.1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        mixed = F.relu(self.open(self.look_norm(self.look(features))))
        changed: Tensor = features + self.norm(self.close(mixed))
        return changed


class Whole(nn.Module):
    """Tells every place what the picture as a whole looks like."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.read = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        changed: Tensor = features + self.read(self.pool(features))
        return changed


class DepthNetwork(nn.Module):
    """Reads [N,3,H,W] 0..1 and returns [N,1,H/2,W/2] 0..1: inverse depth, the nearest is 1."""

    def __init__(self) -> None:
        super().__init__()
        block = (Plain, Plain, Wide, Wide)
        inputs = (3 * CELL**2, *WIDTHS[:-1])
        self.stem: nn.Module = nn.PixelUnshuffle(CELL)
        self.down = nn.ModuleList(
            nn.Sequential(
                joined(inputs[level], WIDTHS[level], 3, 1 if level == 0 else 2),
                *(block[level](WIDTHS[level]) for _ in range(DEPTHS[level])),
            )
            for level in range(len(WIDTHS))
        )
        self.whole = Whole(WIDTHS[-1])
        self.lift = nn.ModuleList(
            nn.Conv2d(WIDTHS[level + 1], WIDTHS[level], 1) for level in range(len(WIDTHS) - 1)
        )
        self.up = nn.ModuleList(joined(2 * width, width, 3) for width in WIDTHS[:-1])
        self.head = nn.Conv2d(WIDTHS[0], 4 * (1 + KINDS), 3, padding=1)

    def answers(self, picture: Tensor) -> Tensor:
        """Return [N,1 + KINDS,H/2,W/2]: logits of inverse depth, of a person and of sky."""
        features = self.stem(2 * picture - 1)
        levels = []
        for step in self.down:
            features = step(features)
            levels.append(features)
        features = self.whole(features)
        for level in reversed(range(len(self.up))):
            lifted = F.interpolate(self.lift[level](features), scale_factor=2.0, mode="nearest")
            features = self.up[level](torch.cat([lifted, levels[level]], dim=1))
        return F.pixel_shuffle(self.head(features), 2)

    def forward(self, picture: Tensor) -> Tensor:
        """Return inverse depth alone."""
        return torch.sigmoid(self.answers(picture)[:, :1])
