"""The pieces that a garment is cut into before each is laid on its part of the body."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from services.tryon.body import Side
from services.tryon.warp import Mesh


class Part(Enum):
    """What a piece of a garment is."""

    TRUNK = auto()
    SLEEVE = auto()
    LEG = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of a garment, laid on the body.

    Attributes:
        part: what it is.
        side: whose arm or leg; None for the trunk.
        mesh: cloth to crop.
        cover: hxw uint8 over the cloth: the garment's cover, this piece alone.
        inside: hxw uint8 over the cloth, 255 where the inner back shows through the neckline, or
            None.
        ends_at: true distance along the limb at which a sleeve or leg ends, in pixels of the crop;
            0 for the trunk.
    """

    part: Part
    side: Side | None
    mesh: Mesh
    cover: NDArray[np.uint8]
    inside: NDArray[np.uint8] | None = None
    ends_at: float = 0.0
