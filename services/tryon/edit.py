"""What a try-on changes of a photo, collected layer by layer, and nothing else.

Architecture invariant: where an edit's mask is 0 the photo stays bit for bit; face and hair are
never inside it.
"""

import numpy as np

from services.tryon import canvas
from services.tryon.canvas import Chosen, Pixels, Plane

# Cover below this rounds to nothing.
COVER_MIN = 1.5 / 255


class Edit:
    """Fresh pixels over a crop of the photo, each layer in front of those before it.

    Attributes:
        colour: HxWx3 float32, 0..255, multiplied by `cover`.
        cover: HxW float32, 0 where the photo shows, 1 where only fresh pixels do.
        light: HxW float32, what the photo's own pixels are multiplied by; 1 changes nothing.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        """Start with nothing changed."""
        self.colour: Plane = np.zeros((*shape, 3), np.float32)
        self.cover: Plane = np.zeros(shape, np.float32)
        self.light: Plane = np.ones(shape, np.float32)

    def lay(self, colour: Plane | Pixels, cover: Plane) -> None:
        """Lay fresh pixels in front.

        Args:
            colour: HxWx3, 0..255.
            cover: HxW, 0..1.
        """
        window = canvas.bounds(cover)
        self.lay_part(window, np.asarray(colour[window], np.float32), cover[window])

    def lay_part(self, window: tuple[slice, slice], colour: Plane, cover: Plane) -> None:
        """Lay fresh pixels in front within a window; colours and cover are as large as it."""
        self.colour[window] += (colour - self.colour[window]) * cover[:, :, None]
        self.cover[window] += (1.0 - self.cover[window]) * cover

    def uncover(self, cover: Plane) -> None:
        """Lay the photo itself in front again, HxW 0..1."""
        part = canvas.bounds(cover)
        rest = 1.0 - cover[part]
        self.colour[part] *= rest[:, :, None]
        self.cover[part] *= rest
        self.light[part] = 1.0 - (1.0 - self.light[part]) * rest

    def darken(self, light: Plane) -> None:
        """Shade what shows now, photo and fresh pixels alike, HxW 0..1."""
        self.colour *= light[:, :, None]
        self.light *= light

    def join(self, later: "Edit") -> None:
        """Lay a later edit over this one."""
        self.darken(later.light)
        rest = 1.0 - later.cover
        self.colour *= rest[:, :, None]
        self.colour += later.colour
        self.cover *= rest
        self.cover += later.cover

    def protect(self, kept: Chosen) -> None:
        """Take pixels out of the edit for good."""
        self.colour[kept] = 0.0
        self.cover[kept] = 0.0
        self.light[kept] = 1.0

    def over(self, pixels: Pixels) -> Pixels:
        """Return the crop with the change made, HxWx3 uint8."""
        rest = (1.0 - self.cover) * self.light
        mixed = self.colour + pixels * rest[:, :, None]
        return np.clip(np.rint(mixed), 0.0, 255.0).astype(np.uint8)

    def finish(self) -> tuple[Pixels, Pixels, Pixels]:
        """Return fresh colours HxWx3, their cover HxW and the light HxW, all uint8.

        The colours are not multiplied by the cover any more and reach over its edge.
        """
        thin = self.cover < COVER_MIN
        cover = np.rint(np.where(thin, 0.0, self.cover) * 255.0)
        colour = self.colour / np.maximum(self.cover, COVER_MIN)[:, :, None]
        colour = np.clip(np.rint(colour), 0.0, 255.0)
        light = np.clip(np.rint(self.light * 255.0), 0.0, 255.0)
        return colour.astype(np.uint8), cover.astype(np.uint8), light.astype(np.uint8)
