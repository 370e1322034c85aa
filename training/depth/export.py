"""Write what a service needs: `python -m training.depth.export --room ROOM --out FOLDER`.

Into the folder goes depth.onnx, the averaged weights stored as float16 and computed as float32.
"""

import argparse
from pathlib import Path

import torch
from torch import nn

from training.depth.network import CELL, STRIDE, DepthNetwork
from training.stylize.export import OPSET, store_half


def main() -> None:
    """Read the flags and write the file."""
    parser = argparse.ArgumentParser(description="Export the depth network.")
    parser.add_argument("--room", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    export(load(flags.room / "depth.pt"), flags.out / "depth.onnx")


def load(path: Path) -> DepthNetwork:
    """Read the averaged weights of a checkpoint."""
    kept = torch.load(path, weights_only=True)["average"]
    prefix = "module."
    weights = {
        name.removeprefix(prefix): value for name, value in kept.items() if name.startswith(prefix)
    }
    network = DepthNetwork()
    network.load_state_dict(weights)
    return network.eval()


def direct(first: nn.Conv2d) -> nn.Conv2d:
    """Return the convolution of pixels that equals one of cells of CELL x CELL pixels."""
    outputs, inputs = first.weight.shape[:2]
    kernel = first.kernel_size[0]
    colours = inputs // CELL**2
    weight = first.weight.detach().reshape(outputs, colours, CELL, CELL, kernel, kernel)
    weight = weight.permute(0, 1, 4, 2, 5, 3).reshape(
        outputs, colours, kernel * CELL, kernel * CELL
    )
    same = nn.Conv2d(
        colours, outputs, kernel * CELL, CELL, padding=CELL * (kernel // 2), bias=False
    )
    with torch.no_grad():
        same.weight.copy_(weight)
    return same


def export(network: DepthNetwork, path: Path) -> None:
    """Write the network with free height and width; normalisations go into their convolutions."""
    network.stem = nn.Identity()
    network.down[0][0][0] = direct(network.down[0][0][0])
    free = {2: "height", 3: "width"}
    torch.onnx.export(
        network,
        (torch.rand(1, 3, 192, 256),),
        str(path),
        input_names=["image"],
        output_names=["near"],
        dynamic_axes={"image": free, "near": free},
        opset_version=OPSET,
        dynamo=False,
    )
    store_half(path, {"stride": STRIDE})


if __name__ == "__main__":
    main()
