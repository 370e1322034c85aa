"""A photo and garments in, the person in other clothes out: all that a try-on does to pixels."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason, Stopped
from services.chassis.media.image import Picture
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.tryon.body import Wearer
from services.tryon.canvas import Chosen
from services.tryon.cloth import COVERED, Cloth, cut_out
from services.tryon.cuffs import with_cuffs
from services.tryon.edit import Edit
from services.tryon.fit import corners_of
from services.tryon.gap import protected
from services.tryon.garment import Garment, GarmentCategory
from services.tryon.layers import put_on
from services.tryon.outfit import Hint, Worn, in_order
from services.tryon.shading import shading_of
from services.tryon.stance import check_stance
from services.vision.frame import Frame, Window, scaled_to
from services.vision.parts import PartMap
from services.vision.person import Person, person_at

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]

# Pixels of the longer side that a person is worked on at; a larger one is drawn larger.
WORK_SIDE_MAX = 1280
# Room around a person for wide clothes, as a share of the person's longer side.
MARGIN_SHARE = 0.08
BAND_ROWS = 256


class PersonSearch(Protocol):
    """Finds people."""

    def people(self, pixels: Pixels, arena: Arena) -> tuple[Person, ...]:
        """See `vision.person.PersonFinder`."""
        ...


class PartsSearch(Protocol):
    """Tells the parts of a person."""

    def parts(self, pixels: Pixels, person: Person, arena: Arena) -> PartMap:
        """See `vision.parts.PartsFinder`."""
        ...


class GarmentSearch(Protocol):
    """Reads garments."""

    def read(
        self, pixels: Pixels, arena: Arena, category: GarmentCategory | None = None
    ) -> Garment:
        """See `garment.GarmentReader`."""
        ...


class HoleFiller(Protocol):
    """Fills holes."""

    def fill(self, pixels: Pixels, hole: Mask, arena: Arena) -> Pixels:
        """See `vision.inpaint.Inpainter`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The dressed photo; arrays live in the call's arena.

    Attributes:
        picture: of the photo's size.
        mask: HxW uint8, 255 where it may differ from the photo; elsewhere it is the photo bit for
            bit.
    """

    picture: Picture
    mask: Mask


class TryonPipeline:
    """The try-on feature without its transport. Calls may use one pipeline at the same time."""

    def __init__(
        self,
        *,
        people: PersonSearch,
        parts: PartsSearch,
        garments: GarmentSearch,
        filler: HoleFiller,
        raster: Raster,
        engine: str = "",
    ) -> None:
        """Take over what the feature is made of.

        Args:
            engine: device and precision of the networks, for the service's start line.
        """
        self.engine = engine
        self._people = people
        self._parts = parts
        self._garments = garments
        self._filler = filler
        self._raster = raster

    def read_garment(self, pixels: Pixels, hint: Hint, arena: Arena) -> Cloth:
        """Cut a garment out of its picture.

        Args:
            pixels: HxWx3 uint8 RGB.
            hint: what the caller knows of it.
            arena: for work; the answer does not live in it, see `keep`.

        Raises:
            InvalidRequestError: GARMENT_NOT_FOUND; there is none, more than one, or none of the
                kinds that can be put on.
        """
        with arena.scope():
            garment = self._garments.read(pixels, arena, hint.category)
            require_corners(garment)
            return cut_out(pixels, garment)

    def keep(self, cloth: Cloth, arena: Arena) -> Cloth:
        """Move a garment into the call's memory."""
        colour = arena.array(cloth.colour.shape, np.uint8)
        cover = arena.array(cloth.cover.shape, np.uint8)
        colour[:], cover[:] = cloth.colour, cloth.cover
        return replace(cloth, colour=colour, cover=cover)

    def shrink(self, picture: Picture, long_side_pixels_max: int, arena: Arena) -> Picture:
        """Scale a picture down so that its longer side fits; a smaller one stays as it is."""
        height, width = picture.pixels.shape[:2]
        if max(height, width) <= long_side_pixels_max:
            return picture
        size = scaled_to(height, width, long_side_pixels_max)
        pixels = arena.array((*size, 3), np.uint8)
        self._raster.resize(picture.pixels, pixels)
        if picture.alpha is None:
            return Picture(pixels=pixels, alpha=None)
        alpha = arena.array(size, np.uint8)
        self._raster.resize(picture.alpha, alpha)
        return Picture(pixels=pixels, alpha=alpha)

    def try_on(
        self,
        picture: Picture,
        outfit: Sequence[Worn],
        at: tuple[float, float] | None,
        seed: int,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Result:
        """Put an outfit on the person of a photo.

        Args:
            picture: the photo.
            outfit: the garments, in any order.
            at: point of the person, 0..1 from the left and from the top; None for the most
                prominent one.
            seed: chooses among equally good results.
            arena: where the result and what it is made from go.
            cancelled: watched between steps.

        Raises:
            InvalidRequestError: PERSON_NOT_FOUND; nobody is there, or nobody who can be dressed.
            Stopped: `cancelled` was set.
        """
        order = in_order(outfit)
        pixels = arena.array(picture.pixels.shape, np.uint8)
        pixels[:] = picture.pixels
        mask = arena.array(pixels.shape[:2], np.uint8)
        with arena.scope():
            person = self.choose(picture.pixels, at, arena)
            check_stance(person, picture.pixels.shape[:2], order)
            wearer, window = self.look(picture.pixels, person, arena)
            edit = self.dress(wearer, order, seed, arena, cancelled)
            self._compose(edit, pixels[window.slices], mask[window.slices], arena)
        return Result(picture=Picture(pixels=pixels, alpha=opaque(picture.alpha, mask)), mask=mask)

    def choose(self, pixels: Pixels, at: tuple[float, float] | None, arena: Arena) -> Person:
        """Find the person who is to be dressed.

        Raises:
            InvalidRequestError: PERSON_NOT_FOUND.
        """
        people = self._people.people(pixels, arena)
        height, width = pixels.shape[:2]
        person = people[0] if people else None
        if at is not None:
            person = person_at(people, at[0] * width, at[1] * height)
        if person is None:
            place = "at the given point" if at is not None else "in the photo"
            raise InvalidRequestError(Reason.PERSON_NOT_FOUND, f"nobody was found {place}")
        return person

    def look(self, pixels: Pixels, person: Person, arena: Arena) -> tuple[Wearer, Window]:
        """Cut a person out of a photo at the size that is worked at, and tell the parts.

        Returns:
            The person, in arrays of the arena, and the window of the photo.
        """
        window = surroundings(person, *pixels.shape[:2])
        size = window.height, window.width
        if max(size) > WORK_SIDE_MAX:
            size = scaled_to(*size, WORK_SIDE_MAX)
        crop = arena.array((*size, 3), np.uint8)
        if size == (window.height, window.width):
            crop[:] = pixels[window.slices]
        else:
            self._raster.resize(pixels[window.slices], crop)
        near = moved(person, window, size)
        parts = self._parts.parts(crop, near, arena)
        wearer = Wearer(pixels=crop, body=parts.body, wear=parts.wear, landmarks=near.landmarks)
        return replace(wearer, wear=with_cuffs(wearer)), window

    def dress(
        self,
        wearer: Wearer,
        order: Sequence[Worn],
        seed: int,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Edit:
        """Put the garments on one after the other."""
        shading, kept = shading_of(wearer), protected(wearer)

        def fill(pixels: Pixels, hole: Chosen) -> Pixels:
            with arena.scope():
                return self._filler.fill(
                    pixels, hole.astype(np.uint8) * np.uint8(255), arena
                ).copy()

        edit = Edit(wearer.shape)
        for worn in order:
            if cancelled.is_set():
                raise Stopped
            layer, wearer = put_on(
                wearer, worn.cloth, tucked=worn.tucked, shading=shading, fill=fill, seed=seed
            )
            edit.join(layer)
        edit.protect(kept)
        return edit

    def _compose(self, edit: Edit, pixels: Pixels, mask: Mask, arena: Arena) -> None:
        """Lay an edit over the photo's window in place, at the photo's own size."""
        planes = edit.finish()
        if planes[1].shape != mask.shape:
            large = tuple(
                arena.array((*mask.shape, *plane.shape[2:]), np.uint8) for plane in planes
            )
            for plane, grown in zip(planes, large, strict=True):
                self._raster.resize(plane, grown)
            planes = large[0], large[1], large[2]
        colour, cover, light = planes
        for start in range(0, mask.shape[0], BAND_ROWS):
            rows = slice(start, start + BAND_ROWS)
            part = pixels[rows]
            shaded = light[rows] < 255
            part[shaded] = (part[shaded].astype(np.uint16) * light[rows][shaded][:, None]) // 255
            self._raster.blend(part.copy(), colour[rows], cover[rows], 1.0, part)
            mask[rows][shaded | (cover[rows] > 0)] = 255


def require_corners(garment: Garment) -> None:
    """Refuse a garment whose corners can't be told.

    Raises:
        InvalidRequestError: GARMENT_NOT_FOUND.
    """
    needed = corners_of(garment.category)
    seen = {name for name, (_, _, confidence) in garment.landmarks.items() if confidence > 0}
    if not needed <= seen or not (garment.mask >= COVERED).any():
        raise InvalidRequestError(
            Reason.GARMENT_NOT_FOUND,
            "the whole garment must be in sight, and of the category that is given",
        )


def surroundings(person: Person, height: int, width: int) -> Window:
    """Return the window that a person and wide clothes fill."""
    box = person.box
    margin = round(MARGIN_SHARE * max(box.height, box.width)) + 8
    return box.grown(margin, height, width)


def moved(person: Person, window: Window, size: tuple[int, int]) -> Person:
    """Carry a person into the coordinates of a window that is scaled to (rows, columns)."""
    scale = size[0] / window.height
    landmarks = person.landmarks.copy()
    landmarks[:, 0] = (landmarks[:, 0] - window.left + 0.5) * scale - 0.5
    landmarks[:, 1] = (landmarks[:, 1] - window.top + 0.5) * scale - 0.5
    landmarks[:, 2] *= scale
    x, y = person.frame.centre
    frame = Frame(
        centre=((x - window.left) * scale, (y - window.top) * scale),
        side=person.frame.side * scale,
        turn=person.frame.turn,
    )
    box = Window(
        top=max(0, round((person.box.top - window.top) * scale)),
        left=max(0, round((person.box.left - window.left) * scale)),
        bottom=min(size[0], round((person.box.bottom - window.top) * scale)),
        right=min(size[1], round((person.box.right - window.left) * scale)),
    )
    return replace(person, frame=frame, box=box, landmarks=landmarks)


def opaque(alpha: Mask | None, mask: Mask) -> Mask | None:
    """Make what was changed visible, in place, where the photo was transparent."""
    if alpha is not None:
        np.maximum(alpha, mask, out=alpha)
    return alpha
