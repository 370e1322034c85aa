"""The teacher: MicroAST, run by OpenVINO, whose pictures and style statistics are learned from."""

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino
import torch
from torch import Tensor

from bench.microast import Drawing, MicroAst, Style
from training.stylize.data import Picture, picture
from training.stylize.targets import tensor

SIDE = 448
"""Pixels: the side of the squares that the teacher draws."""

Floats = npt.NDArray[np.float32]


class Teacher:
    """Draws photos of SIDE x SIDE in the style of any picture."""

    def __init__(self, data: Path, threads: int) -> None:
        self.network = MicroAst(data / "teachers")
        style = [torch.zeros(1, 64, 1, 1)] * 8
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/teacher.onnx"
            example = (torch.rand(1, 3, SIDE, SIDE), *style)
            torch.onnx.export(Drawing(self.network), example, path, dynamo=False)
            options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "bf16"}
            self.drawing = openvino.Core().compile_model(path, "CPU", options)

    @torch.no_grad()
    def style(self, shown: Picture) -> Style:
        """Return what the teacher knows of a style picture."""
        with torch.autocast("cpu", torch.bfloat16):
            return [part.float() for part in self.network.style(tensor(shown[None]))]

    def draw(self, photo: Picture, style: Style) -> Picture:
        """Return a photo, SIDE x SIDE, in a style."""
        inputs = [tensor(photo[None]).contiguous().numpy(), *(part.numpy() for part in style)]
        drawn: Floats = self.drawing(inputs)[0]
        return picture(drawn[0].transpose(1, 2, 0) * 255)


def summary_of(style: Style) -> Tensor:
    """Return means and deviations [256] of the teacher's features, as network.summary orders."""
    return torch.cat([style[place].flatten() for place in (0, 1, 4, 5)])
