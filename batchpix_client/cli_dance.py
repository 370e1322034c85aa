"""The commands `moves` and `dance`."""

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
from batchpix_client.cli_console import answer_json, answer_table
from batchpix_client.connection import Connection
from batchpix_client.jobs.clip import CLIP_DEADLINE_SECONDS
from batchpix_client.jobs.dance import Background
from batchpix_client.results import Figure

PersonPoint = Annotated[
    str | None,
    typer.Option(metavar="X,Y", help="Where the person is, 0 to 1; else the most prominent."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(moves)
    app.command()(dance)


def moves(context: typer.Context, json: Json = False) -> None:
    """List the moves that the service knows."""
    connection: Connection = context.obj
    with connection.client() as client:
        found = client.moves()
    if json:
        for move in found:
            answer_json({"name": move.name, "title": move.title, "beats": move.beats})
        return
    rows = [(each.name, each.title, str(each.beats)) for each in found]
    answer_table(("name", "title", "beats"), rows)


def dance(  # noqa: PLR0917  # a command's options are its arguments
    context: typer.Context,
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Photo of a person.")],
    out: ClipOut,
    move: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="See `batchpix moves`; repeat it for a routine."),
    ] = None,
    music: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Sound to dance to.")
    ] = None,
    driving_video: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Clip whose person leads.")
    ] = None,
    bvh: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Motion file that leads.")
    ] = None,
    bpm: Annotated[float, typer.Option(help="Beats a minute, 40 to 240.")] = 0.0,
    intensity: Intensity = None,
    person: PersonPoint = None,
    background: Annotated[
        str,
        typer.Option(
            metavar="keep|blur|transparent|#rrggbb", help="Transparent ones need --frames."
        ),
    ] = Background.KEEP,
    shadow: Annotated[bool, typer.Option(help="A contact shadow under the dancer.")] = True,
    camera_push: Annotated[float, typer.Option(help="The camera moves in slowly, 0 to 0.3.")] = 0.0,
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
    """Let the person of a photo dance, through the gateway."""
    refuse_out(out, frames)
    is_colour = background.startswith("#")
    connection: Connection = context.obj
    with connection.client() as client:
        call = client.dance(
            photo,
            moves=move or (),
            music=music,
            driving_video=driving_video,
            motion=bvh,
            beats_per_minute=bpm,
            intensity=intensity,
            person=parse_point(person),
            background=Background.COLOUR if is_colour else background,
            background_colour=background if is_colour else "",
            shadow=shadow,
            camera_push=camera_push,
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
    tell_clip(photo, saved, figure_document(call.found), json=json)


def figure_document(found: tuple[Figure, ...]) -> dict[str, object]:
    """Write what was found of the person as plain values."""
    return {
        name: value
        for figure in found
        for name, value in (
            ("beats_per_minute", round(figure.beats_per_minute, 1)),
            ("missing_limbs", ", ".join(figure.missing_limbs)),
        )
    }
