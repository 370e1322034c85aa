"""A garment's pieces sampled where they lie on the crop."""

from dataclasses import dataclass

import numpy as np

from services.tryon import canvas
from services.tryon.body import SIDES, TORSO, Side, Wearer
from services.tryon.canvas import Chosen, Pixels, Plane
from services.tryon.cloth import Cloth
from services.tryon.limb import along_arm, find_limb
from services.tryon.pieces import Part, Piece
from services.tryon.warp import backward_maps

# Gaps between pieces up to twice this width, in spans, are closed.
SEAM_REACH = 0.11
# Down an arm they are closed to this share of the upper arm.
SEAM_ALONG = 0.35
GAP_SIGMA = 0.7
# Soft edges take so many pixels from beyond a gap.
GAP_REACH = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A piece as it lies on the crop; arrays are as large as its window.

    Attributes:
        piece: what it is.
        window: rows and columns of the crop.
        colour: hxwx3 uint8 RGB.
        cover: hxw float32, 0..1.
        inside: hxw float32, 0..1, its inner back that shows through the neckline.
    """

    piece: Piece
    window: tuple[slice, slice]
    colour: Pixels
    cover: Plane
    inside: Plane | None


def draw(cloth: Cloth, pieces: list[Piece], wearer: Wearer) -> list[Drawn]:
    """Sample the pieces of a garment where they lie."""
    drawn = []
    for piece in pieces:
        window = window_of(piece, wearer)
        shape = window[0].stop - window[0].start, window[1].stop - window[1].start
        if 0 in shape:
            continue
        map_x, map_y = backward_maps(piece.mesh, shape, (window[0].start, window[1].start))
        cover = canvas.sampled(piece.cover, map_x, map_y).astype(np.float32) / 255.0
        inside = None
        if piece.inside is not None:
            share = canvas.sampled(piece.inside, map_x, map_y).astype(np.float32) / 255.0
            inside, cover = share * cover, (1.0 - share) * cover
        colour = canvas.sampled(cloth.colour, map_x, map_y)
        drawn.append(Drawn(piece=piece, window=window, colour=colour, cover=cover, inside=inside))
    return drawn


def seams_closed(drawn: list[Drawn], wearer: Wearer) -> list[Drawn]:
    """Close narrow gaps between the pieces of a garment, where the body would show, with cloth."""
    union = united(drawn, wearer.shape)
    reach = SEAM_REACH * wearer.span
    window = canvas.bounds(union, round(2 * reach))
    solid = np.ascontiguousarray(union[window] > 0.9)
    if not solid.any():
        return drawn
    gap = closed(solid, reach) & ~solid
    near = wearer.body == TORSO
    for side in SIDES:
        along = along_arm(wearer, side)
        near |= (along >= 0) & (along < SEAM_ALONG * find_limb(wearer, "arm", side).lengths[0])
    gap &= near[window]
    if not gap.any():
        return drawn
    whole = np.zeros((*wearer.shape, 3), np.float32)
    for layer in drawn:
        part = whole[layer.window]
        part += (layer.colour - part) * layer.cover[:, :, None]
    near = canvas.bounds(gap, round(2 * reach))
    colour = np.rint(whole[window]).astype(np.uint8)
    open_to = canvas.grown(gap[near], GAP_REACH) & ~solid[near]
    colour[near] = canvas.run_on(colour[near], solid[near], open_to)
    trunk = next((layer for layer in drawn if layer.piece.part is Part.TRUNK), drawn[0])
    cover = canvas.softened(gap, GAP_SIGMA)
    seam = Drawn(piece=trunk.piece, window=window, colour=colour, cover=cover, inside=None)
    return [*drawn, seam]


def closed(solid: Chosen, reach: float) -> Chosen:
    """Close what is no wider than twice the reach; every other row and column tells it."""
    small = np.ascontiguousarray(solid[::2, ::2])
    small = canvas.shrunk(canvas.grown(small, reach / 2), reach / 2)
    return small.repeat(2, 0).repeat(2, 1)[: solid.shape[0], : solid.shape[1]]


def window_of(piece: Piece, wearer: Wearer) -> tuple[slice, slice]:
    """Return the rows and columns of the crop that a piece may cover."""
    low, high = np.floor(piece.mesh.target.min(axis=0)), np.ceil(piece.mesh.target.max(axis=0))
    left, top = np.clip(low, 0, wearer.shape[::-1]).astype(int)
    right, bottom = np.clip(high + 1, 0, wearer.shape[::-1]).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def united(drawn: list[Drawn], shape: tuple[int, int]) -> Plane:
    """Return what all pieces cover together, HxW 0..1."""
    union = np.zeros(shape, np.float32)
    for layer in drawn:
        np.maximum(union[layer.window], layer.cover, out=union[layer.window])
    return union


def sleeve_ends(drawn: list[Drawn]) -> dict[Side, float]:
    """Tell how far down each arm the garment reaches; 0 without a sleeve."""
    ends = dict.fromkeys(SIDES, 0.0)
    for layer in drawn:
        if layer.piece.part is Part.SLEEVE and layer.piece.side is not None:
            ends[layer.piece.side] = layer.piece.ends_at
    return ends
