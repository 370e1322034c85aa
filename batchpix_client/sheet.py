"""The contact sheet: every input beside its result, with a caption, as one JPEG."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from batchpix_client.demo import Shown

COLUMNS = 4  # pairs in a row
CELL_PIXELS = 260  # width and height of a picture's place
GAP_PIXELS = 6  # between the two pictures of a pair
MARGIN_PIXELS = 22  # around a pair
CAPTION_PIXELS = 40  # two lines of text
FONT_PIXELS = 15
PAPER = (250, 249, 246)
INK = (38, 38, 38)
FAINT = (120, 120, 120)
JPEG_QUALITY = 90

PAIR_PIXELS = 2 * CELL_PIXELS + GAP_PIXELS


def write_sheet(shown: Sequence[Shown], path: Path) -> None:
    """Draw all pairs in rows and write them as JPEG.

    Raises:
        OSError: the file cannot be written.
    """
    rows = -(-len(shown) // COLUMNS)
    width = COLUMNS * (PAIR_PIXELS + MARGIN_PIXELS) + MARGIN_PIXELS
    height = rows * (CELL_PIXELS + CAPTION_PIXELS + MARGIN_PIXELS) + MARGIN_PIXELS
    sheet = Image.new("RGB", (width, height), PAPER)
    for place, each in enumerate(shown):
        row, column = divmod(place, COLUMNS)
        left = MARGIN_PIXELS + column * (PAIR_PIXELS + MARGIN_PIXELS)
        top = MARGIN_PIXELS + row * (CELL_PIXELS + CAPTION_PIXELS + MARGIN_PIXELS)
        draw_pair(sheet, each, (left, top))
    sheet.save(path, quality=JPEG_QUALITY, optimize=True)


def draw_pair(sheet: Image.Image, shown: Shown, corner: tuple[int, int]) -> None:
    """Draw input and result side by side, and their caption beneath.

    Args:
        sheet: RGB, drawn upon.
        shown: what to draw.
        corner: left and top of the pair on the sheet, in pixels.
    """
    left, top = corner
    with Image.open(shown.source) as source, Image.open(io.BytesIO(shown.result.data)) as result:
        paste_fitted(sheet, source, (left, top))
        paste_fitted(sheet, result, (left + CELL_PIXELS + GAP_PIXELS, top))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(FONT_PIXELS)
    below = top + CELL_PIXELS + GAP_PIXELS
    draw.text((left, below), shown.caption, INK, font)
    draw.text((left, below + FONT_PIXELS + 3), shown.source.stem, FAINT, font)


def paste_fitted(sheet: Image.Image, picture: Image.Image, corner: tuple[int, int]) -> None:
    """Scale a picture into a cell, whole and centred."""
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    fitted = ImageOps.contain(upright, (CELL_PIXELS, CELL_PIXELS), Image.Resampling.LANCZOS)
    left = corner[0] + (CELL_PIXELS - fitted.width) // 2
    top = corner[1] + (CELL_PIXELS - fitted.height) // 2
    sheet.paste(fitted, (left, top))
