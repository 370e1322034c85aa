"""Draw results: `python -m training.stylize.sheet --data DATA --room ROOM --out FILE`."""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.stylize.data import Picture, judging_paths, picture, read, resized, write
from training.stylize.mediums import MEDIUMS
from training.stylize.network import CODE_SIZE, SCALE_INDEX, STRIDE, Layout, Pair, Stylizer
from training.stylize.styles import PAINTINGS
from training.stylize.targets import Targets, load_targets, tensor


def main() -> None:
    """Read the flags and write the sheet."""
    parser = argparse.ArgumentParser(description="Draw photos in all named styles.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="picture file to write")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="else held-out ones")
    parser.add_argument("--styles", nargs="*", default=[], help="names; all if none are given")
    parser.add_argument("--side", type=int, default=384, help="short side in pixels")
    parser.add_argument("--columns", type=int, default=5, help="pictures in a row")
    parser.add_argument("--scale", type=float, default=0.0, help="log2 of the brush scale")
    flags = parser.parse_args()
    network = load_pair(flags.room / "stylizer.pt").stylizer
    codes = named_codes(load_targets(flags.room / "targets.pt"))
    wanted = flags.styles or list(codes)
    shown = []
    for path in flags.photos or judging_paths(flags.data, 2):
        photo = resized(read(path), flags.side)
        drawn = [drawn_in(network, photo, codes[name], flags.scale) for name in wanted]
        shown += [fitted(photo), *drawn]
    write(flags.out, tiled(shown, flags.columns))


def load_pair(path: Path) -> Pair:
    """Return stylizer and encoder with the averaged weights of a checkpoint."""
    state = torch.load(path, weights_only=True)
    pair = Pair(Layout(**state["layout"]))
    pair.load_state_dict(state["average"])
    return pair.eval()


def named_codes(targets: Targets) -> dict[str, Tensor]:
    """Return the codes [CODE_SIZE] of all named styles, brush scale 0."""
    names = [style.name for style in (*PAINTINGS, *MEDIUMS)]
    codes = torch.cat([targets.painting_codes, targets.medium_codes])
    padded = F.pad(codes, (0, CODE_SIZE - codes.shape[1]))
    return dict(zip(names, padded, strict=True))


@torch.no_grad()
def drawn_in(network: Stylizer, photo: Picture, code: Tensor, scale: float = 0.0) -> Picture:
    """Return the photo, cut to multiples of STRIDE, in the style of a code."""
    code = code.clone()
    code[SCALE_INDEX] = scale
    with torch.autocast("cpu", torch.bfloat16):
        drawn = network(tensor(fitted(photo)[None]), code[None])
    return picture(drawn[0].float().clamp(0, 1).permute(1, 2, 0).numpy() * 255)


def fitted(photo: Picture) -> Picture:
    """Return the photo cut to multiples of STRIDE."""
    rows, columns = (side // STRIDE * STRIDE for side in photo.shape[:2])
    return picture(photo[:rows, :columns])


def tiled(pictures: list[Picture], columns: int) -> Picture:
    """Return pictures in rows, each in a cell of the largest one's size."""
    rows, width = max(p.shape[0] for p in pictures), max(p.shape[1] for p in pictures)
    lines = -(-len(pictures) // columns)
    sheet = np.full((lines * rows, columns * width, 3), 255, np.uint8)
    for index, shown in enumerate(pictures):
        top, left = index // columns * rows, index % columns * width
        sheet[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return picture(sheet)


if __name__ == "__main__":
    main()
