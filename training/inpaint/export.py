"""Write what a service needs: `python -m training.inpaint.export --room ROOM --out FOLDER`.

Into the folder goes inpaint.onnx, the averaged weights stored as float16 and computed as float32.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from services.vision.sketch import SIDE
from training.checkpoints import load_average
from training.inpaint.network import Sketching
from training.stylize.export import OPSET, store_half


class Deliverable(nn.Module):
    """The network as it is shipped: an input for each way, colours limited to 0..1."""

    def __init__(self, network: Sketching) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, smooth: Tensor, across: Tensor, down: Tensor, trust: Tensor, hole: Tensor
    ) -> Tensor:
        """See `Sketching`."""
        ways = torch.cat([smooth, across, down], dim=1)
        return self.network(ways, trust, hole).clamp(0, 1)


def main() -> None:
    """Read the flags and write the file."""
    parser = argparse.ArgumentParser(description="Export the sketching network.")
    parser.add_argument("--room", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    export(load(flags.room / "inpaint.pt"), flags.out / "inpaint.onnx")


def load(path: Path) -> Sketching:
    """Read the averaged weights of a checkpoint."""
    return load_average(Sketching(), path)


def export(network: Sketching, path: Path) -> None:
    """Write the network with its normalisations folded into the convolutions."""
    torch.onnx.export(
        Deliverable(network),
        (*torch.rand(4, 1, 3, SIDE, SIDE), torch.rand(1, 1, SIDE, SIDE)),
        str(path),
        input_names=["smooth", "across", "down", "trust", "hole"],
        output_names=["filling"],
        opset_version=OPSET,
        dynamo=False,
    )
    store_half(path, {"side": SIDE})


if __name__ == "__main__":
    main()
