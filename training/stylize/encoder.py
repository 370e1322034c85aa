"""Train the style encoder: `python -m training.stylize.encoder --data DATA --room ROOM`.

It learns to read off a style picture's pixels the code that targets.py computes from its Gram
matrices. The room must hold targets.pt; encoder.pt, encoder.csv and lessons.pt are written to it.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.stylize.data import load_photos, read
from training.stylize.network import CODE_SIZE, StyleEncoder
from training.stylize.perception import Perception
from training.stylize.pool import style_picture
from training.stylize.styles import PAINTINGS, load_painting
from training.stylize.targets import (
    MEDIUM_SHARE,
    encoder_view,
    load_targets,
    medium_picture,
    targets_at,
)

HELD_SHARE = 0.06
"""Share of the lessons that only judges."""


def main() -> None:
    """Read the flags, make lessons if there are none, and train."""
    parser = argparse.ArgumentParser(description="Train the style encoder.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of targets and results")
    parser.add_argument("--lessons", type=int, default=1600, help="style pictures to learn from")
    parser.add_argument("--steps", type=int, default=2500, help="training steps")
    parser.add_argument("--batch", type=int, default=24, help="pictures in a step")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=21, help="where random choices start")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    torch.manual_seed(flags.seed)
    lessons = flags.room / "lessons.pt"
    if not lessons.exists():
        make_lessons(flags.data, flags.room, lessons, flags.lessons, flags.seed)
    images, codes = torch.load(lessons, weights_only=True)
    encoder = StyleEncoder().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    train(encoder, images, codes, flags)
    torch.save(encoder.state_dict(), flags.room / "encoder.pt")


def make_lessons(data: Path, room: Path, path: Path, count: int, seed: int) -> None:
    """Write style pictures [N,3,256,256] uint8 and their codes [N,CODE_SIZE-1] to a file."""
    random = np.random.default_rng(seed)
    targets = load_targets(room / "targets.pt")
    eye = Perception(data / "teachers" / "vgg19_distilled16x_e5.pth")
    photos = load_photos(data)
    paintings = [load_painting(data, painting) for painting in PAINTINGS]
    cloths = [read(file) for file in sorted((data / "garments").rglob("*.jpg"))[1::4]]
    images, codes = [targets.pool_images], [targets.pool_codes]
    for index in range(count):
        if random.random() < MEDIUM_SHARE:
            shown = medium_picture(photos, index, random)
        else:
            shown = style_picture(paintings, photos, cloths, random)
        images.append(encoder_view(shown)[None])
        codes.append(targets.codes(targets_at(eye, shown, (0.0,))))
    torch.save((torch.cat(images), torch.cat(codes)), path)


def train(encoder: StyleEncoder, images: Tensor, codes: Tensor, flags: argparse.Namespace) -> None:
    """Train the encoder, logging the error on held lessons every 100 steps."""
    random = np.random.default_rng(flags.seed)
    order = torch.from_numpy(random.permutation(len(images)))
    count = round(len(order) * HELD_SHARE)
    held, used = order[:count], order[count:]
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=flags.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, flags.rate, flags.steps)
    with (flags.room / "encoder.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "held"])
        for step in range(flags.steps):
            chosen = used[torch.from_numpy(random.integers(len(used), size=flags.batch))]
            loss = error(encoder, varied(images[chosen], random), codes[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            if step % 100 == 99:
                with torch.no_grad():
                    judged = error(encoder, images[held].float() / 255, codes[held]).item()
                writer.writerow([step + 1, f"{loss.item():.4f}", f"{judged:.4f}"])
                file.flush()
                print(step + 1, f"loss {loss.item():.4f} held {judged:.4f}", flush=True)


def error(encoder: StyleEncoder, images: Tensor, codes: Tensor) -> Tensor:
    """Return the mean squared error of the codes read off images [N,3,256,256] 0..1."""
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(images.contiguous(memory_format=torch.channels_last))
    return F.mse_loss(found[:, : CODE_SIZE - 1].float(), codes)


def varied(images: Tensor, random: np.random.Generator) -> Tensor:
    """Return images uint8 as 0..1, mirrored at random and a little noisy; the style stays."""
    shown = images.float() / 255
    if random.random() < 0.5:
        shown = shown.flip(3)
    return shown + torch.randn_like(shown) * float(random.uniform(0, 0.02))


if __name__ == "__main__":
    main()
