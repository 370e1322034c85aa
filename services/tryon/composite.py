"""An edit laid over the photo, at the photo's own size and in bounded memory."""

import numpy as np

from services.tryon import canvas
from services.tryon.canvas import Pixels, Plane
from services.tryon.edit import Edit
from services.vision.frame import Window

BAND_ROWS = 256
# Cover, and shade, that round to nothing.
NOTHING = 1.5 / 255


def lay_over(edit: Edit, window: Window, pixels: Pixels, mask: Pixels) -> None:
    """Lay an edit over its window of the photo in place, and note in the mask what may differ.

    Args:
        edit: at the size of the work.
        window: of the photo that was worked on.
        pixels: the photo, HxWx3 uint8.
        mask: HxW uint8, set to 255 where the edit covers or shades.
    """
    scale = window.height / edit.cover.shape[0], window.width / edit.cover.shape[1]
    rows, columns = edit.window
    left, right = reach(columns, scale[1], window.width)
    top, bottom = reach(rows, scale[0], window.height)
    for start in range(top, bottom, BAND_ROWS):
        band = slice(start, min(start + BAND_ROWS, bottom)), slice(left, right)
        colour, cover, light = enlarged((edit.colour, edit.cover, edit.light), band, scale)
        place = (
            slice(band[0].start + window.top, band[0].stop + window.top),
            slice(band[1].start + window.left, band[1].stop + window.left),
        )
        changed = (cover >= NOTHING) | (light <= 1.0 - NOTHING)
        part = pixels[place]
        mixed = colour + part * ((1.0 - cover) * light)[:, :, None]
        fresh = np.clip(np.rint(mixed), 0.0, 255.0).astype(np.uint8)
        np.copyto(part, fresh, where=changed[:, :, None])
        mask[place][changed] = 255


def reach(changed: slice, scale: float, extent: int) -> tuple[int, int]:
    """Return the first pixel of a window that a change may reach, and the first beyond it."""
    if changed.stop <= changed.start:
        return 0, 0
    first, last = (changed.start - 1) * scale, (changed.stop + 1) * scale
    return max(0, int(first)), min(extent, int(last) + 1)


def enlarged(
    planes: tuple[Plane, ...], band: tuple[slice, slice], scale: tuple[float, float]
) -> tuple[Plane, ...]:
    """Return a part of planes at the photo's own size, by which they are so much smaller."""
    if scale == (1.0, 1.0):
        return tuple(plane[band] for plane in planes)
    down, right = (
        ((np.arange(part.start, part.stop, dtype=np.float32) + 0.5) / each - 0.5).astype(np.float32)
        for part, each in zip(band, scale, strict=True)
    )
    map_y, map_x = np.meshgrid(down, right, indexing="ij")
    return tuple(canvas.looked_up(plane, map_x, map_y) for plane in planes)


def opaque(alpha: Pixels | None, mask: Pixels) -> Pixels | None:
    """Make what was changed visible, in place, where the photo was transparent."""
    if alpha is not None:
        np.maximum(alpha, mask, out=alpha)
    return alpha
