"""The gallery: results, copies of their inputs and a page that shows them side by side."""

import html
import shutil
from collections.abc import Sequence
from pathlib import Path

from batchpix_client.demo import Shown
from batchpix_client.outputs import SUFFIXES
from batchpix_client.sheet import write_sheet

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
  .pair {{ display: grid; gap: 4px; grid-template-columns: 1fr 1fr; }}
  img {{ display: block; height: auto; width: 100%; border-radius: 4px; }}
  figcaption {{ padding-top: .4rem; }}
  small {{ display: block; opacity: .7; }}
</style>
<h1>Photos and what became of them</h1>
<p>Left the photo, right the result. Every picture went through the gateway over TLS, and the
erasure receipt of every call was verified. <a href="{sheet}">All on one sheet</a>.</p>
<main>
{figures}
</main>
</html>
"""

FIGURE = """<figure>
  <div class="pair">
    <a href="{source}"><img src="{source}" alt="{name}, the photo" loading="lazy"></a>
    <a href="{result}"><img src="{result}" alt="{name}, {caption}" loading="lazy"></a>
  </div>
  <figcaption>{caption}<small>{name}, {width} x {height}, {milliseconds} ms</small></figcaption>
</figure>"""


def write_gallery(shown: Sequence[Shown], folder: Path) -> None:
    """Write results, inputs, the page and the contact sheet; results of an earlier run go.

    Raises:
        OSError: the folder cannot be written to.
    """
    for name in (INPUT_FOLDER, RESULT_FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    figures = [write_pair(place, each, folder) for place, each in enumerate(shown, start=1)]
    page = PAGE.format(figures="\n".join(figures), sheet=SHEET_FILE)
    (folder / PAGE_FILE).write_text(page, encoding="utf-8")
    write_sheet(shown, folder / SHEET_FILE)


def write_pair(number: int, shown: Shown, folder: Path) -> str:
    """Write one result beside a copy of its input; return its figure for the page."""
    result = shown.result
    manner = "".join(sign if sign.isalnum() else "_" for sign in shown.caption)
    suffix = SUFFIXES.get(result.media_type, shown.source.suffix)
    source = Path(INPUT_FOLDER) / shown.source.name
    target = Path(RESULT_FOLDER) / f"{number:02}_{shown.source.stem}_{manner}{suffix}"
    shutil.copyfile(shown.source, folder / source)
    (folder / target).write_bytes(result.data)
    return FIGURE.format(
        source=html.escape(source.as_posix()),
        result=html.escape(target.as_posix()),
        name=html.escape(shown.source.stem.replace("_", " ")),
        caption=html.escape(shown.caption),
        width=result.width_pixels,
        height=result.height_pixels,
        milliseconds=round(result.elapsed_seconds * 1000),
    )
