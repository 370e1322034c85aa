"""The garment network: mask, landmarks, kind and count of what lies in a picture."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from services.tryon.landmarks import LANDMARKS, GarmentCategory
from training.parts.network import Join, Residual, unit

MASK_SIDE: Final = 128

KINDS: Final = (*GarmentCategory, "other")
"""What a picture may show; the last stands for shoes, hats and anything else."""

COUNTS: Final = ("none", "one", "several")

STEM, WIDE, WIDER, DEEP, DEEPEST = 20, 32, 56, 80, 96
LAYOUT: Final = 16
COARSE_SIDE: Final = 8


class GarmentNetwork(nn.Module):
    """A small U-Net with a dense and a coarse head, and two heads on the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(4 * 3, STEM)
        self.down_64 = unit(STEM, WIDE, stride=2)
        self.at_64 = Residual(WIDE)
        self.down_32 = unit(WIDE, WIDER, stride=2)
        self.at_32 = Residual(WIDER)
        self.down_16 = unit(WIDER, DEEP, stride=2)
        self.at_16 = Residual(DEEP)
        self.down_8 = unit(DEEP, DEEPEST, stride=2)
        self.at_8 = Residual(DEEPEST)
        self.up_16 = Join(DEEPEST, DEEP)
        self.up_32 = Join(DEEP, WIDER)
        self.up_64 = Join(WIDER, WIDE)
        self.up_128 = Join(WIDE, STEM)
        self.mask = nn.Conv2d(STEM, 1, 1)
        self.heat = nn.Conv2d(WIDE, len(LANDMARKS), 1)
        self.layout = unit(DEEPEST + WIDER, LAYOUT, 1)
        self.whole = nn.Sequential(nn.Linear(LAYOUT * COARSE_SIDE**2, 96), nn.ReLU())
        self.kind = nn.Linear(96, len(KINDS))
        self.count = nn.Linear(96, len(COUNTS))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Answer logits.

        Args:
            image: [N,3,256,256] RGB, 0..1.

        Returns:
            Mask [N,1,128,128], heat of landmarks [N,20,64,64], kinds [N,9], counts [N,3].
        """
        fine = self.stem(F.pixel_unshuffle(image * 2 - 1, 2))
        at_64 = self.at_64(self.down_64(fine))
        at_32 = self.at_32(self.down_32(at_64))
        at_16 = self.at_16(self.down_16(at_32))
        deepest = self.at_8(self.down_8(at_16))
        at_32 = self.up_32(self.up_16(deepest, at_16), at_32)
        rising = self.up_64(at_32, at_64)
        # What a garment is shows in where its parts are: the mean over places would not do.
        seen = self.layout(torch.cat([deepest, F.avg_pool2d(at_32, 4)], dim=1))
        whole = self.whole(seen.reshape(-1, LAYOUT * COARSE_SIDE**2))
        mask = self.mask(self.up_128(rising, fine))
        return mask, self.heat(rising), self.kind(whole), self.count(whole)
