"""A bare arm or leg: its outline where clothes hide it, and its skin laid out flat as a chart.

A chart's rows run down the limb and its columns across it. What is seen of the skin anywhere along
the limb tells how light falls across all of it; where nothing is seen, a cylinder lit as the cloth
was stands in. Close to visible skin its own colours run on and fade into the model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import HAND, HEAD, SKIN, Wearer, labelled
from services.tryon.canvas import Chosen, Plane
from services.tryon.limb import Limb, limb_edges, outer_normals
from services.tryon.probe import smooth
from services.tryon.warp import backward_maps, strip

# Half the width of bare limbs, in spans, at shares of their length.
PLACES = {
    "arm": (0.0, 0.15, 0.3, 0.4, 0.5, 0.65, 0.75, 0.85, 0.95, 1.05, 1.16),
    "leg": (0.0, 0.25, 0.35, 0.45, 0.52, 0.64, 0.70, 0.76, 0.82, 0.88, 0.95, 1.12),
}
HALF_WIDTHS = {
    "arm": (0.130, 0.137, 0.130, 0.118, 0.112, 0.111, 0.099, 0.079, 0.064, 0.062, 0.085),
    "leg": (0.26, 0.212, 0.186, 0.163, 0.155, 0.162, 0.157, 0.142, 0.120, 0.096, 0.084, 0.088),
}
# Where clothes lie closest, as shares of the limb, and how much wider than the limb they are there.
CLOSE = (0.15, 0.88)
CLOSE_QUANTILE = 0.15
CLOTH_EASE = 1.05
BUILDS = (0.82, 1.2)
# A limb is drawn so far, as shares of its length; an arm goes on into hand, a leg into its shoe.
STARTS, ENDS = -0.05, {"arm": 1.16, "leg": 1.13}
ROWS, COLUMNS = 64, 25
STEADY = 7
# Shares of a row that must be seen to go by it, and of rows to believe their light.
SEEN_SHARE = 0.4
LIGHT_ROWS = 14
# Of the limb's length: how far its own colours run on, and how much of it tells them.
RUN_ON = 0.22
TELLING_ROWS = 4
# Log brightness: of a cylinder's edges, of light that cloth shows, of what colours may run on,
# of palms over the face.
EDGE_DARKNESS = 0.34
LIGHT_SHARE, LIGHT_MAX = 0.45, 0.12
RUN_ON_MAX = 0.4
PALM_OFF = 0.6
KNEE = 0.05
LIFT = 6.0
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class BareLimb:
    """The outline of a bare limb.

    Attributes:
        limb: its bones.
        alongs: ROWS true distances along it.
        edges: ROWS x 2 x 2, the outer and the inner end of each row.
    """

    limb: Limb
    alongs: NDArray[np.float64]
    edges: NDArray[np.float64]

    def chosen(self, shape: tuple[int, int], start: float = 0.0) -> Chosen:
        """Choose what it covers, from a distance along it on; all of it from 0 on."""
        edges = self.edges[self.alongs >= start] if start > 0 else self.edges
        return canvas.polygon(shape, np.vstack([edges[:, 0], edges[::-1, 1]]))

    def chart(self, plane: NDArray[np.float32]) -> Plane:
        """Lay out HxW or HxWxC values flat, ROWS x COLUMNS."""
        share = np.linspace(0.0, 1.0, COLUMNS)[None, :, None]
        places = self.edges[:, None, 0] * (1 - share) + self.edges[:, None, 1] * share
        columns = np.clip(np.rint(places[..., 0]).astype(int), 0, plane.shape[1] - 1)
        rows = np.clip(np.rint(places[..., 1]).astype(int), 0, plane.shape[0] - 1)
        return np.asarray(plane[rows, columns], np.float32)

    def drawn(self, chart: Plane, window: tuple[slice, slice]) -> Plane:
        """Lay ROWS x COLUMNS x 3 values back on a window of the crop."""
        shape = window[0].stop - window[0].start, window[1].stop - window[1].start
        rows = np.arange(ROWS, dtype=np.float64)
        source = np.stack(
            [
                np.stack([np.zeros(ROWS), rows], axis=1),
                np.stack([np.full(ROWS, COLUMNS - 1.0), rows], axis=1),
            ],
            axis=1,
        )
        mesh = strip(source, self.edges, 5, 0.12)
        map_x, map_y = backward_maps(mesh, shape, (window[0].start, window[1].start))
        return canvas.looked_up(chart, map_x, map_y)


def usual_widths(limb: Limb, alongs: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    """Return half the width of a usual bare limb, in pixels."""
    widths = np.interp(alongs / limb.length, PLACES[limb.kind], HALF_WIDTHS[limb.kind])
    return np.asarray(widths * span)


def bare_outline(wearer: Wearer, limb: Limb) -> BareLimb:
    """Find the outline of a bare limb: no wider than it shows, nor than this person's limbs are."""
    alongs = np.linspace(STARTS * limb.length, ENDS[limb.kind] * limb.length, ROWS)
    measured = limb_edges(wearer, limb, alongs)
    sides = np.stack([steadied(measured[:, side]) for side in (0, 1)], axis=1)
    shown, shift = sides.mean(axis=1), (sides[:, 0] - sides[:, 1]) / 2
    usual = usual_widths(limb, alongs, wearer.span)
    shares = alongs / limb.length
    close = (shown / usual)[(shares > CLOSE[0]) & (shares < CLOSE[1])]
    build = float(np.clip(np.quantile(close, CLOSE_QUANTILE) / CLOTH_EASE, *BUILDS))
    half = np.minimum(shown, build * CLOTH_EASE * usual)
    places, directions = limb.at(alongs)
    normals = outer_normals(limb, directions)
    ends = [places + normals * (shift + side * half)[:, None] for side in (1.0, -1.0)]
    return BareLimb(limb=limb, alongs=alongs, edges=np.stack(ends, axis=1))


