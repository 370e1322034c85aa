"""Small networks of the shape of a stylizer, with the layers that can leave something behind."""

from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

STYLE_SIZE = 8
CHANNELS = 32


def write_stylizer(file: Path) -> Path:
    """Write a network that works on a quarter of the size and mixes in the style.

    A strided convolution reads the picture, features are scaled by their length at each position,
    3x3 convolutions follow, and blocks of pixels come out: all that shipped stylizers are made of.
    """
    random = np.random.default_rng(11)
    image = ops.parameter([1, 3, -1, -1], ov.Type.f32, name="image")
    style = ops.parameter([1, STYLE_SIZE], ov.Type.f32, name="style")
    features = ops.relu(convolution(image, taps(random, CHANNELS, 3, 8), stride=4, pad=2))
    length = ops.reduce_l2(features, ops.constant(np.array([1])), keep_dims=True)
    features = ops.divide(features, ops.maximum(length, ops.constant(np.float32(1e-3))))
    film = ops.matmul(
        style, ops.constant(taps(random, STYLE_SIZE, CHANNELS, 1)[:, :, 0, 0]), False, False
    )
    film = ops.unsqueeze(film, ops.constant(np.array([2, 3])))
    for _ in range(3):
        mixed = ops.relu(
            convolution(features, taps(random, CHANNELS, CHANNELS, 3), stride=1, pad=1)
        )
        features = ops.add(features, ops.multiply(mixed, film))
    blocks = convolution(features, taps(random, 48, CHANNELS, 3), stride=1, pad=1)
    stylized = ops.sigmoid(ops.depth_to_space(blocks, "blocks_first", 4))
    for node, name in ((image, "image"), (style, "style"), (stylized, "stylized")):
        node.output(0).get_tensor().set_names({name})
    ov.save_model(ov.Model([stylized], [image, style]), file, compress_to_fp16=False)
    return file


def write_doubler(file: Path) -> Path:
    """Write a network of fixed shape: 1x4 floats, doubled."""
    numbers = ops.parameter([1, 4], ov.Type.f32, name="numbers")
    doubled = ops.multiply(numbers, ops.constant(np.float32(2)))
    for node, name in ((numbers, "numbers"), (doubled, "doubled")):
        node.output(0).get_tensor().set_names({name})
    ov.save_model(ov.Model([doubled], [numbers]), file, compress_to_fp16=False)
    return file


def run_plainly(
    file: Path, pixels: NDArray[np.uint8], style: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Run a stylizer as it is written, in f32: HxWx3 in, HxWx3 in 0..255 out."""
    compiled = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    planes = (pixels.transpose(2, 0, 1)[None] / np.float32(255)).astype(np.float32)
    stylized: NDArray[np.float32] = compiled({"image": planes, "style": style})["stylized"]
    return stylized[0].transpose(1, 2, 0) * 255


def convolution(features: ov.Node, kernel: NDArray[np.float32], stride: int, pad: int) -> ov.Node:
    """Lay a convolution with the same stride and padding along both axes."""
    steps, pads = [stride, stride], [pad, pad]
    return ops.convolution(features, ops.constant(kernel), steps, pads, pads, [1, 1])


def taps(random: np.random.Generator, makers: int, channels: int, size: int) -> NDArray[np.float32]:
    """Draw a kernel that keeps the spread of its input."""
    spread = (channels * size * size) ** -0.5
    return random.normal(0, spread, (makers, channels, size, size)).astype(np.float32)
