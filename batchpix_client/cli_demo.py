"""The command `demo`: a private mesh, the sample pictures, a gallery, and nothing left running."""

import tempfile
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from batchpix_client.cli_console import answer_json, answer_table, bar, say
from batchpix_client.cli_mesh import ending_signals
from batchpix_client.demo.gallery import PAGE_FILE, SHEET_FILE, write_gallery
from batchpix_client.demo.plan import Shown, find_samples
from batchpix_client.demo.programme import Programme
from batchpix_client.errors import BatchpixError
from batchpix_client.mesh import LocalMesh

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
LOG_LINES_KEPT = 40  # shown when the demonstration fails
Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for results and contact sheet.")] = Path("out"),
    samples: Annotated[
        Path, typer.Option(help="Folder of sample pictures.", show_default="the project's own")
    ] = SAMPLES,
    json: Json = False,
) -> None:
    """Start a mesh of its own, send the sample pictures through it and show what came back."""
    log: deque[str] = deque(maxlen=LOG_LINES_KEPT)
    with ending_signals(), tempfile.TemporaryDirectory(prefix="batchpix-demo-") as home:
        try:
            shown = demonstrate(Path(home), samples, log)
        except BatchpixError:
            for line in log:
                say(line)
            raise
    write_gallery(shown, out)
    report(shown, json=json)
    say(f"Every receipt holds. See {out / PAGE_FILE} and {out / SHEET_FILE}.")


def demonstrate(home: Path, samples: Path, log: deque[str]) -> list[Shown]:
    """Run the calls of the demonstration against a mesh that lives as long as they take.

    Raises:
        BatchpixError: the mesh did not come up, or a call failed.
    """
    pictures = find_samples(samples)
    say("Starting services and gateway ...")
    mesh = LocalMesh(home, log_line=lambda name, line: log.append(f"{name:8} {line}"))
    with mesh, mesh.client() as client:
        keys = [path.read_text(encoding="utf-8") for path in mesh.profile.receipt_keys]
        programme = Programme(client, pictures, tuple(mesh.profile.internal), keys)
        with bar(programme.count, "starting") as progress:
            return list(programme.run(progress.advance))


def report(shown: list[Shown], *, json: bool) -> None:
    """Print a line for each result."""
    if not json:
        rows = [table_row(each) for each in shown]
        headings = ("feature", "input", "what was done", "size", "first ms", "all ms", "bytes")
        answer_table(headings, rows)
        return
    for each in shown:
        answer_json(
            {
                "feature": each.feature,
                "picture": each.inputs[0].name,
                "style": each.caption,
                "media_type": each.media_type,
                "width_pixels": each.width_pixels,
                "height_pixels": each.height_pixels,
                "first_milliseconds": round(each.first_seconds * 1000, 1),
                "milliseconds": round(each.elapsed_seconds * 1000, 1),
                "bytes": len(each.data),
            }
        )


def table_row(shown: Shown) -> tuple[str, ...]:
    """Write one result as cells."""
    return (
        shown.feature,
        shown.inputs[0].name,
        shown.caption,
        f"{shown.width_pixels} x {shown.height_pixels}",
        f"{shown.first_seconds * 1000:.0f}",
        f"{shown.elapsed_seconds * 1000:.0f}",
        f"{len(shown.data):,}",
    )
