"""What a try-on changes of a photo, collected layer by layer, and nothing else.

Architecture invariant: where an edit's mask is 0 the photo stays bit for bit; face and hair are
never inside it.
"""

import numpy as np

from services.tryon import canvas
from services.tryon.canvas import Chosen, Pixels, Plane


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
        part = canvas.bounds(light < 1.0)
        self.colour[part] *= light[part][:, :, None]
        self.light[part] *= light[part]

    def join(self, later: "Edit") -> None:
        """Lay a later edit over this one."""
        self.darken(later.light)
        part = canvas.bounds(later.cover)
        rest = 1.0 - later.cover[part]
        self.colour[part] *= rest[:, :, None]
        self.colour[part] += later.colour[part]
        self.cover[part] *= rest
        self.cover[part] += later.cover[part]

    def protect(self, kept: Chosen) -> None:
        """Take pixels out of the edit for good."""
        part = self.window
        inside = kept[part]
        self.colour[part][inside] = 0.0
        self.cover[part][inside] = 0.0
        self.light[part][inside] = 1.0

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns that hold all that is changed."""
        return canvas.bounds((self.cover > 0.0) | (self.light < 1.0))

    def over(self, pixels: Pixels) -> Pixels:
        """Return the crop with the change made, HxWx3 uint8."""
        answer, part = pixels.copy(), self.window
        rest = (1.0 - self.cover[part]) * self.light[part]
        mixed = self.colour[part] + pixels[part] * rest[:, :, None]
        answer[part] = np.clip(np.rint(mixed), 0.0, 255.0)
        return answer
