"""The anchor that stylize is measured against: MicroAST (Wang et al., AAAI 2023).

The network is written from the names and shapes of its published weights (MIT), which are given
by flag; they are not part of this project. Both encoders are a 9x9 convolution, two depthwise
halvings and residual blocks. The style's means and deviations replace the content's (AdaIN), and
weights read off the style scale the residual blocks' answers.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name torch's own texts use

Style = list[Tensor]
"""For the shallow, then for the deep encoder: mean, deviation, scale and shift, each [1,64,1,1]."""


class MicroAst(nn.Module):
    """Photo and style picture [1,3,H,W], sRGB 0..1, in; stylised photo, not yet limited, out."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.parts = nn.ParameterDict()
        for part in ("content_encoder", "style_encoder", "modulator", "decoder"):
            state = torch.load(weights / f"microast_{part}.pth", weights_only=True)
            for name, value in state.items():
                key = f"{part}.{name}".replace(".conv_layer", "").replace(".", "/")
                self.parts[key] = nn.Parameter(value, requires_grad=False)

    def forward(self, photo: Tensor, style_image: Tensor) -> Tensor:
        """Return the photo in the style of a picture."""
        return self.draw(photo, self.style(style_image))

    def style(self, style_image: Tensor) -> Style:
        """Return everything the drawing needs to know of a style picture."""
        known: Style = []
        for depth, features in enumerate(self.encode("style_encoder", style_image), start=1):
            known += moments(features)
            for kind in ("weight", "bias"):
                answer = self.conv(f"modulator/{kind}{depth}/0", features, groups=64)
                known.append(answer.mean(dim=(2, 3), keepdim=True))
        return known

    def draw(self, photo: Tensor, style: Style) -> Tensor:
        """Return the photo in an encoded style."""
        features = self.encode("content_encoder", photo)[1]
        for part, known in (("decoder/dec1", style[4:]), ("decoder/dec2", style[:4])):
            features = with_moments(features, known[0], known[1])
            features = self.modulated(part, features, known[2], known[3])
        for first, groups in ((1, 32), (6, 16)):
            features = F.interpolate(features, scale_factor=2, mode="bilinear")
            features = F.relu(self.conv(f"decoder/dec3/{first}", features, groups=groups))
            features = F.relu(self.conv(f"decoder/dec3/{first + 2}", features))
        return self.conv("decoder/dec3/10", features)

    def encode(self, part: str, image: Tensor) -> list[Tensor]:
        """Return features [1,64,H/4,W/4] at both depths of an encoder."""
        features = F.relu(self.conv(f"{part}/enc1/0", image))
        for first, groups in ((2, 16), (6, 32)):
            features = F.relu(self.conv(f"{part}/enc1/{first}", features, stride=2, groups=groups))
            features = F.relu(self.conv(f"{part}/enc1/{first + 2}", features))
        shallow = self.residual(f"{part}/enc1/10", features)
        return [shallow, self.residual(f"{part}/enc2/0", shallow)]

    def residual(self, name: str, features: Tensor) -> Tensor:
        """Return features plus two convolutions of them."""
        hidden = F.relu(self.conv(f"{name}/conv1", features))
        return features + self.conv(f"{name}/conv2", hidden)

    def modulated(self, name: str, features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return features plus two convolutions, each scaled and helped by its own input."""
        hidden = F.relu(scale * self.conv(f"{name}/conv1", features) + shift * features)
        return features + scale * self.conv(f"{name}/conv2", hidden) + shift * hidden

    def conv(self, name: str, features: Tensor, *, stride: int = 1, groups: int = 1) -> Tensor:
        """Return a convolution over mirrored edges."""
        weight = self.parts[f"{name}/weight"]
        pad = weight.shape[2] // 2
        if pad:
            features = F.pad(features, (pad, pad, pad, pad), "reflect")
        return F.conv2d(features, weight, self.parts[f"{name}/bias"], stride, groups=groups)


class Drawing(nn.Module):
    """The second half alone, for export: photo and eight tensors of style in, picture out."""

    def __init__(self, network: MicroAst) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor, *style: Tensor) -> Tensor:
        """Return the picture, limited to 0..1."""
        return self.network.draw(photo, list(style)).clamp(0, 1)


def with_moments(features: Tensor, wanted_mean: Tensor, wanted_deviation: Tensor) -> Tensor:
    """Return features [N,C,H,W] with the wanted mean and deviation in each channel (AdaIN)."""
    mean, deviation = moments(features)
    return (features - mean) / deviation * wanted_deviation + wanted_mean


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation [N,C,1,1] over the positions."""
    variance = features.var(dim=(2, 3), keepdim=True, unbiased=True)
    return features.mean(dim=(2, 3), keepdim=True), (variance + 1e-5).sqrt()
