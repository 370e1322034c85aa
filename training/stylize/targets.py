"""Style targets: the Gram matrices of a style picture, and pictures as tensors."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.stylize.data import Picture
from training.stylize.losses import pyramid_grams
from training.stylize.perception import Perception


@torch.no_grad()
def grams_of(eye: Perception, shown: Picture) -> Tensor:
    """Return packed Gram matrices [1,LEVELS,GRAM_FLOATS], bfloat16, of a picture."""
    grams, _ = pyramid_grams(eye, tensor(shown[None]))
    return grams.bfloat16()


def tensor(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """Return pictures NHWC uint8 as [N,3,H,W] float32 0..1, channels last."""
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return (planes.float() / 255).contiguous(memory_format=torch.channels_last)
