"""Write what a service needs: `python -m training.garment.export --room ROOM --out FOLDER`.

Into the folder goes garment.onnx, its weights stored as float16 and computed as float32.
"""

import argparse
from pathlib import Path

import torch

from services.tryon.landmarks import SIDE
from training.checkpoints import load_average
from training.garment.network import GarmentNetwork
from training.stylize.export import OPSET, store_half


def main() -> None:
    """Read the flags and write the network."""
    parser = argparse.ArgumentParser(description="Export the garment network.")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    network = load_average(GarmentNetwork(), flags.room / "garment.pt")
    path = flags.out / "garment.onnx"
    torch.onnx.export(
        network,
        (torch.rand(1, 3, SIDE, SIDE),),
        str(path),
        input_names=["image"],
        output_names=["mask", "heat", "kind", "count"],
        opset_version=OPSET,
        dynamo=False,
    )
    store_half(path, {})


if __name__ == "__main__":
    main()
