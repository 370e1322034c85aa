"""Sleeves and trouser legs laid along arms and legs."""

import numpy as np
from numpy.typing import NDArray

from services.tryon.body import Point, Wearer, unit
from services.tryon.limb import Limb, limb_edges, outer_normals
from services.tryon.probe import smooth

# Cloth goes round a limb: a little wider than it, and at most so much.
LIMB_EASE = 1.05
LIMB_LOOSE_MAX = 2.2
# A sleeve's edge has gone over from its seam to the arm after this share of the upper arm.
SEAM_FADE = 0.25
# An arm is as wide as further down from this share of the upper arm on.
SHOULDER_CAP = 0.22
# A sleeve is as wide as it is cut from this share of the upper arm on.
CLOSE_CAP = 0.6
# A mesh goes on before its seam and behind its opening by these shares of a section.
BEFORE, BEHIND = 0.9, 0.6


def limb_target(
    wearer: Wearer,
    limb: Limb,
    seam: tuple[Point, Point],
    end: float,
    own_widths: NDArray[np.float64],
    loose_max: float = LIMB_LOOSE_MAX,
) -> NDArray[np.float64]:
    """Place the sections of a sleeve or trouser leg along a limb, at least as wide as it.

    Args:
        seam: outer and inner end of the first section.
        end: true distance along the limb of the last one.
        own_widths: widths of the sections as the cloth has them, in pixels of the crop.
        loose_max: most width, as a share of the limb's.

    Returns:
        K x 2 x 2: outer and inner end of each section.
    """
    forward = unit(limb.joints[1] - limb.joints[0])
    seen = float(np.linalg.norm(limb.joints[1] - limb.joints[0])) / limb.lengths[0]
    sides = []
    for number, start in enumerate(seam):
        begin = float((start - limb.joints[0]) @ forward) / max(seen, 0.2)
        begin = float(np.clip(begin, -0.1 * limb.lengths[0], 0.6 * limb.lengths[0]))
        alongs = np.linspace(min(begin, 0.9 * end), end, len(own_widths))
        edges = limb_edges(wearer, limb, alongs)
        body = smooth(edges[:, 0]), smooth(edges[:, 1])
        total = (body[0] + body[1]) * LIMB_EASE + 2.0
        spare = np.clip(own_widths, total, loose_max * total) - (body[0] + body[1])
        if number == 0 and limb.kind == "arm":
            # On the shoulder cloth lies close; further down it hangs off.
            spare = spare * np.clip(alongs / (CLOSE_CAP * limb.lengths[0]), 0.0, 1.0)
        widths = body[number] + spare / 2
        if number == 0 and limb.kind == "arm":
            # The shoulder is round.
            rest = np.clip(1 - alongs / (SHOULDER_CAP * limb.lengths[0]), 0.0, 1.0)
            widths = widths * np.sqrt(1 - rest**2)
        places, directions = limb.at(alongs)
        normals = outer_normals(limb, directions)
        edge = places + (normals if number == 0 else -normals) * widths[:, None]
        fade = np.clip(1 - (alongs - alongs[0]) / (SEAM_FADE * limb.lengths[0]), 0.0, 1.0)
        edge += (start - edge[0]) * (fade**2)[:, None]
        edge[1:-1] = (edge[:-2] + 2 * edge[1:-1] + edge[2:]) / 4
        sides.append(edge)
    return np.stack(sides, axis=1)


def extended(sections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add a section past each end, so that seam and opening keep their own soft edges."""
    first = sections[0] + BEFORE * (sections[0] - sections[1])
    last = sections[-1] + BEHIND * (sections[-1] - sections[-2])
    return np.concatenate([first[None], sections, last[None]])
