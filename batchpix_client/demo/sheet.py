"""The contact sheet: inputs beside what became of them, feature by feature, as one JPEG."""

import io
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from batchpix_client.demo.plan import Shown
from batchpix_client.films import strip

WIDTH_PIXELS = 2010  # of the sheet: two landscape pairs fill a row
PICTURE_PIXELS = 320  # height of every picture, where a row of its block has room for it
GAP_PIXELS = 6  # between the pictures of a block
MARGIN_PIXELS = 24  # around a block
CAPTION_PIXELS = 44  # height of two lines of text
FONT_PIXELS = 16
HEADING_PIXELS = 34
STRIP_FRAMES = 6
PAPER = (250, 249, 246)
INK = (38, 38, 38)
FAINT = (120, 120, 120)
JPEG_QUALITY = 88

TITLES = {
    "stylize": "stylize: photos in the manner of paintings",
    "video": "video: a photo becomes a clip",
    "dance": "dance: a photo of a person dances",
    "tryon": "tryon: other clothes on the same person",
}
# Two pictures and a result, three times in a row.
HEIGHTS = {"tryon": 300}

Size = tuple[int, int]
"""Width and height, in pixels."""
Corner = tuple[int, int]
"""Left and top on the sheet, in pixels."""


def write_sheet(shown: Sequence[Shown], path: Path) -> None:
    """Draw a block for each result, under a heading for each feature, and write a JPEG.

    Raises:
        OSError: the file cannot be written.
    """
    blocks: list[Image.Image] = []
    for feature, of_feature in groupby(shown, key=lambda each: each.feature):
        blocks += [draw_heading(TITLES[feature]), *map(draw_block, of_feature)]
    corners, height = flow([block.size for block in blocks])
    sheet = Image.new("RGB", (WIDTH_PIXELS, height), PAPER)
    for block, corner in zip(blocks, corners, strict=True):
        sheet.paste(block, corner)
    sheet.save(path, quality=JPEG_QUALITY, optimize=True)


def flow(sizes: Sequence[Size]) -> tuple[list[Corner], int]:
    """Place blocks of these sizes from left to right, in as many rows as they need.

    Returns:
        A corner for each, and the height of the whole.
    """
    corners: list[Corner] = []
    left, top, row = MARGIN_PIXELS, MARGIN_PIXELS, 0
    for width, height in sizes:
        if left > MARGIN_PIXELS and left + width + MARGIN_PIXELS > WIDTH_PIXELS:
            left, top, row = MARGIN_PIXELS, top + row + MARGIN_PIXELS, 0
        corners.append((left, top))
        left, row = left + width + MARGIN_PIXELS, max(row, height)
    return corners, top + row + MARGIN_PIXELS


def draw_heading(title: str) -> Image.Image:
    """Draw a line as wide as the sheet."""
    heading = Image.new("RGB", (WIDTH_PIXELS - 2 * MARGIN_PIXELS, HEADING_PIXELS), PAPER)
    font = ImageFont.load_default(HEADING_PIXELS - 8)
    ImageDraw.Draw(heading).text((0, 0), title, INK, font)
    return heading


def draw_block(shown: Shown) -> Image.Image:
    """Draw inputs and result side by side, and their caption beneath."""
    pictures = [upright(path) for path in shown.inputs]
    if shown.is_clip:
        pictures += strip(shown.data, STRIP_FRAMES)
    else:
        pictures.append(upright(io.BytesIO(shown.data)))
    fitted = fit(pictures, HEIGHTS.get(shown.feature, PICTURE_PIXELS))
    width = sum(picture.width + GAP_PIXELS for picture in fitted) - GAP_PIXELS
    height = max(picture.height for picture in fitted)
    block = Image.new("RGB", (width, height + CAPTION_PIXELS), PAPER)
    left = 0
    for picture in fitted:
        block.paste(picture, (left, 0))
        left += picture.width + GAP_PIXELS
    draw, font = ImageDraw.Draw(block), ImageFont.load_default(FONT_PIXELS)
    draw.text((0, height + 4), shown.caption, INK, font)
    draw.text((0, height + 6 + FONT_PIXELS), shown.inputs[0].stem, FAINT, font)
    return block


def fit(pictures: Sequence[Image.Image], height: int) -> list[Image.Image]:
    """Scale pictures to one height, less where they would not fit into a row together."""
    room = WIDTH_PIXELS - 2 * MARGIN_PIXELS - GAP_PIXELS * (len(pictures) - 1)
    wide = sum(picture.width * height / picture.height for picture in pictures)
    rows = max(int(height * min(1.0, room / wide)), 1)
    return [
        picture.resize(
            (max(picture.width * rows // picture.height, 1), rows), Image.Resampling.LANCZOS
        )
        for picture in pictures
    ]


def upright(source: Path | io.BytesIO) -> Image.Image:
    """Open a picture as it is meant to be seen; what is transparent shows paper."""
    with Image.open(source) as picture:
        turned = ImageOps.exif_transpose(picture).convert("RGBA")
    paper = Image.new("RGBA", turned.size, PAPER)
    return Image.alpha_composite(paper, turned).convert("RGB")
