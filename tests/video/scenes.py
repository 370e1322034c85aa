"""Pictures with a depth that is known, and stand-ins for what finds and paints it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.chassis.memory.arena import Arena
from services.video.fields import Field, Pixels

SIZE = (72, 96)
SUBJECT = (slice(20, 60), slice(36, 60))


def texture(height: int, width: int, seed: int = 1) -> Pixels:
    """Draw a smooth, lively picture in which no value is dark: a hole would show."""
    random = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(random.normal(size=(height, width, 3)), (0, 0), 2.0)
    return np.clip(150 + 160 * noise, 90, 220).astype(np.uint8)


def scene() -> Pixels:
    """Draw a red subject in front of a texture that has little red."""
    picture = texture(*SIZE)
    picture[:, :, 0] //= 2
    picture[SUBJECT] = texture(*SIZE, seed=2)[SUBJECT] // 2 + (120, 0, 0)
    return np.maximum(picture, 40)


def step(picture: Pixels) -> Field:
    """Tell the depth of `scene`: a subject in front of a ground that rises to the horizon."""
    height, width = picture.shape[:2]
    depth = np.repeat(np.linspace(0.0, 0.4, height, dtype=np.float32)[:, None], width, axis=1)
    if (height, width) == SIZE:
        depth[SUBJECT] = 0.9
    return depth


class KnownDepth:
    """A depth finder for which every picture is `scene`."""

    engine = "fake"

    def depth(self, pixels: Pixels, arena: Arena) -> Field:
        """See `step`."""
        depth = arena.array(pixels.shape[:2], np.float32)
        depth[:] = step(pixels)
        return depth

    def fit_depth_map(
        self, depth_map: NDArray[np.uint8 | np.uint16], pixels: Pixels, arena: Arena
    ) -> Field:
        """Take the map as it is, at the picture's size."""
        depth = arena.array(pixels.shape[:2], np.float32)
        levels = depth_map.astype(np.float32) / np.iinfo(depth_map.dtype).max
        depth[:] = cv2.resize(levels, depth.shape[::-1], interpolation=cv2.INTER_AREA)
        return depth