def steadied(widths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take bad measures out of a row of them, and all that is finer than a muscle."""
    padded = np.pad(smooth(widths, passes=6), STEADY // 2, mode="edge")
    return np.convolve(padded, np.full(STEADY, 1.0 / STEADY), "valid")


def skin_of(
    wearer: Wearer, bare: BareLimb, seen: Chosen, shading: Plane, tone: NDArray[np.float32]
) -> Plane:
    """Make the skin of a limb, ROWS x COLUMNS x 3 float32, 0..255.

    Args:
        seen: visible skin that is sure to be skin.
        shading: see `shading.shading_of`.
        tone: RGB of a limb of which nothing is seen.
    """
    colours = np.log(bare.chart(wearer.once("without grain", without_grain)) + LIFT)
    own = labelled(wearer.body, (*bare.limb.labels, *HAND.values())) & seen
    own &= ~palms(wearer)
    known = bare.chart(own.astype(np.float32)) > 0
    rows = known.mean(axis=1) >= SEEN_SHARE
    known &= rows[:, None]
    model = np.log(tone + LIFT)[None, None] + light_model(bare, shading)[:, :, None]
    if not rows.any():
        return np.asarray(np.exp(model) - LIFT, np.float32)
    across, trust = across_light(colours, known), min(1.0, rows.sum() / LIGHT_ROWS)
    usual = trust * np.median(colours[known], axis=0) + (1 - trust) * np.log(tone + LIFT)
    steady = trust * across[None] + (1 - trust) * light_model(bare, shading)
    model = usual[None, None] + steady[:, :, None]
    return np.asarray(np.exp(model + run_on(colours - model, known, rows)) - LIFT, np.float32)


def palms(wearer: Wearer) -> Chosen:
    """Choose hands much lighter than the face, whose palms show; HxW, not to be written to."""
    return wearer.once("palms", light_hands)


def light_hands(wearer: Wearer) -> Chosen:
    """Choose what `palms` answers."""
    light, skin = np.zeros(wearer.shape, np.bool_), wearer.wear == SKIN
    face = wearer.pixels[skin & (wearer.body == HEAD)]
    for label in HAND.values():
        hand = skin & (wearer.body == label)
        if len(face) and hand.any():
            lumas = [np.median(np.log(each @ LUMA + LIFT)) for each in (face, wearer.pixels[hand])]
            light |= hand & bool(lumas[1] - lumas[0] > PALM_OFF)
    return light


def without_grain(wearer: Wearer) -> Plane:
    """Return the crop without its finest detail, HxWx3 float32."""
    return canvas.blurred(wearer.pixels.astype(np.float32), 1.0)


def light_model(bare: BareLimb, shading: Plane) -> Plane:
    """Return log light of a cylinder that is lit as the cloth over it was, ROWS x COLUMNS."""
    side = np.linspace(-1.0, 1.0, COLUMNS, dtype=np.float32)
    round_light = np.log(1.0 - EDGE_DARKNESS * np.abs(side) ** 3)
    seen = canvas.blurred(bare.chart(shading), 3.0)
    cast = np.clip(LIGHT_SHARE * (seen - np.median(seen)), -LIGHT_MAX, LIGHT_MAX)
    light = round_light[None] + cast
    if bare.limb.kind == "leg":
        away = (bare.alongs - bare.limb.lengths[0]) / bare.limb.length
        cap = np.exp(-((away / 0.05) ** 2)) - 1.1 * np.exp(-(((away - 0.075) / 0.03) ** 2))
        light = light + KNEE * cap[:, None] * (1.0 - side**2)[None]
    return np.asarray(light, np.float32)


def across_light(colours: Plane, known: Chosen) -> NDArray[np.float32]:
    """Measure how the brightness of visible skin runs across a limb, in logarithms."""
    rows, columns = known.any(axis=1), known.any(axis=0)
    luma = np.where(known, colours @ LUMA, np.nan)[rows]
    relative = luma - np.nanmedian(luma, axis=1, keepdims=True)
    # Places that no row shows are as bright as the nearest that one does.
    middle, held = np.nanmedian(relative[:, columns], axis=0), np.flatnonzero(columns)
    profile = np.interp(np.arange(COLUMNS), held, middle)
    padded = np.pad(profile, 1, mode="edge")
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, np.float32)


def run_on(rest: Plane, known: Chosen, rows: Chosen) -> Plane:
    """Carry what the model misses on from where skin is seen, less and less with the distance."""
    weight = known.astype(np.float32)[:, :, None]
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
    usual = (rest * weight).sum(axis=1, keepdims=True) / total
    whole = np.where(known[:, :, None], rest, usual)
    whole = np.clip(whole, -RUN_ON_MAX, RUN_ON_MAX)
    seen = np.flatnonzero(rows)
    answer = np.zeros_like(rest)
    reach = RUN_ON * ROWS
    for row in range(ROWS):
        nearest = seen[np.argsort(np.abs(seen - row))[:TELLING_ROWS]]
        share = np.clip(1.0 - np.abs(nearest[0] - row) / reach, 0.0, 1.0)
        told = whole[row] if rows[row] else whole[nearest].mean(axis=0)
        answer[row] = told * (share**2 * (3.0 - 2.0 * share))
    return np.asarray(answer, np.float32)
