"""Write what a service needs: `python -m training.stylize.export --room ROOM --out FOLDER`.

Into the folder go stylize.onnx, style_encoder.onnx (weights stored as float16, computed as
float32) and styles.json with the codes of the named styles.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from training.stylize.mediums import MEDIUMS
from training.stylize.network import (
    CODE_SIZE,
    ENCODER_SIDE,
    STRIDE,
    THUMBNAIL_SIDE,
    StyleEncoder,
    Stylizer,
)
from training.stylize.sheet import load_encoder, load_pair, named_codes
from training.stylize.styles import PAINTINGS

OPSET = 17


class Deliverable(nn.Module):
    """The stylizer as it is shipped: limited to 0..1 before pixels are spread, which is cheaper."""

    def __init__(self, network: Stylizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, thumbnail: Tensor, style: Tensor) -> Tensor:
        """Return [1,3,H,W] 0..1 of image [1,3,H,W], thumbnail and style; see Stylizer."""
        return F.pixel_shuffle(self.network.paint(image, thumbnail, style).clamp(0, 1), 4)


def main() -> None:
    """Read the flags and write the three files."""
    parser = argparse.ArgumentParser(description="Export the stylizer, its encoder, its styles.")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    pair = load_pair(flags.room / "stylizer.pt")
    export_stylizer(pair.stylizer, flags.out / "stylize.onnx")
    export_encoder(load_encoder(flags.room, pair), flags.out / "style_encoder.onnx")
    codes = named_codes(pair)
    text = json.dumps(catalogue(codes), indent=1, ensure_ascii=False)
    (flags.out / "styles.json").write_text(text + "\n", encoding="utf-8")


def export_stylizer(network: Stylizer, path: Path) -> None:
    """Write the stylizer with free height and width."""
    small = torch.rand(1, 3, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    example = (torch.rand(1, 3, 64, 80), small, torch.zeros(1, CODE_SIZE))
    free = {2: "height", 3: "width"}
    torch.onnx.export(
        Deliverable(network).to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
        example,
        str(path),
        input_names=["image", "thumbnail", "style"],
        output_names=["stylized"],
        dynamic_axes={"image": free, "stylized": free},
        opset_version=OPSET,
        dynamo=False,
    )
    store_half(path, {"stride": STRIDE, "reach": network.reach})


def export_encoder(encoder: StyleEncoder, path: Path) -> None:
    """Write the style encoder, whose picture has a fixed size."""
    torch.onnx.export(
        encoder,
        (torch.rand(1, 3, ENCODER_SIDE, ENCODER_SIDE),),
        str(path),
        input_names=["style_image"],
        output_names=["style"],
        opset_version=OPSET,
        dynamo=False,
    )
    store_half(path, {})


def store_half(path: Path, facts: dict[str, int]) -> None:
    """Store the file's float32 weights as float16, each followed by a cast back to float32.

    Args:
        path: the ONNX file, which is changed.
        facts: what the file's metadata shall say, in pixels or places.
    """
    model = onnx.load(str(path))
    helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 16:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def catalogue(codes: dict[str, Tensor]) -> list[dict[str, object]]:
    """Return the named styles, ready for JSON."""
    paintings: list[dict[str, object]] = [
        {
            "name": style.name,
            "title": style.title,
            "painter": style.painter,
            "year": style.year,
            "source": "code read off a reproduction of the painting, then trained along",
            "licence": "public domain painting",
            "kind": "painting",
            "code": rounded(codes[style.name]),
        }
        for style in PAINTINGS
    ]
    mediums: list[dict[str, object]] = [
        {
            "name": style.name,
            "title": style.title,
            "painter": None,
            "year": None,
            "source": "code trained on pictures that our own filters made",
            "licence": "own work",
            "kind": "medium",
            "code": rounded(codes[style.name]),
        }
        for style in MEDIUMS
    ]
    return [*paintings, *mediums]


def rounded(code: Tensor) -> list[float]:
    """Return a code as floats of four decimals."""
    return [round(value, 4) for value in code.tolist()]


if __name__ == "__main__":
    main()
