"""A photo and garments in, the person in other clothes out: all that a try-on does to pixels."""

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason, Stopped
from services.chassis.media.image import Picture
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.tryon.body import Wearer
from services.tryon.canvas import Chosen
from services.tryon.cloth import COVERED, Cloth, cut_out
from services.tryon.composite import lay_over, opaque
from services.tryon.crop import moved, surroundings, working_size
from services.tryon.cuffs import with_cuffs
from services.tryon.edit import Edit
from services.tryon.fit import corners_of
from services.tryon.gap import protected
from services.tryon.garment import Garment, GarmentCategory
from services.tryon.layers import put_on
from services.tryon.outfit import Hint, Worn, in_order
from services.tryon.shading import shading_of
from services.tryon.stance import check_stance
from services.vision.frame import Window, scaled_to
from services.vision.parts import PartMap
from services.vision.person import Person, person_at

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]


class PersonSearch(Protocol):
    """Finds people."""

    def sitting(self) -> AbstractContextManager["PersonSearch"]:
        """See `vision.person.PersonFinder`."""
        ...

    def people(self, pixels: Pixels, arena: Arena, *, in_parts: bool = True) -> tuple[Person, ...]:
        """See `vision.person.PersonFinder`."""
        ...


class PartsSearch(Protocol):
    """Tells the parts of a person."""

    def sitting(self) -> AbstractContextManager["PartsSearch"]:
        """See `vision.parts.PartsFinder`."""
        ...

    def parts(self, pixels: Pixels, person: Person, arena: Arena) -> PartMap:
        """See `vision.parts.PartsFinder`."""
        ...


class GarmentSearch(Protocol):
    """Reads garments."""

    def sitting(self) -> AbstractContextManager["GarmentSearch"]:
        """See `garment.GarmentReader`."""
        ...

    def read(
        self, pixels: Pixels, arena: Arena, category: GarmentCategory | None = None
    ) -> Garment:
        """See `garment.GarmentReader`."""
        ...


class HoleFiller(Protocol):
    """Fills holes."""

    def sitting(self) -> AbstractContextManager["HoleFiller"]:
        """See `vision.inpaint.Inpainter`."""
        ...

    def fill(self, pixels: Pixels, hole: Mask, arena: Arena) -> Pixels:
        """See `vision.inpaint.Inpainter`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Who is to be dressed; arrays live in the call's arena.

    Attributes:
        person: in the photo.
        wearer: the same on the crop that is worked on.
        window: of the photo that the crop shows.
    """

    person: Person
    wearer: Wearer
    window: Window


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
    """The try-on feature without its transport. Calls may use one pipeline at the same time.

    Attributes:
        engine: device and precision of the networks.
        people: finds people.
        parts: tells their parts.
        garments: reads garments.
    """

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
        self.people = people
        self.parts = parts
        self.garments = garments
        self.filler = filler
        self._raster = raster

    @contextmanager
    def sitting(self) -> Iterator[Self]:
        """Give one call its pipeline; its traces in the networks go when the block is left."""
        with (
            self.people.sitting() as people,
            self.parts.sitting() as parts,
            self.garments.sitting() as garments,
            self.filler.sitting() as filler,
        ):
            mine = copy.copy(self)
            mine.people, mine.parts, mine.garments = people, parts, garments
            mine.filler = filler
            yield mine

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
            garment = self.garments.read(pixels, arena, hint.category)
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

    def see(self, pixels: Pixels, at: tuple[float, float] | None, arena: Arena) -> Seen:
        """Find the person of a photo, and look closely.

        Args:
            pixels: HxWx3 uint8 RGB.
            at: point of the person, 0..1 from the left and from the top; None for the most
                prominent one.
            arena: where what is seen goes.

        Raises:
            InvalidRequestError: PERSON_NOT_FOUND; nobody is there.
        """
        person = self.choose(pixels, at, arena)
        wearer, window = self.look(pixels, person, arena)
        return Seen(person=person, wearer=wearer, window=window)

    def try_on(
        self,
        picture: Picture,
        seen: Seen,
        outfit: Sequence[Worn],
        seed: int,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Result:
        """Put an outfit on the person of a photo.

        Args:
            picture: the photo, which is dressed in place.
            seen: in it.
            outfit: the garments, in any order.
            seed: chooses among equally good results.
            arena: where the result and what it is made from go.
            cancelled: watched between steps.

        Raises:
            InvalidRequestError: PERSON_NOT_FOUND; the person can't be dressed.
            Stopped: `cancelled` was set.
        """
        order, pixels = in_order(outfit), picture.pixels
        mask = arena.array(pixels.shape[:2], np.uint8)
        check_stance(seen.person, mask.shape, order)
        with arena.scope():
            edit = self.dress(seen.wearer, order, seed, arena, cancelled)
            lay_over(edit, seen.window, pixels, mask)
        return Result(picture=Picture(pixels=pixels, alpha=opaque(picture.alpha, mask)), mask=mask)

    def choose(self, pixels: Pixels, at: tuple[float, float] | None, arena: Arena) -> Person:
        """Find the person who is to be dressed.

        Raises:
            InvalidRequestError: PERSON_NOT_FOUND.
        """
        height, width = pixels.shape[:2]
        # Who is to be dressed is large in the photo, most times.
        for in_parts in (False, True):
            people = self.people.people(pixels, arena, in_parts=in_parts)
            person = people[0] if people else None
            if at is not None:
                person = person_at(people, at[0] * width, at[1] * height)
            if person is not None:
                return person
        place = "at the given point" if at is not None else "in the photo"
        raise InvalidRequestError(Reason.PERSON_NOT_FOUND, f"nobody was found {place}")

    def look(self, pixels: Pixels, person: Person, arena: Arena) -> tuple[Wearer, Window]:
        """Cut a person out of a photo at the size that is worked at, and tell the parts.

        Returns:
            The person, in arrays of the arena, and the window of the photo.
        """
        window = surroundings(person, *pixels.shape[:2])
        size = working_size(window)
        crop = arena.array((*size, 3), np.uint8)
        if size == (window.height, window.width):
            crop[:] = pixels[window.slices]
        else:
            self._raster.resize(pixels[window.slices], crop)
        near = moved(person, window, size)
        parts = self.parts.parts(crop, near, arena)
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
                return self.filler.fill(pixels, hole.astype(np.uint8) * np.uint8(255), arena).copy()

        edit = None
        for number, worn in enumerate(order, 1):
            if cancelled.is_set():
                raise Stopped
            change = put_on(
                wearer, worn.cloth, tucked=worn.tucked, shading=shading, fill=fill, seed=seed
            )
            if edit is None:
                edit = change.edit
            else:
                edit.join(change.edit)
            if number < len(order):
                wearer = change.dressed()
        edit = edit or Edit(wearer.shape)
        edit.protect(kept)
        return edit


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
