"""Our stylizer beside MicroAST: `python -m bench.stylize_quality --data DATA --out FILE.json`.

Both are measured in the same run: style and content figures on held-out photos (see
training/stylize/evaluate.py), unrest under a pan, and milliseconds in OpenVINO. The data root holds
the photos, the paintings and, under teachers/, the weights of MicroAST and of the judging network.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino
import torch
from torch import Tensor

from bench.microast import Drawing, MicroAst
from training.stylize.data import (
    Picture,
    centred,
    judging_paths,
    picture,
    read,
    resized,
    thumbnail,
)
from training.stylize.evaluate import SIDE, Figures, judged, mean_figures
from training.stylize.losses import packed_grams
from training.stylize.network import ENCODER_SIDE, THUMBNAIL_SIDE
from training.stylize.perception import Perception
from training.stylize.styles import PAINTINGS, UNSEEN, load_painting
from training.stylize.targets import tensor

Floats = npt.NDArray[np.float32]
Draw = Callable[[Picture, str], Picture]
"""Photo and painting's name to picture."""

PANS = ((0, 1), (0, 5), (2, 11), (3, 30))
"""Pixels, rows and columns, by which a photo is panned."""

PAN_BORDER = 64
"""Pixels at the frame that do not count: what comes into view changes them."""

SIZES = ((512, 512), (1080, 1920))
"""Pixels, rows and columns, of the pictures that are timed."""


