"""The gallery: results, copies of their inputs and a page that shows them side by side."""

import html
import shutil
from collections.abc import Sequence
from pathlib import Path

from batchpix_client.demo.plan import Shown
from batchpix_client.demo.sheet import write_sheet
from batchpix_client.outputs import SUFFIXES

INPUT_FOLDER = "inputs"
RESULT_FOLDER = "results"
PAGE_FILE = "index.html"
SHEET_FILE = "contact-sheet.jpg"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Batchpix mesh: photos and what became of them</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem;
         padding: 0 1rem; }}
  main {{ display: grid; gap: 1.5rem;
         grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); }}
  figure {{ margin: 0; }}
  .row {{ display: grid; gap: 4px; grid-auto-flow: column; grid-auto-columns: 1fr; }}
  img, video {{ display: block; height: auto; width: 100%; border-radius: 4px; }}
  figcaption {{ padding-top: .4rem; }}
  small {{ display: block; opacity: .7; }}
</style>
<h1>Photos and what became of them</h1>
<p>Left what was sent, right what came back. Everything went through the gateway over TLS, and the
erasure receipt of every call was verified. <a href="{sheet}">All on one sheet</a>.</p>
<main>
{figures}
</main>
</html>
"""

FIGURE = """<figure>
  <div class="row">
{media}
  </div>
  <figcaption>{caption}<small>{name}, {width} x {height}, {milliseconds} ms</small></figcaption>
</figure>"""
PICTURE = '    <a href="{path}"><img src="{path}" alt="{name}" loading="lazy"></a>'
CLIP = '    <video src="{path}" controls loop muted playsinline preload="metadata"></video>'


def write_gallery(shown: Sequence[Shown], folder: Path) -> None:
    """Write results, inputs, the page and the contact sheet; results of an earlier run go.

    Raises:
        OSError: the folder cannot be written to.
    """
    for name in (INPUT_FOLDER, RESULT_FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    figures = [write_figure(place, each, folder) for place, each in enumerate(shown, start=1)]
    page = PAGE.format(figures="\n".join(figures), sheet=SHEET_FILE)
    (folder / PAGE_FILE).write_text(page, encoding="utf-8")
    write_sheet(shown, folder / SHEET_FILE)


def write_figure(number: int, shown: Shown, folder: Path) -> str:
    """Write one result beside copies of its inputs; return its figure for the page."""
    manner = "".join(sign if sign.isalnum() else "_" for sign in shown.caption)
    photo = shown.inputs[0]
    suffix = SUFFIXES.get(shown.media_type, photo.suffix)
    target = Path(RESULT_FOLDER) / f"{number:02}_{photo.stem}_{manner}{suffix}"
    (folder / target).write_bytes(shown.data)
    media = [PICTURE.format(**linked(copied(path, folder), path.stem)) for path in shown.inputs]
    media.append((CLIP if shown.is_clip else PICTURE).format(**linked(target, shown.caption)))
    return FIGURE.format(
        media="\n".join(media),
        name=html.escape(photo.stem.replace("_", " ")),
        caption=html.escape(shown.caption),
        width=shown.width_pixels,
        height=shown.height_pixels,
        milliseconds=round(shown.elapsed_seconds * 1000),
    )


def copied(source: Path, folder: Path) -> Path:
    """Copy an input into the gallery; return where it is, seen from there."""
    target = Path(INPUT_FOLDER) / source.name
    shutil.copyfile(source, folder / target)
    return target


def linked(path: Path, name: str) -> dict[str, str]:
    """Write a path and what is there for a page."""
    words = name.replace("_", " ")
    return {"path": html.escape(path.as_posix()), "name": html.escape(words)}
