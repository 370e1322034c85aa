"""The contact sheet: every input beside its result, with a caption, as one JPEG."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from batchpix_client.demo import Shown

WIDTH_PIXELS = 2010  # of the sheet: two landscape pairs fill a row
PICTURE_PIXELS = 320  # height of every picture
GAP_PIXELS = 6  # between the two pictures of a pair
MARGIN_PIXELS = 24  # around a pair
CAPTION_PIXELS = 44  # height of two lines of text
FONT_PIXELS = 16
PAPER = (250, 249, 246)
INK = (38, 38, 38)
FAINT = (120, 120, 120)
JPEG_QUALITY = 90

Corner = tuple[int, int]
"""Left and top on the sheet, in pixels."""


def write_sheet(shown: Sequence[Shown], path: Path) -> None:
    """Draw all pairs and write them as JPEG.

    Raises:
        OSError: the file cannot be written.
    """
    pairs = [draw_pair(each) for each in shown]
    corners = flow([pair.width for pair in pairs])
    height = max((top for _, top in corners), default=0) + row_pixels()
    sheet = Image.new("RGB", (WIDTH_PIXELS, height), PAPER)
    for pair, corner in zip(pairs, corners, strict=True):
        sheet.paste(pair, corner)
    sheet.save(path, quality=JPEG_QUALITY, optimize=True)


def flow(widths: Sequence[int]) -> list[Corner]:
    """Place pairs of these widths from left to right, in as many rows as they need."""
    corners: list[Corner] = []
    left, top = MARGIN_PIXELS, MARGIN_PIXELS
    for width in widths:
        if left > MARGIN_PIXELS and left + width + MARGIN_PIXELS > WIDTH_PIXELS:
            left, top = MARGIN_PIXELS, top + row_pixels()
        corners.append((left, top))
        left += width + MARGIN_PIXELS
    return corners


def row_pixels() -> int:
    """Height of a row with the margin beneath it."""
    return PICTURE_PIXELS + CAPTION_PIXELS + MARGIN_PIXELS


def draw_pair(shown: Shown) -> Image.Image:
    """Draw input and result side by side, and their caption beneath."""
    with Image.open(shown.source) as source, Image.open(io.BytesIO(shown.result.data)) as result:
        before, after = fitted(source), fitted(result)
    size = (before.width + GAP_PIXELS + after.width, PICTURE_PIXELS + CAPTION_PIXELS)
    pair = Image.new("RGB", size, PAPER)
    pair.paste(before, (0, 0))
    pair.paste(after, (before.width + GAP_PIXELS, 0))
    draw = ImageDraw.Draw(pair)
    font = ImageFont.load_default(FONT_PIXELS)
    draw.text((0, PICTURE_PIXELS + 4), shown.caption, INK, font)
    draw.text((0, PICTURE_PIXELS + 6 + FONT_PIXELS), shown.source.stem, FAINT, font)
    return pair


def fitted(picture: Image.Image) -> Image.Image:
    """Scale a picture to the height that all have; one that is very wide stays on the sheet."""
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    widest = (WIDTH_PIXELS - 2 * MARGIN_PIXELS - GAP_PIXELS) // 2
    return ImageOps.contain(upright, (widest, PICTURE_PIXELS), Image.Resampling.LANCZOS)
