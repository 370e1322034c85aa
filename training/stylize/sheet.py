"""Draw results: `python -m training.stylize.sheet --data DATA --room ROOM --out FILE`."""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench.microast import MicroAst
from training.checkpoints import load_average
from training.stylize.data import (
    Picture,
    centred,
    judging_paths,
    picture,
    read,
    resized,
    thumbnail,
    write,
)
from training.stylize.mediums import MEDIUMS
from training.stylize.network import (
    ENCODER_SIDE,
    STRIDE,
    Layout,
    Pair,
    StyleEncoder,
    Stylizer,
)
from training.stylize.styles import PAINTINGS, UNSEEN, Painting, load_painting
from training.stylize.targets import tensor


def main() -> None:
    """Read the flags and write the sheet."""
    parser = argparse.ArgumentParser(description="Draw photos in styles.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="picture file to write")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="else held-out ones")
    parser.add_argument("--count", type=int, default=2, help="held-out photos")
    parser.add_argument("--styles", nargs="*", default=[], help="names; all if none are given")
    parser.add_argument("--side", type=int, default=384, help="short side in pixels")
    parser.add_argument("--columns", type=int, default=5, help="pictures in a row")
    parser.add_argument("--beside", action="store_true", help="show the teacher's beneath ours")
    flags = parser.parse_args()
    pair = load_pair(flags.room / "stylizer.pt")
    codes = named_codes(pair) | unseen_codes(flags.room, flags.data, pair)
    teacher = MicroAst(flags.data / "teachers") if flags.beside else None
    shown = []
    for path in flags.photos or judging_paths(flags.data, flags.count):
        photo = fitted(resized(read(path), flags.side))
        for name in flags.styles or list(codes):
            shown.append(drawn_in(pair.stylizer, photo, codes[name]))
            if teacher:
                shown.append(drawn_by(teacher, photo, flags.data, name))
    write(flags.out, tiled(shown, flags.columns))


def load_pair(path: Path) -> Pair:
    """Return stylizer and codes with the averaged weights of a checkpoint."""
    return load_average(Pair(Layout(), len(PAINTINGS) + len(MEDIUMS)), path)


@torch.no_grad()
def load_encoder(room: Path, pair: Pair) -> StyleEncoder:
    """Return the encoder that the room holds, the correction that the pair learned within."""
    encoder = StyleEncoder()
    encoder.load_state_dict(torch.load(room / "encoder.pt", weights_only=True))
    read = torch.load(room / "codes.pt", weights_only=True)
    correction = pair.correction.weight / read["summary_spread"]
    encoder.code.weight += correction
    encoder.code.bias += pair.correction.bias - correction @ read["summary_centre"]
    return encoder.eval()


def named_codes(pair: Pair) -> dict[str, Tensor]:
    """Return the codes [CODE_SIZE] of all named styles."""
    names = [style.name for style in (*PAINTINGS, *MEDIUMS)]
    return dict(zip(names, pair.named.detach(), strict=True))


@torch.no_grad()
def unseen_codes(room: Path, data: Path, pair: Pair) -> dict[str, Tensor]:
    """Return the codes [CODE_SIZE] that the encoder reads off the paintings that only judge."""
    encoder = load_encoder(room, pair)
    views = {style.name: centred(load_painting(data, style), ENCODER_SIDE) for style in UNSEEN}
    return {name: encoder(tensor(view[None]))[0] for name, view in views.items()}


@torch.no_grad()
def drawn_in(network: Stylizer, photo: Picture, code: Tensor) -> Picture:
    """Return the photo, its sides multiples of STRIDE, in the style of a code."""
    with torch.autocast("cpu", torch.bfloat16):
        drawn = network(tensor(photo[None]), tensor(thumbnail(photo)[None]), code[None])
    return picture(drawn[0].float().clamp(0, 1).permute(1, 2, 0).numpy() * 255)


@torch.no_grad()
def drawn_by(teacher: MicroAst, photo: Picture, data: Path, name: str) -> Picture:
    """Return the photo in a painting's style by the teacher, or as it is in any other style."""
    found: list[Painting] = [style for style in (*PAINTINGS, *UNSEEN) if style.name == name]
    if not found:
        return photo
    style = teacher.style(tensor(centred(load_painting(data, found[0]), ENCODER_SIDE)[None]))
    drawn = teacher.draw(tensor(photo[None]), style)
    return picture(drawn[0].clamp(0, 1).permute(1, 2, 0).numpy() * 255)


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
