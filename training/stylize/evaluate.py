"""Measure a checkpoint: `python -m training.stylize.evaluate --data DATA --room ROOM`.

The figures: Gram ratio, the distance of the picture to the style over that of the photo to the
style (0 is the style itself, 1 the photo); content distance, the relative squared error of
relu4_1; SSIM of the luma.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.stylize.data import Picture, centred, judging_paths, read
from training.stylize.losses import content_distance, gram_distance, packed_grams
from training.stylize.perception import Perception
from training.stylize.sheet import drawn_in, load_pair, named_codes, unseen_codes
from training.stylize.styles import PAINTINGS, UNSEEN, load_painting
from training.stylize.targets import tensor

Doubles = npt.NDArray[np.float64]

SIDE = 512
"""Pixels: photos and paintings are judged as squares of this side, cut from their middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How good one stylised picture is.

    Attributes:
        gram: distance of its Gram matrices to the style's, 0..1.
        ratio: gram over the untouched photo's.
        content: relative squared error of relu4_1 against the photo.
        ssim: structural similarity of its luma to the photo's.
    """

    gram: float
    ratio: float
    content: float
    ssim: float


@torch.no_grad()
def judged(eye: Perception, photo: Picture, drawn: Picture, style_grams: Tensor) -> Figures:
    """Return the figures of a picture drawn from a photo.

    Args:
        eye: the perceptual network, in float32.
        photo: HWC uint8.
        drawn: HWC uint8 of the same size.
        style_grams: [1,GRAM_FLOATS] of the style picture.
    """
    before, after = eye(tensor(photo[None])), eye(tensor(drawn[None]))
    gram = gram_distance(packed_grams(after), style_grams).item()
    return Figures(
        gram=gram,
        ratio=gram / gram_distance(packed_grams(before), style_grams).item(),
        content=content_distance(after, before).item(),
        ssim=similarity(photo, drawn),
    )


def similarity(one: Picture, other: Picture) -> float:
    """Return the structural similarity (Wang et al., 2004) of two pictures' luma."""
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (one, other))

    def local(values: Doubles) -> Doubles:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    mean_x, mean_y = local(x), local(y)
    power_x, power_y = local(x * x) - mean_x**2, local(y * y) - mean_y**2
    shared = local(x * y) - mean_x * mean_y
    steady, steady_power = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    upper = (2 * mean_x * mean_y + steady) * (2 * shared + steady_power)
    lower = (mean_x**2 + mean_y**2 + steady) * (power_x + power_y + steady_power)
    return float((upper / lower).mean())


def mean_figures(found: list[Figures]) -> Figures:
    """Return the means of figures."""
    return Figures(
        **{name: float(np.mean([getattr(f, name) for f in found])) for name in Figures.__slots__}
    )


def main() -> None:
    """Read the flags and print the figures of every painting."""
    parser = argparse.ArgumentParser(description="Measure a checkpoint on held-out photos.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--photos", type=int, default=8, help="how many held-out photos")
    flags = parser.parse_args()
    weights = flags.data / "teachers" / "vgg19_distilled16x_e5.pth"
    eye = Perception(weights, torch.float32)
    pair = load_pair(flags.room / "stylizer.pt")
    codes = named_codes(pair) | unseen_codes(flags.room, flags.data, pair)
    photos = [centred(read(path), SIDE) for path in judging_paths(flags.data, flags.photos)]
    for group, paintings in (("named", PAINTINGS), ("unseen", UNSEEN)):
        everything = []
        for painting in paintings:
            shown = centred(load_painting(flags.data, painting), SIDE)
            grams = packed_grams(eye(tensor(shown[None])))
            code = codes[painting.name]
            drawn = [drawn_in(pair.stylizer, photo, code) for photo in photos]
            found = [judged(eye, *both, grams) for both in zip(photos, drawn, strict=True)]
            everything += found
            print(painting.name, mean_figures(found), flush=True)
        print("all", group, mean_figures(everything), flush=True)


if __name__ == "__main__":
    main()
