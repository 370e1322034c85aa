"""A pose as angles of bones and a shift of the root.

A pose knows no body: angles are the same for everybody, and shifts count in leg lengths.
"""

from enum import IntEnum, auto
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.skeleton import Limb

Pose: TypeAlias = NDArray[np.float64]
"""One value for each `Channel`; or Nx that, one row a frame."""


class Channel(IntEnum):
    """A number of a pose. Angles in degrees; left is the dancer's own left.

    An arm's bone hangs at 0, points straight out at 90 and up at 180, across the body below 0; its
    tilt turns it towards the viewer. Feet count outwards and upwards from where they stand.
    """

    SHIFT = 0
    """Hips to the left, in leg lengths."""
    DROP = auto()
    """Hips down, in leg lengths."""
    LEAN = auto()
    """Chest to the left."""
    SWAY = auto()
    """Hips tilted, the left one up."""
    CHEST_TURN = auto()
    """Chest turned, its left towards the viewer."""
    HIP_TURN = auto()
    """Hips turned, likewise."""
    PITCH = auto()
    """Trunk bent towards the viewer."""
    HEAD_ROLL = auto()
    """Head to the left."""
    SHRUG = auto()
    """Shoulders up, in leg lengths."""
    LEFT_UPPER = auto()
    LEFT_FORE = auto()
    LEFT_UPPER_TILT = auto()
    LEFT_FORE_TILT = auto()
    RIGHT_UPPER = auto()
    RIGHT_FORE = auto()
    RIGHT_UPPER_TILT = auto()
    RIGHT_FORE_TILT = auto()
    LEFT_FOOT_OUT = auto()
    LEFT_FOOT_UP = auto()
    LEFT_FOOT_TURN = auto()
    """Toes outwards."""
    LEFT_KNEE = auto()
    """Where a bent knee points: 0 at the viewer, 90 outwards, -90 inwards."""
    RIGHT_FOOT_OUT = auto()
    RIGHT_FOOT_UP = auto()
    RIGHT_FOOT_TURN = auto()
    RIGHT_KNEE = auto()


CHANNELS = len(Channel)
ARM_CHANNELS = {
    Limb.LEFT_ARM: slice(Channel.LEFT_UPPER, Channel.LEFT_FORE_TILT + 1),
    Limb.RIGHT_ARM: slice(Channel.RIGHT_UPPER, Channel.RIGHT_FORE_TILT + 1),
}
FOOT_CHANNELS = {
    Limb.LEFT_LEG: slice(Channel.LEFT_FOOT_OUT, Channel.LEFT_KNEE + 1),
    Limb.RIGHT_LEG: slice(Channel.RIGHT_FOOT_OUT, Channel.RIGHT_KNEE + 1),
}
# Channels that point to one side, and so change sign in a mirror.
SIDED = [
    Channel.SHIFT,
    Channel.LEAN,
    Channel.SWAY,
    Channel.CHEST_TURN,
    Channel.HIP_TURN,
    Channel.HEAD_ROLL,
]
# Feet below this height, in leg lengths, stand.
PLANTED_MAX = 1e-3


def mirrored(pose: Pose) -> Pose:
    """Return a pose's mirror image; also of many, one a row."""
    swapped = pose.copy()
    for left, right in (tuple(ARM_CHANNELS.values()), tuple(FOOT_CHANNELS.values())):
        swapped[..., left], swapped[..., right] = pose[..., right], pose[..., left]
    swapped[..., SIDED] *= -1
    return swapped
