"""The command `video`."""

from pathlib import Path
from typing import Annotated

import typer

from batchpix_client.cli_calls import Deadline, Json, Quality, ReceiptFile, Seed, parse_point
from batchpix_client.cli_clips import (
    ClipOut,
    Frames,
    Intensity,
    Rate,
    Seconds,
    Size,
    clip_options,
    receive_clip,
    refuse_out,
    tell_clip,
)
from batchpix_client.connection import Connection
from batchpix_client.jobs.clip import CLIP_DEADLINE_SECONDS
from batchpix_client.jobs.video import Camera, LivingRegion
from batchpix_client.key_frames import read_key_frames


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(video)


def video(  # noqa: PLR0917  # a command's options are its arguments
    context: typer.Context,
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The photo.")],
    out: ClipOut,
    camera: Annotated[Camera, typer.Option(help="Path of the camera.")] = Camera.ORBIT,
    key_frames: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="TOML or JSON file of camera places, not a path."
        ),
    ] = None,
    intensity: Intensity = None,
    focus: Annotated[
        str | None, typer.Option(metavar="X,Y", help="What the camera looks at, each 0 to 1.")
    ] = None,
    depth_of_field: Annotated[
        float, typer.Option("--depth-of-field", "--dof", help="Blur off the focus, 0 to 1.")
    ] = 0.0,
    loop: Annotated[
        bool, typer.Option("--loop", help="The last frame runs into the first.")
    ] = False,
    living: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MASK:DEGREES:SPEED",
            help="A part that flows, clockwise from right, in heights a second; repeatable.",
        ),
    ] = None,
    depth_map: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Grey picture; brightest is nearest."),
    ] = None,
    seconds: Seconds = 0.0,
    fps: Rate = 0.0,
    size: Size = "",
    quality: Quality = 0,
    frames: Frames = "",
    seed: Seed = 0,
    deadline: Deadline = CLIP_DEADLINE_SECONDS,
    receipt: ReceiptFile = None,
    json: Json = False,
) -> None:
    """Make a clip of a photo through the gateway."""
    refuse_out(out, frames)
    connection: Connection = context.obj
    with connection.client() as client:
        call = client.video(
            photo,
            camera=camera,
            key_frames=read_key_frames(key_frames) if key_frames else (),
            intensity=intensity,
            focus=parse_point(focus),
            depth_of_field=depth_of_field,
            loop=loop,
            living=[parse_living(text) for text in living or ()],
            depth_map=depth_map,
            seed=seed,
            **clip_options(
                frames=frames,
                seconds=seconds,
                rate=fps,
                size=size,
                quality=quality,
                deadline=deadline,
            ),
        )
        saved = receive_clip(call, photo, out, connection, receipt)
    tell_clip(photo, saved, {}, json=json)


def parse_living(text: str) -> LivingRegion:
    """Read MASK:DEGREES:SPEED.

    Raises:
        typer.BadParameter: it is nothing of the kind, or the mask is no file.
    """
    try:
        mask, direction, speed = text.rsplit(":", 2)
        region = LivingRegion(
            mask=Path(mask), direction_degrees=float(direction), speed=float(speed)
        )
    except ValueError:
        message = "a region that flows is MASK:DEGREES:SPEED, a file and two numbers"
        raise typer.BadParameter(message) from None
    if not Path(mask).is_file():
        raise typer.BadParameter(f"{mask} is no file")
    return region
