"""Train the style encoder: `python -m training.stylize.encoder --data DATA --room ROOM`.

It learns the teacher's features of a style picture, position by position, which says far more than
the code alone. Then the code, a linear function of the features' means and deviations, is fitted by
ridge regression to the teacher's codes. The room must hold the
lessons; encoder.pt, encoder.csv and codes.pt, what it reads off the style pictures, are written.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.microast import MicroAst
from training.stylize.data import Picture, picture
from training.stylize.lessons import Lessons, load_lessons
from training.stylize.network import StyleEncoder, summary
from training.stylize.pool import recoloured
from training.stylize.targets import tensor

HELD = 24
"""Style pictures that only judge: the last ones."""

CODE_WEIGHT = 0.3
"""Weight of the code's error beside that of the features."""

RIDGE = 3.0
"""What is added to the squares of the summaries when the code is fitted."""


def main() -> None:
    """Read the flags and train."""
    parser = argparse.ArgumentParser(description="Train the style encoder.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--room", type=Path, required=True, help="folder of lessons and results")
    parser.add_argument("--steps", type=int, default=600, help="steps on features")
    parser.add_argument("--batch", type=int, default=4, help="pictures in a step")
    parser.add_argument("--side", type=int, default=256, help="pixels, side of the windows")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=21, help="where random choices start")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    torch.manual_seed(flags.seed)
    lessons = load_lessons(flags.room)
    encoder = StyleEncoder()
    with torch.no_grad():
        encoder.code.weight.copy_(lessons.projection.T)
        encoder.code.bias.copy_(-lessons.centre @ lessons.projection)
    encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    teacher = MicroAst(flags.data / "teachers")
    train(encoder, teacher, lessons, flags)
    refit(encoder, lessons)
    print(f"held after the fit {judged(encoder, lessons):.4f}")
    torch.save(encoder.state_dict(), flags.room / "encoder.pt")
    torch.save(read_all(encoder, lessons), flags.room / "codes.pt")


def train(
    encoder: StyleEncoder, teacher: MicroAst, lessons: Lessons, flags: argparse.Namespace
) -> None:
    """Train on features, logging the error on held style pictures every 100 steps."""
    random = np.random.default_rng(flags.seed)
    free = [weight for name, weight in encoder.named_parameters() if not name.startswith("code")]
    optimiser = torch.optim.Adam(free, lr=flags.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, flags.rate, flags.steps)
    spreads = spread(teacher, lessons)
    with (flags.room / "encoder.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "loss", "held"])
        for step in range(flags.steps):
            chosen = random.integers(len(lessons.views) - HELD, size=flags.batch)
            cuts = [cut(lessons.views[index], flags.side, random) for index in chosen]
            features, codes = errors(encoder, teacher, lessons, tensor(np.stack(cuts)), spreads)
            loss = features + CODE_WEIGHT * codes
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            if step % 100 == 99:
                held = judged(encoder, lessons)
                writer.writerow([step + 1, f"{loss.item():.4f}", f"{held:.4f}"])
                file.flush()
                print(step + 1, f"loss {loss.item():.4f} held {held:.4f}", flush=True)


def cut(view: Picture, side: int, random: np.random.Generator) -> Picture:
    """Return a random window of a style picture, sometimes in other colours."""
    row, column = (int(value) for value in random.integers(view.shape[0] - side + 1, size=2))
    shown = view[row : row + side, column : column + side]
    return recoloured(shown, random) if random.random() < 0.4 else picture(shown)


@torch.no_grad()
def spread(teacher: MicroAst, lessons: Lessons) -> list[Tensor]:
    """Return the deviations [1,C,1,1] of the teacher's features at both depths."""
    shown = tensor(lessons.views[:24:2])
    found = teacher.encode("style_encoder", shown)
    return [layer.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-3) for layer in found]


def errors(
    encoder: StyleEncoder,
    teacher: MicroAst,
    lessons: Lessons,
    images: Tensor,
    spreads: list[Tensor],
) -> tuple[Tensor, Tensor]:
    """Return the errors of features and of codes of images [N,3,H,W] 0..1."""
    with torch.autocast("cpu", torch.bfloat16):
        with torch.no_grad():
            wanted = [layer.float() for layer in teacher.encode("style_encoder", images)]
            summaries = summary(wanted)
        found = [layer.float() for layer in encoder.features(images)]
    layers = [
        ((one - other) / unit).abs().mean()
        for one, other, unit in zip(found, wanted, spreads, strict=True)
    ]
    code = encoder.code(summary(found))
    wanted_code = (summaries - lessons.centre) @ lessons.projection
    return torch.stack(layers).sum(), F.smooth_l1_loss(code, wanted_code)


@torch.no_grad()
def refit(encoder: StyleEncoder, lessons: Lessons) -> None:
    """Fit the code to the teacher's codes of the style pictures that do not judge."""
    count = len(lessons.views) - HELD
    summaries, codes = summaries_of(encoder, lessons.views[:count]), lessons.codes[:count]
    centre, spread = summaries.mean(dim=0), summaries.std(dim=0).clamp_min(1e-5)
    levelled, middle = (summaries - centre) / spread, codes.mean(dim=0)
    squares = levelled.T @ levelled + RIDGE * torch.eye(levelled.shape[1])
    weights = torch.linalg.solve(squares, levelled.T @ (codes - middle)) / spread[:, None]
    encoder.code.weight.copy_(weights.T)
    encoder.code.bias.copy_(middle - centre @ weights)


@torch.no_grad()
def judged(encoder: StyleEncoder, lessons: Lessons) -> float:
    """Return the squared error of the held pictures' codes over the codes' own square."""
    codes = codes_of(encoder, lessons.views[-HELD:])
    wanted = lessons.codes[-HELD:]
    return float((codes - wanted).square().mean() / wanted.square().mean())


@torch.no_grad()
def codes_of(encoder: StyleEncoder, views: npt.NDArray[np.uint8]) -> Tensor:
    """Return the codes [N,CODE_SIZE] of style pictures [N,H,W,3]."""
    found: Tensor = encoder.code(summaries_of(encoder, views))
    return found


@torch.no_grad()
def summaries_of(encoder: StyleEncoder, views: npt.NDArray[np.uint8]) -> Tensor:
    """Return the summaries [N,SUMMARY_SIZE] of style pictures [N,H,W,3], a few at a time."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = (views[start : start + 8] for start in range(0, len(views), 8))
        return torch.cat([summary(encoder.features(tensor(part))) for part in parts])


@torch.no_grad()
def read_all(encoder: StyleEncoder, lessons: Lessons) -> dict[str, Tensor]:
    """Return codes [S,CODE_SIZE] and summaries [S,SUMMARY_SIZE] of all style pictures.

    Summaries are levelled to mean 0 and deviation 1; centre and spread [SUMMARY_SIZE] tell how.
    """
    summaries = summaries_of(encoder, lessons.views)
    centre, spread = summaries.mean(dim=0), summaries.std(dim=0).clamp_min(1e-5)
    return {
        "codes": encoder.code(summaries),
        "summaries": (summaries - centre) / spread,
        "summary_centre": centre,
        "summary_spread": spread,
    }


if __name__ == "__main__":
    main()
