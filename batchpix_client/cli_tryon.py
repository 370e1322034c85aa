"""The command `tryon`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from batchpix_client.calls import Call
from batchpix_client.channels import configuration_error
from batchpix_client.cli_calls import (
    Deadline,
    Json,
    LongSide,
    Quality,
    ReceiptFile,
    Seed,
    accounted,
    parse_point,
    tell,
)
from batchpix_client.cli_console import bar
from batchpix_client.cli_dance import PersonPoint
from batchpix_client.connection import Connection
from batchpix_client.errors import BatchpixError
from batchpix_client.jobs.job import DEADLINE_SECONDS
from batchpix_client.jobs.tryon import Category, Garment, Tuck
from batchpix_client.outputs import Outputs
from batchpix_client.results import DressedPicture, EditMask, GarmentFound, Progress, TryOnPart

FOUND = "auto"  # a category that the service is to find
FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tryon)


def tryon(  # noqa: PLR0917  # a command's options are its arguments
    context: typer.Context,
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Photo of a person.")],
    garments: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="Pictures of 1 to 4 garments."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="File of the result, or a folder.")],
    mask_out: Annotated[
        Path | None, typer.Option(help="Write the edit mask here (PNG): 255 = may have changed.")
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CATEGORY",
            help=f"Of the garment at the same place: {', '.join([FOUND, *Category])}.",
        ),
    ] = None,
    tuck: Annotated[Tuck | None, typer.Option(help="How tops meet what is below.")] = None,
    person: PersonPoint = None,
    format: Annotated[  # noqa: A002  # the protocol's own word for it
        str, typer.Option(help="jpeg, png or webp; else as the output's name says.")
    ] = "",
    quality: Quality = 0,
    long_side: LongSide = 0,
    seed: Seed = 0,
    deadline: Deadline = DEADLINE_SECONDS,
    receipt: ReceiptFile = None,
    json: Json = False,
) -> None:
    """Put garments on the person of a photo, through the gateway."""
    outputs = Outputs(out, [photo])
    connection: Connection = context.obj
    with connection.client() as client:
        call = client.try_on(
            photo,
            [*known_garments(garments, category or (), tuck)],
            person=parse_point(person),
            mask_wanted=mask_out is not None,
            seed=seed,
            format=format or FORMATS.get(out.suffix.lower(), ""),
            quality=quality,
            long_side_pixels_max=long_side,
            deadline_seconds=deadline,
        )
        with accounted(call, connection, receipt):
            dressed, mask = receive(call, photo)
    path = outputs.write(0, dressed.data, dressed.media_type)
    if mask_out is not None:
        write_mask(mask, mask_out)
    report(photo, path, dressed, call.found, json=json)


def known_garments(
    pictures: Sequence[Path], categories: Sequence[str], tuck: Tuck | None
) -> list[Garment]:
    """Put together what is known of each garment.

    Raises:
        typer.BadParameter: more categories than garments, or one that nobody knows.
    """
    if len(categories) > len(pictures):
        raise typer.BadParameter("there are more categories than garments")
    known = [parse_category(text) for text in categories]
    known += [None] * (len(pictures) - len(known))
    return [
        Garment(picture=picture, category=category, tuck=tuck)
        for picture, category in zip(pictures, known, strict=True)
    ]


def parse_category(text: str) -> Category | None:
    """Read a category; None = it is to be found.

    Raises:
        typer.BadParameter: nobody knows it.
    """
    try:
        return None if text == FOUND else Category(text)
    except ValueError:
        known = ", ".join([FOUND, *Category])
        raise typer.BadParameter(f"a category is one of {known}") from None


def receive(
    call: Call[TryOnPart, GarmentFound], photo: Path
) -> tuple[DressedPicture, EditMask | None]:
    """Take the finished picture, and the mask if one came.

    Raises:
        BatchpixError: the call failed, or brought no picture.
    """
    with bar(0, photo.name) as progress:

        def show(step: Progress) -> None:
            progress.reach(step.done, step.total, step.stage)

        parts = list(call.watch(show).to_the_end())
    dressed = [part for part in parts if isinstance(part, DressedPicture)]
    masks = [part for part in parts if isinstance(part, EditMask)]
    if not dressed:
        raise BatchpixError("DATA_LOSS", "RESULT_MISSING", "the call brought no picture")
    return dressed[0], masks[0] if masks else None


def write_mask(mask: EditMask | None, path: Path) -> None:
    """Write the edit mask.

    Raises:
        BatchpixError: none came.
        OSError: it cannot be written.
    """
    if mask is None:
        raise BatchpixError("DATA_LOSS", "RESULT_MISSING", "the call brought no mask")
    if path.is_dir():
        raise configuration_error("the mask needs a file", "mask_out")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mask.data)


def report(
    photo: Path,
    path: Path,
    dressed: DressedPicture,
    found: Sequence[GarmentFound],
    *,
    json: bool,
) -> None:
    """Say what came back, and what the garments were taken for."""
    categories = [garment.category for garment in found]
    document = {
        "input": str(photo),
        "status": "ok",
        "output": str(path),
        "media_type": dressed.media_type,
        "width_pixels": dressed.width_pixels,
        "height_pixels": dressed.height_pixels,
        "bytes": len(dressed.data),
        "milliseconds": round(dressed.elapsed_seconds * 1000, 1),
        "garments": categories,
    }
    size = f"{dressed.width_pixels} x {dressed.height_pixels}"
    line = f"{path}  {size}  {dressed.elapsed_seconds * 1000:.0f} ms  {', '.join(categories)}"
    tell(document, line.rstrip(), json=json)
