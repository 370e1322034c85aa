"""What `video` and `dance` share: how a clip is asked for, written and told of."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypedDict, TypeVar

import typer

from batchpix_client.calls import ClipCall
from batchpix_client.channels import configuration_error
from batchpix_client.cli_calls import accounted, tell
from batchpix_client.cli_console import bar
from batchpix_client.clips import SavedClip
from batchpix_client.connection import Connection
from batchpix_client.jobs.clip import Container
from batchpix_client.results import Progress

SIZE = re.compile(r"(\d*)x(\d*)")
FoundT = TypeVar("FoundT")

ClipOut = Annotated[
    Path, typer.Option("-o", "--out", help="File of the clip, or new folder of its frames.")
]
Seconds = Annotated[float, typer.Option(help="Length, 1 to 60; 0 = the service's default.")]
Rate = Annotated[float, typer.Option("--fps", help="12 to 60; 0 = the service's default.")]
Size = Annotated[
    str,
    typer.Option(
        metavar="WIDTHxHEIGHT", help="One may be left out; else as large as the photo, to 1280."
    ),
]
Frames = Annotated[
    str, typer.Option(metavar="jpeg|png|webp", help="Single frames instead of a clip.")
]
Intensity = Annotated[float | None, typer.Option(help="How far it goes, 0 to 2.")]


class ClipOptions(TypedDict):
    """The fields of `ClipJob` that both commands fill in."""

    container: Container
    frame_format: str
    seconds: float
    frames_per_second: float
    width_pixels: int
    height_pixels: int
    quality: int
    frame_quality: int
    deadline_seconds: float


def clip_options(
    *, frames: str, seconds: float, rate: float, size: str, quality: int, deadline: float
) -> ClipOptions:
    """Turn the command's options into the job's.

    Raises:
        typer.BadParameter: a size that is none.
    """
    width, height = parse_size(size)
    return ClipOptions(
        container=Container.FRAMES if frames else Container.MP4,
        frame_format=frames,
        seconds=seconds,
        frames_per_second=rate,
        width_pixels=width,
        height_pixels=height,
        quality=0 if frames else quality,
        frame_quality=quality if frames else 0,
        deadline_seconds=deadline,
    )


def parse_size(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT, WIDTHx or xHEIGHT; 0 stands for what is left out.

    Raises:
        typer.BadParameter: it is no size.
    """
    if not text:
        return 0, 0
    if not (match := SIZE.fullmatch(text.lower())):
        raise typer.BadParameter("a size is WIDTHxHEIGHT in pixels; one of them may be left out")
    return int(match[1] or 0), int(match[2] or 0)


def refuse_out(out: Path, frames: str) -> None:
    """Refuse a place that the clip cannot go to before anything is sent.

    Raises:
        BatchpixError: a folder for a file, or a file or a full folder for frames.
    """
    if not frames and out.is_dir():
        raise configuration_error("the output is a folder; a clip needs a file", "out")
    if frames and (out.is_file() or (out.is_dir() and any(out.iterdir()))):
        raise configuration_error("frames need a new folder", "out")


def receive_clip(
    call: ClipCall[FoundT], source: Path, out: Path, connection: Connection, receipt: Path | None
) -> SavedClip:
    """Write a clip as it arrives, and show how far it has come.

    Raises:
        BatchpixError: the call failed, or its receipt does not hold.
        OSError: the clip cannot be written.
    """
    with accounted(call, connection, receipt), bar(0, source.name) as progress:

        def show(step: Progress) -> None:
            progress.reach(step.done, step.total, step.stage)

        return call.watch(show).save(out)


def tell_clip(source: Path, saved: SavedClip, found: Mapping[str, object], *, json: bool) -> None:
    """Say what came back, and what the service found."""
    facts = saved.facts
    document = {
        "input": str(source),
        "status": "ok",
        "output": str(saved.path),
        "media_type": facts.media_type,
        "width_pixels": facts.width_pixels,
        "height_pixels": facts.height_pixels,
        "frames_per_second": facts.frames_per_second,
        "frame_count": facts.frame_count,
        "bytes": saved.size_bytes,
        "first_milliseconds": round(saved.first_seconds * 1000, 1),
        "milliseconds": round(saved.elapsed_seconds * 1000, 1),
        **found,
    }
    words = (
        f"{saved.path}",
        f"{facts.width_pixels} x {facts.height_pixels}",
        f"{facts.frame_count} frames",
        f"first after {saved.first_seconds * 1000:.0f} ms",
        f"all after {saved.elapsed_seconds * 1000:.0f} ms",
        *(f"{name.replace('_', ' ')}: {value}" for name, value in found.items() if value),
    )
    tell(document, "  ".join(words), json=json)
