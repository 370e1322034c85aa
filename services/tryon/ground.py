"""What is seen behind a person where clothes are taken away."""

from typing import Protocol

import numpy as np

from services.tryon import canvas
from services.tryon.body import Wearer
from services.tryon.canvas import Chosen, Pixels, Plane
from services.tryon.grain import grain

# A filling is made up from what lies so near, in spans.
FILL_REACH = 0.7
# An even ground differs by less than so many levels from its mean over so many spans; around what
# is filled evenly no more than this share of it, within so many spans, may differ by more.
EVEN_LEVELS = 7.0
EVEN_SIGMA = 0.05
UNEVEN_SHARE_MAX = 0.08
UNEVEN_SIGMA = 0.12
# A strip no deeper than this behind the person's outline, in spans, shows what is beside it,
# mirrored.
NARROW = 0.03
# Labels are exact to a pixel or two; what is cleared away reaches so much further.
CLEAR_MARGIN = 2.0
# Traces of old clothes are looked for so far beside what was known of them, in spans, and not so
# near to what stays of the person, in pixels.
TRACE_REACH = 0.07
KEPT_MARGIN = 3.0


class Filler(Protocol):
    """Makes up what lies behind a person."""

    def __call__(self, pixels: Pixels, hole: Chosen) -> Pixels:
        """Return HxWx3 uint8: the pixels with the hole filled from around it."""
        ...


def ground(
    wearer: Wearer, wanted: Chosen, hole: Chosen, fill: Filler, seed: int
) -> tuple[Pixels, Chosen]:
    """Make up what lies behind: an even ground runs on, of any other pieces are laid.

    Args:
        wanted: HxW, where it is needed; elsewhere the answer means nothing.
        hole: HxW, where the person hides the ground, which holds all that is wanted.
        fill: lays pieces.
        seed: of the grain.

    Returns:
        HxWx3 uint8, and HxW where else it is to be laid: on traces of the old clothes beside what
        was known of them, which an even ground tells.
    """
    filled, traces = wearer.pixels.copy(), np.zeros(hole.shape, np.bool_)
    if hole.all():
        return fill(filled, hole), traces
    reach = round(FILL_REACH * wearer.span)
    window = canvas.bounds(wanted, reach, ~hole)
    even, uneven = evened(wearer.pixels[window], ~hole[window], wearer.span)
    apart = canvas.largest(np.abs(wearer.pixels[window] - even)) > EVEN_LEVELS
    even += grain(wearer.pixels[window], ~hole[window], hole[window].shape, seed)[:, :, None]
    plain, rest = (np.zeros(uneven.shape, np.bool_) for _ in range(2))
    for place, piece in canvas.pieces(canvas.grown(wanted[window], CLEAR_MARGIN)):
        part = plain if uneven[place][piece].mean() < UNEVEN_SHARE_MAX else rest
        part[place] |= piece
    whole = filled[window]
    if rest.any():
        whole[:] = pieced(wearer.pixels[window], hole[window], rest, wearer.span, fill)
    kept = canvas.grown((wearer.body[window] > 0) & ~wanted[window], KEPT_MARGIN)
    apart &= canvas.grown(plain, TRACE_REACH * wearer.span) & ~kept
    traces[window] = traces_beside(apart, plain) & ~kept & ~wanted[window]
    plain |= traces[window]
    whole[plain] = np.clip(np.rint(even[plain]), 0.0, 255.0)
    return filled, traces


def traces_beside(apart: Chosen, plain: Chosen) -> Chosen:
    """Choose what differs from an even ground, and its soft edge, where it is large enough."""
    thick = canvas.grown(canvas.shrunk(apart | plain, 1), 2.0 * CLEAR_MARGIN)
    return thick & canvas.grown(apart, CLEAR_MARGIN)


def evened(pixels: Pixels, known: Chosen, span: float) -> tuple[Plane, Plane]:
    """Carry the mean of what is known on, HxWx3, and tell how much of it is not even, HxW 0..1.

    Both are smooth: every other row and column tells them.
    """
    trust = known[::2, ::2].astype(np.float32)
    colours = pixels[::2, ::2].astype(np.float32)
    even = canvas.spread(colours, trust, EVEN_SIGMA / 2 * span)
    apart = canvas.largest(np.abs(colours - even)) > EVEN_LEVELS
    uneven = canvas.spread(apart.astype(np.float32), trust, UNEVEN_SIGMA / 2 * span)
    return canvas.enlarged(even, known.shape), canvas.enlarged(uneven, known.shape)


def pieced(pixels: Pixels, hole: Chosen, wanted: Chosen, span: float, fill: Filler) -> Pixels:
    """Fill what is wanted of a hole: a mirror of what is beside narrow strips, pieces elsewhere."""
    filled = canvas.mirrored_out(pixels, ~hole)
    depth = canvas.depth_inside(hole)
    missing = np.zeros(hole.shape, np.bool_)
    for place, piece in canvas.pieces(wanted):
        if depth[place][piece].max() > NARROW * span:
            missing[place] |= piece
    if missing.any():
        near = canvas.bounds(missing, round(FILL_REACH * span))
        around = filled[near]
        around[:] = fill(np.ascontiguousarray(around), np.ascontiguousarray(missing[near]))
    return filled
