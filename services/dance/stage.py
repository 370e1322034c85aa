"""What is behind and beneath the dancer: plate, contact shadow and the camera's push."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.dance.pixels import blur, lay_over
from services.dance.skeleton import LEGS, Skeleton
from services.dance.stance import Stance

Pixels: TypeAlias = NDArray[np.uint8]

BLUR_SHARE = 0.014
# A shadow's half width, and its height over its width, in leg lengths.
SHADOW_SHARE = 0.17
SHADOW_FLAT = 0.24
SHADOW_DARK = 0.42
# At this height of the foot, in leg lengths, its shadow is gone.
SHADOW_UP_MAX = 0.3


class Background(Enum):
    """What stands behind the dancer."""

    KEEP = auto()
    BLUR = auto()
    COLOUR = auto()
    TRANSPARENT = auto()


def make_plate(
    background: Background, filled: Pixels | None, colour: int, size: tuple[int, int], arena: Arena
) -> Pixels:
    """Make what every frame starts from.

    Args:
        filled: HxWx3 RGB, the photo without the person; only KEEP and BLUR need it.
        colour: 0xRRGGBB.

    Returns:
        HxWx4 premultiplied RGBA in the arena.
    """
    plate = arena.array((*size, 4), np.uint8)
    if background is Background.TRANSPARENT:
        return plate
    plate[:, :, 3] = 255
    if background is Background.COLOUR:
        plate[:, :, :3] = [(colour >> shift) & 255 for shift in (16, 8, 0)]
        return plate
    assert filled is not None
    if background is Background.BLUR:
        filled = np.asarray(blur(filled, BLUR_SHARE * max(size)), np.uint8)
    plate[:, :, :3] = filled
    return plate


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A soft spot under each foot.

    Attributes:
        spot: hxw float32, 0..1, of a foot that stands.
        ground: 2, how far down each foot's shadow lies at home, under its ankle.
        home: 2x2, ankles at home.
        leg: length of a leg.
    """

    spot: NDArray[np.float32]
    ground: NDArray[np.float64]
    home: NDArray[np.float64]
    leg: float

    def cast(self, canvas: Pixels, stance: Stance) -> None:
        """Lay the shadows of a stance on a canvas, HxWx4 premultiplied, in place."""
        for number, limb in enumerate(LEGS):
            ankle = stance.limbs[limb, 2]
            up = (self.home[number, 1] - ankle[1]) / self.leg
            strength = SHADOW_DARK * max(0.0, 1.0 - max(0.0, up) / SHADOW_UP_MAX)
            if strength > 0.0:
                toe = stance.limbs[limb, 3]
                self._lay(canvas, 0.5 * (ankle[0] + toe[0]), self.ground[number], strength)

    def _lay(self, canvas: Pixels, x: float, y: float, strength: float) -> None:
        height, width = self.spot.shape
        top, left = round(y - height / 2), round(x - width / 2)
        first, last = max(0, top), min(canvas.shape[0], top + height)
        start, stop = max(0, left), min(canvas.shape[1], left + width)
        if first >= last or start >= stop:
            return
        spot = self.spot[first - top : last - top, start - left : stop - left]
        layer = np.zeros((*spot.shape, 4), np.uint8)
        layer[:, :, 3] = np.rint(spot * (255 * strength))
        lay_over(canvas[first:last, start:stop], layer)


def make_shadow(skeleton: Skeleton, home: NDArray[np.float64]) -> Shadow:
    """Make the shadow of a body whose ankles are at home."""
    leg = skeleton.leg
    half = max(3, round(2 * SHADOW_SHARE * leg))
    tall = max(2, round(half * SHADOW_FLAT))
    x = np.linspace(-2, 2, 2 * half)[None, :]
    y = np.linspace(-2, 2, 2 * tall)[:, None]
    far = np.hypot(x, y)
    # A Gaussian that ends: beyond the spot not one pixel is touched.
    spot = np.maximum(0.0, np.exp(-(far**2)) - np.exp(-4.0)) / (1 - np.exp(-4.0))
    soles = np.array(
        [float(skeleton.limbs[limb, 3, 1] - skeleton.limbs[limb, 2, 1]) for limb in LEGS]
    )
    below = np.maximum(soles, 0.04 * leg)
    return Shadow(spot=spot.astype(np.float32), ground=home[:, 1] + below, home=home, leg=leg)
