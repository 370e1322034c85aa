"""Write what a service needs: `python -m training.parts.export --room ROOM --out FOLDER`.

Into the folder goes parts.onnx, its weights stored as float16 and computed as float32.
"""

import argparse
from pathlib import Path

import torch
from torch import nn

from services.vision.limbs import MAP_CELLS
from training.checkpoints import load_average
from training.parts.network import GUIDES, SIDE, PartsNetwork
from training.stylize.export import OPSET, store_half


def main() -> None:
    """Read the flags and write the network."""
    parser = argparse.ArgumentParser(description="Export the parts network.")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    export(load(flags.room / "parts.pt"), flags.out / "parts.onnx")


def load(path: Path) -> PartsNetwork:
    """Read the averaged weights of a checkpoint."""
    return load_average(PartsNetwork(), path)


def export(network: nn.Module, path: Path) -> None:
    """Write the network with its normalisations folded into the convolutions."""
    torch.onnx.export(
        network,
        (torch.rand(1, 3, SIDE, SIDE), torch.rand(1, GUIDES, MAP_CELLS, MAP_CELLS)),
        str(path),
        input_names=["image", "guide"],
        output_names=["body", "wear"],
        opset_version=OPSET,
        dynamo=False,
    )
    store_half(path, {})


if __name__ == "__main__":
    main()
