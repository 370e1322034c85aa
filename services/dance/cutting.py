"""Cutting a photographed body into the parts of a puppet, and filling in what they hid."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.dance.hands import with_hands
from services.dance.outline import (
    PART_SHARE_MIN,
    Mask,
    Outline,
    Silhouette,
    below_border,
    below_groin,
    find_crotch,
    find_hem,
    on_side,
    with_face,
)
from services.dance.pixels import grow, polygon, spread, without_crumbs
from services.dance.regions import (
    SLEEVE_MIN,
    SOFT_SHARE,
    Region,
    Share,
    distance,
    joint_radii,
    measure,
    ramp,
    region_of,
    without_trunk_cloth,
)
from services.dance.shoulders import bare_shoulder, hollow, rounding
from services.dance.sides import with_sides, without_bumps
from services.dance.skeleton import ARMS, LEGS, Limb, Points, Skeleton
from services.vision.parts import BodyPart, Wear

Pixels: TypeAlias = NDArray[np.uint8]

# The trunk keeps this much of the shoulder's disc under the arm; a bare arm goes on so far beneath
# the trunk's cloth.
SHOULDER_DISC = 0.6
ROOT_DISC = 0.75
# Colours of bare legs are their own from so far below a skirt's hem on, over the torso's length.
BELOW_HEM = 0.03
# So far above it they go on beneath the skirt.
ABOVE_HEM = 0.3
# Half an elbow's width over what was measured there.
ELBOW_DISC = 1.2
# Nothing of trunk and arms is thinner than this, over the torso's length; from this place on along
# an arm its hand begins, which is.
THIN_SHARE = 0.03
HAND_FROM = 1.7
# A hand hides so much of what it lies on, over the torso's length.
LAP_SHARE = 0.12
# Where legs part the trunk goes on for so much, in a leg's half widths, and so wide.
GUSSET_LONG, GUSSET_WIDE = 0.4, 1.0
# Room around a person.
WINDOW_SHARE = 0.06
SOLID = 250
# The soft edge of a mask is no wider than so many of those of a cut.
EDGE_WIDTHS = 1.5


class Layer(IntEnum):
    """Parts, in the order in which they are drawn by default."""

    LEFT_LEG = 0
    RIGHT_LEG = 1
    LEFT_ROOT = 2
    RIGHT_ROOT = 3
    CORE = 4
    LEFT_UPPER = 5
    RIGHT_UPPER = 6
    LEFT_FORE = 7
    RIGHT_FORE = 8

    @property
    def limb(self) -> Limb:
        """The limb that a part other than the core is of."""
        return LIMBS[self]


LIMBS = {
    Layer.LEFT_LEG: Limb.LEFT_LEG,
    Layer.RIGHT_LEG: Limb.RIGHT_LEG,
    Layer.LEFT_ROOT: Limb.LEFT_ARM,
    Layer.RIGHT_ROOT: Limb.RIGHT_ARM,
    Layer.LEFT_UPPER: Limb.LEFT_ARM,
    Layer.RIGHT_UPPER: Limb.RIGHT_ARM,
    Layer.LEFT_FORE: Limb.LEFT_ARM,
    Layer.RIGHT_FORE: Limb.RIGHT_ARM,
}
LEG_LAYERS = {Limb.LEFT_LEG: Layer.LEFT_LEG, Limb.RIGHT_LEG: Layer.RIGHT_LEG}
ARM_LAYERS = {
    Limb.LEFT_ARM: (Layer.LEFT_UPPER, Layer.LEFT_FORE),
    Limb.RIGHT_ARM: (Layer.RIGHT_UPPER, Layer.RIGHT_FORE),
}
# A bare arm goes on beneath the cloth that it comes out of.
ROOT_LAYERS = {Limb.LEFT_ARM: Layer.LEFT_ROOT, Limb.RIGHT_ARM: Layer.RIGHT_ROOT}
UPPER_LAYERS = (Layer.LEFT_UPPER, Layer.RIGHT_UPPER, *ROOT_LAYERS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One cut-out part.

    Attributes:
        colour: HxWx3 uint8 RGB, spread beyond its edges.
        alpha: HxW uint8.
        origin: x and y of its first pixel in the photo.
    """

    colour: Pixels
    alpha: Mask
    origin: tuple[int, int]

    def moved(self, by: tuple[int, int]) -> "Part":
        """Return the same part for a photo of which this one was cut out."""
        return replace(self, origin=(self.origin[0] + by[0], self.origin[1] + by[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A body in parts.

    Attributes:
        parts: in the order in which they are drawn by default.
        outline: of the whole.
    """

    parts: dict[Layer, Part]
    outline: Outline


def cut_out(pixels: Pixels, seen: Silhouette, skeleton: Skeleton) -> Cut:
    """Cut a person out of a photo, in parts.

    Args:
        pixels: HxWx3 uint8 RGB.
        seen: the person in it.
        skeleton: the person's.
    """
    pixels, seen = below_border(pixels, seen, skeleton)
    window, origin = window_of(seen.mask, skeleton)
    near = moved(skeleton, -np.array(origin, np.float64))
    seen = with_hands(with_face(seen.within(window), near), near)
    radii, regions = np.zeros((4, 3)), {}
    for limb in (*ARMS, *LEGS):
        profile = measure(seen.mask, near, limb)
        radii[limb] = joint_radii(profile)
        regions[limb] = region_of(seen, near, limb, profile)
        if limb in ARMS:
            regions[limb] = without_trunk_cloth(regions[limb], seen, near, limb)
    crotch = find_crotch(seen.mask, near)
    outline = Outline(radii=radii, crotch=crotch, hem=find_hem(seen, near))
    parts = Cutter(pixels[window], seen, near, outline).cut(regions)
    hem = None if outline.hem is None else outline.hem + origin[1]
    return Cut(
        parts={layer: part.moved(origin) for layer, part in parts.items()},
        outline=replace(outline, crotch=crotch + origin, hem=hem),
    )


class Cutter:
    """Shares a body's pixels out among its parts."""

    def __init__(
        self, pixels: Pixels, seen: Silhouette, skeleton: Skeleton, outline: Outline
    ) -> None:
        self._pixels = pixels
        self._mask = mask = seen.mask
        self._head = seen.body == BodyPart.HEAD
        self._skin = seen.wear == Wear.SKIN
        self._skeleton = skeleton
        self._outline = outline
        self._soft = max(1.0, SOFT_SHARE * skeleton.torso)
        # Colours at the very edge are mixed with what was behind the person.
        self._known = grow(np.where(mask >= SOLID, 255, 0).astype(np.uint8), -self._soft / 2)

    def cut(self, regions: dict[Limb, Region]) -> dict[Layer, Part]:
        """Cut all parts."""
        arms = {limb: regions[limb] for limb in ARMS if limb not in self._skeleton.missing}
        legs = {limb: regions[limb] for limb in LEGS if limb not in self._skeleton.missing}
        covered, caps = (np.zeros(self._mask.shape, np.float32) for _ in range(2))
        for limb, region in arms.items():
            np.maximum(covered, region.inside, out=covered)
            cap, corner = rounding(self._mask, self._skeleton, self._outline, limb)
            corner[self._head] = 0.0
            if region.sleeve < SLEEVE_MIN:
                arm = (region.own > 0.9) & self._skin & (self._known > 0) & (region.along < 1.0)
                free = (self._mask > 0) & ~self._head
                corner = bare_shoulder(self._pixels, arm, free, self._skeleton, self._outline, limb)
            arms[limb] = replace(region, share=np.maximum(region.share, corner))
            np.maximum(covered, corner, out=covered)
            if region.sleeve >= SLEEVE_MIN:
                np.maximum(caps, cap, out=caps)
        parts = self._legs(legs, covered)
        parts[Layer.CORE] = self._core(arms, legs, covered, caps)
        for limb, region in arms.items():
            parts |= self._arm(limb, region)
        return {layer: parts[layer] for layer in Layer if layer in parts}

    def _arm(self, limb: Limb, region: Region) -> dict[Layer, Part]:
        """Cut an arm in two that overlap at the elbow."""
        upper, fore = ARM_LAYERS[limb]
        alpha = solid_of(self._mask * region.share)
        window = roomy(covered_window(alpha), 2 * THIN_SHARE * self._skeleton.torso)
        near, along = alpha[window], region.along[window]
        # Above the wrist nothing of an arm is thin: what is, was between arm and trunk.
        near = np.where(along < HAND_FROM, self._opened(near), near)
        near = self._firm(without_crumbs(near, PART_SHARE_MIN))
        # Both end in a half circle about the elbow, so that however far it bends none sticks out.
        elbow = self._skeleton.limbs[limb, 1] - [window[1].start, window[0].start]
        away = distance(near.shape, elbow)
        disc = ramp((ELBOW_DISC * self._outline.radii[limb, 1] - away) / self._soft)
        parts = {}
        for layer, on in ((upper, along < 1.0), (fore, along > 1.0)):
            alpha[:] = 0
            alpha[window] = np.rint(near * np.where(on, np.float32(1), disc))
            parts[layer] = self._part(region.share > 0.8, alpha)
        if region.sleeve < SLEEVE_MIN:
            known = (region.share > 0.8) & self._skin
            parts[ROOT_LAYERS[limb]] = self._part(known, self._mask * self._root(limb))
        return parts

    def _root(self, limb: Limb) -> Share:
        """Return how a bare arm ends beneath the trunk's cloth: in a ball; 0..1."""
        away = distance(self._mask.shape, self._skeleton.limbs[limb, 0])
        return ramp((ROOT_DISC * self._outline.radii[limb, 0] - away) / self._soft)

    def _legs(self, legs: dict[Limb, Region], covered: Share) -> dict[Layer, Part]:
        """Cut the legs from the groin, or from under a skirt, on."""
        parts = {}
        for limb, region in legs.items():
            other = legs[LEGS[0] if limb is LEGS[1] else LEGS[1]]
            by_bones = ramp(
                0.5 + (other.away - region.away) * self._outline.radii[limb, 1] / self._soft
            )
            own = region.share + (1 - region.share) * by_bones * (1 - other.share)
            start = self._leg_start(limb)
            share = own * start
            hidden = covered * ramp((0.8 - region.away) / 0.1) * share
            if self._outline.hem is not None:
                # Under its skirt a leg goes on, no farther up than a swinging hem may show.
                up = self._leg_start(limb, -ABOVE_HEM)
                hidden = np.maximum(hidden, ramp((0.7 - region.away) / 0.1) * (1 - start) * up)
            alpha = self._firm(np.maximum(self._mask * (share * (1 - covered)), 255 * hidden))
            seen = start if self._outline.hem is None else self._leg_start(limb, BELOW_HEM)
            known = (own > 0.9) & (covered < 0.05) & (seen > 0.5)
            parts[LEG_LAYERS[limb]] = self._part(known, alpha)
        return parts

    def _leg_start(self, limb: Limb, below_hem: float = 0.0) -> Share:
        """Return where a leg is seen: below the groin, or so far below a skirt's hem; 0..1."""
        if self._outline.hem is not None:
            rows = np.arange(self._mask.shape[0], dtype=np.float32)[:, None]
            hem = self._outline.hem + below_hem * self._skeleton.torso
            below = ramp((rows - hem) / self._soft)
            return np.broadcast_to(below, self._mask.shape)
        radius = self._outline.radii[limb, 0]
        return ramp((self._below(limb) + 0.9 * radius) / (0.2 * radius))

    def _core(
        self, arms: dict[Limb, Region], legs: dict[Limb, Region], covered: Share, caps: Share
    ) -> Part:
        """Cut trunk and head, with the shoulders' rounding and what arms hid of them."""
        skeleton, shape = self._skeleton, self._mask.shape
        keep = np.maximum(1 - covered, caps)
        sleeves = [limb for limb, region in arms.items() if region.sleeve >= SLEEVE_MIN]
        for limb in sleeves:
            radius = SHOULDER_DISC * self._outline.radii[limb, 0]
            disc = ramp((radius - distance(shape, skeleton.limbs[limb, 0])) / self._soft)
            np.maximum(keep, disc, out=keep)
        hidden = self._between_joints()
        for limb in arms.keys() - sleeves:
            # Beneath what a bare arm leaves there is skin.
            hidden = np.asarray(np.rint(hidden * (1 - self._root(limb))), np.uint8)
        low = float(skeleton.limbs[list(ARMS), 0, 1].max())
        low += SHOULDER_DISC * float(self._outline.radii[list(ARMS), 0].min())
        sides = without_bumps((self._mask * keep).astype(np.float32), skeleton, low, self._soft)
        # An arm before the trunk makes a dent in what is seen of it, and no bumps beside it.
        sides = np.maximum(sides, hidden / np.float32(255))
        alpha = self._opened(self._mask * keep * sides)
        # Hair is faint too, and stays.
        low_row = max(0, int(low))
        alpha[low_row:] = self._firm(alpha[low_row:])
        for limb in sleeves:
            np.maximum(hidden, hollow(self._mask, alpha, skeleton, self._outline, limb), out=hidden)
        if not legs:
            # Hands that lie on legs which keep still hid a part of them.
            radius = LAP_SHARE * skeleton.torso
            hidden = np.maximum(hidden, grow(grow(alpha, radius), -radius))
        solid = np.rint(np.minimum(alpha + hidden * covered, 255)).astype(np.uint8)
        whole = without_crumbs(solid, PART_SHARE_MIN).astype(np.float32)
        if legs and self._outline.hem is not None:
            rows = np.arange(shape[0], dtype=np.float32)[:, None]
            whole = whole * ramp((self._outline.hem - rows) / self._soft + 1.0)
        elif legs:
            left, right = (self._below(limb) for limb in LEGS)
            below = np.where(on_side(self._skeleton, LEGS[0], shape), left, right)
            radius = float(self._outline.radii[list(LEGS), 0].mean())
            # Between the legs it goes on to the crotch, or legs that part would show a notch.
            columns = np.arange(shape[1], dtype=np.float32)
            aside = (columns - np.float32(self._outline.crotch[0])) / (GUSSET_WIDE * radius)
            gusset = GUSSET_LONG * np.maximum(0.0, 1.0 - aside**2)
            whole = whole * (1 - ramp((below / radius + 0.45 - gusset) / 0.2))
        # Where the trunk reaches in under an arm's edge its colours go on, and not the arm's.
        known = (covered < 0.05) & (whole > 200)
        for region in arms.values():
            known &= region.own < 0.05
        known &= self._known > 0
        pixels = with_sides(self._pixels, known, skeleton)
        return self._part(known, whole, pixels)

    def _between_joints(self) -> Mask:
        """Return what is trunk for sure: between shoulders and hips."""
        height, width = self._mask.shape
        return polygon((height, width), self._skeleton.limbs[:, 0][[0, 1, 3, 2]])

    def _below(self, limb: Limb) -> Share:
        """Return how far each pixel is below a leg's groin, which is the same from row to row."""
        height, width = self._mask.shape
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        start, right, down = below_groin(self._skeleton, self._outline, limb, corners)
        along = start + (right - start) * np.arange(width)
        steps = (down - start) * np.arange(height)
        return np.asarray(np.add.outer(steps, along), np.float32)

    def _firm(self, alpha: NDArray[np.floating] | Mask) -> Mask:
        """Drop what is faint and no soft edge: shadow and ground beside a part."""
        solid = solid_of(alpha)
        near = solid[covered_window(solid)]
        core = grow(np.where(near >= 128, near, 0).astype(np.uint8), EDGE_WIDTHS * self._soft)
        np.minimum(near, core, out=near)
        return solid

    def _opened(self, alpha: NDArray[np.floating] | Mask) -> Mask:
        """Drop what is thinner than a body's parts are."""
        solid = solid_of(alpha)
        radius = THIN_SHARE * self._skeleton.torso
        near = solid[roomy(covered_window(solid), 2 * radius)]
        np.minimum(near, grow(grow(grow(near, -radius), radius), self._soft), out=near)
        return solid

    def _part(
        self,
        known: NDArray[np.bool_],
        alpha: NDArray[np.floating] | Mask,
        pixels: Pixels | None = None,
    ) -> Part:
        """Keep what a part covers, its colours spread from where they are known to be its own.

        Args:
            known: HxW.
            alpha: HxW, 0..255.
            pixels: HxWx3, where it is not as in the photo; all that is known is known here.
        """
        solid = solid_of(alpha)
        window = covered_window(solid)
        own = np.where(known, 255 if pixels is not None else self._known, 0)[window]
        own = own.astype(np.uint8)
        colour = np.ascontiguousarray((self._pixels if pixels is None else pixels)[window])
        return Part(
            colour=spread(colour, own) if own.any() else colour,
            alpha=np.ascontiguousarray(solid[window]),
            origin=(window[1].start, window[0].start),
        )


def window_of(mask: Mask, skeleton: Skeleton) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """Return the part of a picture that holds a person, and x and y of its first pixel."""
    margin = round(WINDOW_SHARE * skeleton.torso) + 2
    rows, columns = covered_window(mask)
    top, left = max(0, rows.start - margin), max(0, columns.start - margin)
    window = slice(top, rows.stop + margin), slice(left, columns.stop + margin)
    return window, (left, top)


def covered_window(mask: Mask) -> tuple[slice, slice]:
    """Return rows and columns that hold all that a mask covers, one pixel at least."""
    rows, columns = (np.nonzero(mask.any(axis=axis))[0] for axis in (1, 0))
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def solid_of(alpha: NDArray[np.floating] | Mask) -> Mask:
    """Return HxW of 0..255 as whole numbers, in memory of its own."""
    if alpha.dtype == np.uint8:
        return np.array(alpha, np.uint8)
    return np.clip(np.rint(alpha), 0, 255).astype(np.uint8)


def roomy(window: tuple[slice, slice], room: float) -> tuple[slice, slice]:
    """Return a window with some room around."""
    more = int(np.ceil(room))
    rows, columns = (slice(max(0, each.start - more), each.stop + more) for each in window)
    return rows, columns


def moved(skeleton: Skeleton, by: Points) -> Skeleton:
    """Return a skeleton for a part of its picture."""
    return replace(
        skeleton,
        limbs=skeleton.limbs + by,
        neck=skeleton.neck + by,
        pelvis=skeleton.pelvis + by,
        head=skeleton.head + by,
        ground=skeleton.ground + float(by[1]),
    )
