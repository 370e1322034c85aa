"""The parts network: a small U-Net with two heads on a picture of a person and maps of the pose."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.vision.limbs import MAP_CELLS, MAPS

SIDE = 4 * MAP_CELLS
"""Rows and columns of the picture."""

GUIDES = MAPS + 2
"""Limb maps, the silhouette and likeness to the face's skin, all MAP_CELLS x MAP_CELLS."""

SHARES_SIDE = 2 * MAP_CELLS
"""Rows and columns of the answers."""

BODY_CLASSES = 15
WEAR_CLASSES = 8

STEM, WIDE, WIDER, DEEP, DEEPEST = 24, 48, 96, 128, 160


def unit(given: int, made: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Return convolution, normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(given, made, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(made),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two convolutions beside a straight path."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = unit(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, value: Tensor) -> Tensor:
        """Keep shape and size."""
        return F.relu(value + self.second(self.first(value)))


class Join(nn.Module):
    """Bring coarse features to the next finer size and add what was known there."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(coarse, fine, 1)
        self.mix = unit(fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Return features of the finer size."""
        risen = F.interpolate(self.narrow(coarse), scale_factor=2.0, mode="bilinear")
        return self.mix(risen + fine)


class PartsNetwork(nn.Module):
    """Body parts and wear classes of one person."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(4 * 3, STEM)
        self.down_64 = unit(STEM, WIDE, stride=2)
        self.guide = nn.Conv2d(GUIDES, WIDE, 3, 1, 1)
        self.at_64 = Residual(WIDE)
        self.down_32 = unit(WIDE, WIDER, stride=2)
        self.at_32 = Residual(WIDER)
        self.down_16 = unit(WIDER, DEEP, stride=2)
        self.at_16 = nn.Sequential(Residual(DEEP), Residual(DEEP))
        self.down_8 = unit(DEEP, DEEPEST, stride=2)
        self.at_8 = Residual(DEEPEST)
        self.up_16 = Join(DEEPEST, DEEP)
        self.up_32 = Join(DEEP, WIDER)
        self.up_64 = Join(WIDER, WIDE)
        self.up_128 = Join(WIDE, STEM)
        self.head = nn.Conv2d(STEM, BODY_CLASSES + WEAR_CLASSES, 1)

    def forward(self, image: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Answer logits of body parts and wear.

        Args:
            image: [N,3,256,256] RGB, 0..1.
            guide: [N,GUIDES,64,64].

        Returns:
            [N,15,128,128] and [N,8,128,128].
        """
        fine = self.stem(F.pixel_unshuffle(image * 2 - 1, 2))
        at_64 = self.at_64(self.down_64(fine) + self.guide(guide))
        at_32 = self.at_32(self.down_32(at_64))
        at_16 = self.at_16(self.down_16(at_32))
        rising = self.up_16(self.at_8(self.down_8(at_16)), at_16)
        rising = self.up_64(self.up_32(rising, at_32), at_64)
        logits = self.head(self.up_128(rising, fine))
        body, wear = torch.split(logits, [BODY_CLASSES, WEAR_CLASSES], dim=1)
        return body, wear