class Ours:
    """The shipped files, run by OpenVINO."""

    def __init__(self, models: Path, data: Path, options: dict[str, object]) -> None:
        core = openvino.Core()
        self.network = core.compile_model(models / "stylize.onnx", "CPU", options)
        # As the service does: a code is computed once a call, in f32.
        exact = options | {"INFERENCE_PRECISION_HINT": "f32"}
        self.encoder = core.compile_model(models / "style_encoder.onnx", "CPU", exact)
        named = json.loads((models / "styles.json").read_text(encoding="utf-8"))
        self.codes = {style["name"]: np.array([style["code"]], np.float32) for style in named}
        for painting in UNSEEN:
            shown = centred(load_painting(data, painting), ENCODER_SIDE)
            self.codes[painting.name] = self.encoder([planes(shown)])[0]

    def draw(self, photo: Picture, name: str) -> Picture:
        """Return the photo, sides multiples of 16, in a style."""
        drawn = self.network([planes(photo), planes(thumbnail(photo)), self.codes[name]])[0]
        return picture(drawn[0].transpose(1, 2, 0) * 255)

    def milliseconds(self, rows: int, columns: int) -> Callable[[], None]:
        """Return a call that draws a picture of a size once."""
        shape = (1, 3, -(-rows // 16) * 16, -(-columns // 16) * 16)
        request = self.network.create_infer_request()
        random = np.random.default_rng(0)
        inputs = [
            random.random(shape, np.float32),
            random.random((1, 3, THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.float32),
            next(iter(self.codes.values())),
        ]
        return lambda: request.infer(inputs, share_inputs=True, share_outputs=True) and None


class Anchor:
    """MicroAST, run by torch for its pictures and by OpenVINO for its time."""

    def __init__(self, data: Path, options: dict[str, object]) -> None:
        self.network = MicroAst(data / "teachers")
        self.options = options
        self.styles = {
            painting.name: self.network.style(
                tensor(centred(load_painting(data, painting), SIDE)[None])
            )
            for painting in (*PAINTINGS, *UNSEEN)
        }

    @torch.no_grad()
    def draw(self, photo: Picture, name: str) -> Picture:
        """Return the photo in a style."""
        drawn = self.network.draw(tensor(photo[None]), self.styles[name])
        return picture(drawn[0].clamp(0, 1).permute(1, 2, 0).numpy() * 255)

    def milliseconds(self, rows: int, columns: int) -> Callable[[], None]:
        """Return a call that draws a picture of a size once, the style being known already."""
        style = next(iter(self.styles.values()))
        photo = torch.rand(1, 3, rows, columns)
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/anchor.onnx"
            torch.onnx.export(Drawing(self.network), (photo, *style), path, dynamo=False)
            network = openvino.Core().compile_model(path, "CPU", self.options)
        request = network.create_infer_request()
        inputs = [photo.numpy(), *(part.numpy() for part in style)]
        return lambda: request.infer(inputs, share_inputs=True, share_outputs=True) and None


def planes(pixels: Picture) -> Floats:
    """Return a picture HWC uint8 as [1,3,H,W] 0..1, in one piece."""
    found: Floats = tensor(pixels[None]).contiguous().numpy()
    return found


def main() -> None:
    """Read the flags, measure, print and write JSON."""
    parser = argparse.ArgumentParser(description="Measure our stylizer beside MicroAST.")
    parser.add_argument("--data", type=Path, required=True, help="root of photos and weights")
    parser.add_argument("--models", type=Path, default=Path("models/stylize"), help="our files")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--photos", type=int, default=8, help="held-out photos; 0: time only")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--precision", default="bf16", choices=("bf16", "f32"), help="of OpenVINO")
    parser.add_argument("--runs", type=int, default=15, help="timed runs of each network and size")
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    options: dict[str, object] = {
        "INFERENCE_PRECISION_HINT": flags.precision,
        "INFERENCE_NUM_THREADS": flags.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    makers: dict[str, Ours | Anchor] = {
        "ours": Ours(flags.models, flags.data, options),
        "microast": Anchor(flags.data, options),
    }
    report = {
        "quality": quality(flags.data, {name: maker.draw for name, maker in makers.items()}, flags),
        "milliseconds": {
            f"{columns}x{rows}": timed(
                {name: maker.milliseconds(rows, columns) for name, maker in makers.items()},
                flags.runs,
            )
            for rows, columns in SIZES
        },
        "precision": flags.precision,
        "threads": flags.threads,
    }
    show(report)
    flags.out.parent.mkdir(parents=True, exist_ok=True)
    flags.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def quality(
    data: Path, draws: dict[str, Draw], flags: argparse.Namespace
) -> dict[str, dict[str, dict[str, float]]]:
    """Return figures by painting (and all named, all unseen) and by network."""
    eye = Perception(data / "teachers" / "vgg19_distilled16x_e5.pth", torch.float32)
    photos = [read(path) for path in judging_paths(data, flags.photos)]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for group, paintings in (("named", PAINTINGS), ("unseen", UNSEEN)) if photos else ():
        gathered: dict[str, list[Figures]] = {name: [] for name in draws}
        unrest: dict[str, list[float]] = {name: [] for name in draws}
        for painting in paintings:
            shown = centred(load_painting(data, painting), SIDE)
            grams = packed_grams(eye(tensor(shown[None])))
            found[painting.name] = {}
            for name, draw in draws.items():
                rows = [pictured(eye, draw, painting.name, photo, grams) for photo in photos]
                moved = panned(draw, painting.name, photos[len(found) % len(photos)])
                gathered[name] += rows
                unrest[name].append(moved)
                found[painting.name][name] = asdict(mean_figures(rows)) | {"unrest": moved}
        found[f"all {group}"] = {
            name: asdict(mean_figures(gathered[name])) | {"unrest": float(np.mean(unrest[name]))}
            for name in draws
        }
    return found


def pictured(eye: Perception, draw: Draw, style: str, photo: Picture, grams: Tensor) -> Figures:
    """Return the figures of one photo in one style."""
    square = centred(photo, SIDE)
    return judged(eye, square, draw(square, style), grams)


def panned(draw: Draw, style: str, photo: Picture) -> float:
    """Return the mean absolute change, 0..255, of what two frames of a panned photo share."""
    wide = resized(photo, SIDE + max(max(pan) for pan in PANS))
    first = draw(picture(wide[:SIDE, :SIDE]), style).astype(np.float32)
    errors = []
    for rows, columns in PANS:
        frame = picture(wide[rows : rows + SIDE, columns : columns + SIDE])
        second = draw(frame, style).astype(np.float32)
        border, end = PAN_BORDER, SIDE - PAN_BORDER
        before = first[border + rows : end, border + columns : end]
        after = second[border : end - rows, border : end - columns]
        errors.append(float(np.abs(before - after).mean()))
    return float(np.mean(errors))


def timed(calls: dict[str, Callable[[], None]], runs: int) -> dict[str, float]:
    """Return the median milliseconds of each call, run in turns so that both meet the same load."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(runs + 2):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn >= 2:
                found[name].append((time.perf_counter() - start) * 1e3)
    medians = {name: float(np.median(values)) for name, values in found.items()}
    fastest = {f"{name} fastest": min(values) for name, values in found.items()}
    return medians | fastest | {"ratio": medians["ours"] / medians["microast"]}


def show(report: dict[str, object]) -> None:
    """Print the report as a table."""
    quality_found, times = report["quality"], report["milliseconds"]
    print(f"{'style':18s}{'network':10s}{'ratio':>8s}{'content':>9s}{'ssim':>8s}{'unrest':>8s}")
    for style, networks in quality_found.items():  # type: ignore[attr-defined]
        for name, row in networks.items():
            print(
                f"{style:18s}{name:10s}{row['ratio']:8.3f}{row['content']:9.3f}"
                f"{row['ssim']:8.3f}{row['unrest']:8.2f}"
            )
    for size, row in times.items():  # type: ignore[attr-defined]
        print(size, " ".join(f"{name} {value:.2f}" for name, value in row.items()))


if __name__ == "__main__":
    main()
