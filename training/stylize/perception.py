"""The eye of the training: a distilled VGG-19 whose features measure style and content.

The weights are those of Collaborative Distillation (Wang et al., 2020), a VGG-19 with a
sixteenth of the weights. It judges; it is not shipped.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

JUDGED = ("conv11", "conv21", "conv31", "conv41", "conv51")
"""Layers, by their weights' names, whose raw features after ReLU are compared."""

CONTENT = 3
"""Index in JUDGED of the layer that stands for content, relu4_1."""

PLAN = (
    ("conv11", "conv12"),
    ("conv21", "conv22"),
    ("conv31", "conv32", "conv33", "conv34"),
    ("conv41", "conv42", "conv43", "conv44"),
    ("conv51",),
)
"""Convolutions in order; between two groups the picture is halved."""

Features = list[Tensor]
"""One tensor [N,C,H,W] per layer of JUDGED."""

Grams = list[Tensor]
"""One tensor [N,C,C] per layer of JUDGED."""


class Perception(nn.Module):
    """Frozen perceptual network: picture [N,3,H,W] sRGB 0..1 in, features of JUDGED out.

    Training looks with bfloat16, which is twice as fast and exact enough for a gradient;
    figures that are reported come from float32.
    """

    def __init__(self, weights: Path, precision: torch.dtype = torch.bfloat16) -> None:
        super().__init__()
        self.precision = precision
        state = torch.load(weights, map_location="cpu", weights_only=True)
        names = ["conv0", *(name for group in PLAN for name in group)]
        self.layers = nn.ModuleDict({name: frozen_conv(state, name) for name in names})
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.layers.to(precision)
        # Pixels times 255 need more digits than bfloat16 has.
        self.layers["conv0"].float()

    def forward(self, image: Tensor) -> Features:
        """Return the features of JUDGED of pictures [N,3,H,W] sRGB 0..1."""
        features = self.layers["conv0"](image.float()).to(self.precision)
        found: Features = []
        for depth, group in enumerate(PLAN):
            if depth:
                features = F.max_pool2d(features, 2, ceil_mode=True)
            for name in group:
                features = self.layers[name](F.pad(features, (1, 1, 1, 1), "reflect"))
                features = F.relu(features, inplace=True)
                if name in JUDGED:
                    found.append(features)
        return found


def frozen_conv(state: dict[str, Tensor], name: str) -> nn.Conv2d:
    """Return the convolution called name, with its weights fixed."""
    weight = state[f"{name}.weight"]
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2])
    with torch.no_grad():
        layer.weight.copy_(weight)
        if layer.bias is not None:
            layer.bias.copy_(state[f"{name}.bias"])
    return layer.requires_grad_(requires_grad=False)


def gram(features: Tensor) -> Tensor:
    """Return the uncentred second moments [N,C,C], float32, of features [N,C,H,W]."""
    flat = features.flatten(2)
    return (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def halved(image: Tensor) -> Tensor:
    """Return pictures [N,3,H,W] at half the size, by averaging 2x2 pixels."""
    return F.avg_pool2d(image, 2)
