"""The commands `styles` and `stylize`."""

from pathlib import Path
from typing import Annotated, Never

import typer

from batchpix_client.calls import Call
from batchpix_client.cli_calls import (
    Deadline,
    Format,
    Json,
    LongSide,
    Quality,
    ReceiptFile,
    Seed,
    accounted,
)
from batchpix_client.cli_console import answer_json, answer_table, bar, complain, say
from batchpix_client.connection import Connection
from batchpix_client.jobs.job import DEADLINE_SECONDS
from batchpix_client.jobs.stylize import Region, WeightedStyle
from batchpix_client.outputs import Outputs
from batchpix_client.results import FailedPicture, Result

InputFiles = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, help="Pictures to stylise.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(styles)
    app.command()(stylize)


def styles(context: typer.Context, json: Json = False) -> None:
    """List the styles that the service knows."""
    connection: Connection = context.obj
    with connection.client() as client:
        found = client.styles()
    if json:
        for style in found:
            answer_json(
                {
                    "name": style.name,
                    "title": style.title,
                    "painter": style.painter,
                    "year": style.year,
                }
            )
        return
    rows = [(each.name, each.title, each.painter, str(each.year or "")) for each in found]
    answer_table(("name", "title", "painter", "year"), rows)


def stylize(  # noqa: PLR0917  # a command's options are its arguments
    context: typer.Context,
    inputs: InputFiles,
    out: Annotated[Path, typer.Option("-o", "--out", help="File for one picture, else a folder.")],
    style: Annotated[
        list[str] | None, typer.Option(help="NAME or NAME:WEIGHT; repeat it to mix.")
    ] = None,
    style_picture: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Picture whose style is taken; repeatable."),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="Mask of the input at the same place."),
    ] = None,
    strength: Annotated[float | None, typer.Option(help="0 (photo) to 1 (full style).")] = None,
    preserve_colour: Annotated[
        bool, typer.Option("--preserve-colour", help="Keep the photo's own colours.")
    ] = False,
    region: Annotated[Region, typer.Option(help="Where pictures are changed.")] = Region.WHOLE,
    style_scale: Annotated[float | None, typer.Option(help="Size of strokes, 0.25 to 4.")] = None,
    seed: Seed = 0,
    format: Format = "",  # noqa: A002  # the protocol's own word for it
    quality: Quality = 0,
    long_side: LongSide = 0,
    deadline: Deadline = DEADLINE_SECONDS,
    receipt: ReceiptFile = None,
    json: Json = False,
) -> None:
    """Stylise pictures through the gateway."""
    chosen = [parse_style(text) for text in style or ()]
    chosen += [WeightedStyle(source=path) for path in style_picture or ()]
    if not chosen:
        raise typer.BadParameter("give --style or --style-picture")
    connection: Connection = context.obj
    outputs = Outputs(out, inputs)
    with connection.client() as client:
        call = client.stylize(
            inputs,
            chosen,
            strength=strength,
            preserve_colour=preserve_colour,
            region=region,
            masks=mask or (),
            style_scale=style_scale,
            seed=seed,
            format=format,
            quality=quality,
            long_side_pixels_max=long_side,
            deadline_seconds=deadline,
        )
        with accounted(call, connection, receipt):
            failures = receive(call, inputs, outputs, json=json)
    if failures:
        raise typer.Exit(1)


def parse_style(text: str) -> WeightedStyle:
    """Read NAME or NAME:WEIGHT.

    Raises:
        typer.BadParameter: the weight is no number.
    """
    name, colon, weight = text.partition(":")
    try:
        return WeightedStyle(source=name, weight=float(weight) if colon else 1.0)
    except ValueError:
        message = "a style is NAME or NAME:WEIGHT with a number as weight"
        raise typer.BadParameter(message) from None


def receive(call: Call[Result, Never], inputs: list[Path], outputs: Outputs, *, json: bool) -> int:
    """Write each result as it arrives; return how many pictures failed."""
    failures = 0
    with bar(len(inputs), "stylising") as progress:
        for result in call:
            progress.advance(inputs[result.index].name)
            failures += report(result, inputs[result.index], outputs, json=json)
    return failures


def report(result: Result, source: Path, outputs: Outputs, *, json: bool) -> int:
    """Write one result and say so; return 1 for a picture that failed, else 0."""
    if isinstance(result, FailedPicture):
        if json:
            answer_json(
                {
                    "input": str(source),
                    "status": "failed",
                    "reason": result.reason,
                    "message": result.message,
                    "field": result.field,
                }
            )
        else:
            complain(f"{source}: {result.reason}: {result.message}")
        return 1
    path = outputs.write(result.index, result.data, result.media_type)
    if json:
        answer_json(
            {
                "input": str(source),
                "status": "ok",
                "output": str(path),
                "media_type": result.media_type,
                "width_pixels": result.width_pixels,
                "height_pixels": result.height_pixels,
                "bytes": len(result.data),
                "milliseconds": round(result.elapsed_seconds * 1000, 1),
            }
        )
    else:
        size = f"{result.width_pixels} x {result.height_pixels}"
        say(f"{path}  {size}  {result.elapsed_seconds * 1000:.0f} ms")
    return 0
