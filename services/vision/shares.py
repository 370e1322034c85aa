"""From a network's logits to how much of each class a pixel holds."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

RULED_OUT: Final = -30.0
DECISION: Final = 2.0
"""Factor of the logits: a doubt of the network is no softness of an edge."""


def rule_out(logits: Floats, kind: int) -> None:
    """Let a class of logits CxHxW, in place, have no share anywhere."""
    logits[kind] = RULED_OUT


def as_shares(logits: Floats) -> None:
    """Turn logits CxHxW in place into shares 0..1 of all classes but the ground, which gets 0."""
    logits *= DECISION
    logits -= logits[1:].max(axis=0)
    np.exp(np.minimum(logits, 0), out=logits)
    logits[0] = 0
    logits /= logits.sum(axis=0)


def level(shares: NDArray[np.uint8]) -> None:
    """Scale shares CxHxW in place so that those of a pixel add up to 255."""
    gain = 255 / np.maximum(shares.sum(axis=0, dtype=np.float32), 1)
    for share in shares:
        share[:] = np.rint(share * gain)
