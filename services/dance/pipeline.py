"""A photo and something to dance to in, frames of a dance out; knows no transport."""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.media.clip import ClipFormat
from services.chassis.media.movie import Studio
from services.chassis.media.sound import SAMPLES_PER_SECOND, Sound
from services.chassis.memory.arena import Arena
from services.chassis.raster import Raster
from services.dance.beats import (
    TEMPO_DEFAULT,
    BeatGrid,
    beats_of,
    counted_beats,
)
from services.dance.bvh import read_bvh
from services.dance.capture import Capture
from services.dance.cast import cast_shadow
from services.dance.choreography import Choreography, blended
from services.dance.cutting import Cut, cut_out
from services.dance.driving import read_driving
from services.dance.hands import held_things
from services.dance.moves import Move, MoveBook
from services.dance.outline import Silhouette
from services.dance.pixels import grow
from services.dance.pose import Channel, Pose
from services.dance.render import Scene, frames
from services.dance.rig import Rig, make_rig
from services.dance.skeleton import LEGS, Limb, Skeleton, read_skeleton
from services.dance.stage import Background, make_plate, make_shadow
from services.dance.stance import Home, Stance, home_of, pose_of, stand
from services.dance.wish import MOVES_DEFAULT, Wish
from services.vision.parts import PartsFinder
from services.vision.person import Person, PersonFinder, person_at

Pixels: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]

# What is taken away behind the dancer: the mask and its soft edge, over the torso's length.
HOLE_SHARE = 0.035
# Hair and cloth follow by so much.
LATE_SECONDS = 0.07
# A captured movement is gone over to from the photo's pose in this time.
SET_OUT_SECONDS = 0.5
# Room that is left above a jumping head, over its radius.
HEADROOM = 0.15
# So much is left of how hips move whose legs do not.
CUT_SHARE = 0.35


class Filler(Protocol):
    """Fills holes in pictures."""

    def sitting(self) -> AbstractContextManager["Filler"]:
        """See `vision.inpaint.Inpainter`."""
        ...

    def fill(self, pixels: Pixels, hole: Mask, arena: Arena) -> Pixels:
        """Return HxWx3 uint8 RGB in the arena with the hole, HxW where not 0, filled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dancer:
    """A person of a photo, ready to dance.

    Attributes:
        rig: the puppet, in pixels of the clip.
        home: where the feet stand.
        rest: the pose of the photo.
        photo: HxWx3 uint8 RGB, as the clip shows it.
        filled: HxWx3, the photo without the person, None where the background is another.
        size: rows and columns of the clip.
    """

    rig: Rig
    home: Home
    rest: Pose
    photo: Pixels
    filled: Pixels | None
    size: tuple[int, int]

    @property
    def missing(self) -> frozenset[Limb]:
        """Limbs that keep still."""
        return self.rig.skeleton.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Accompaniment:
    """What a clip is danced to.

    Attributes:
        grid: the beats.
        sound: what is heard, None for silence.
    """

    grid: BeatGrid
    sound: Sound | None


class DancePipeline:
    """The dance feature without its transport. Calls may use one at the same time."""

    def __init__(
        self,
        *,
        finder: PersonFinder,
        parts: PartsFinder,
        filler: Filler,
        book: MoveBook,
        raster: Raster,
        studio: Studio,
        engine: str,
    ) -> None:
        """Take over what the feature is made of.

        Args:
            engine: device and precision of the networks, for the service's start line.
        """
        self.finder = finder
        self.parts = parts
        self.filler = filler
        self._raster = raster
        self.book = book
        self.studio = studio
        self.engine = engine

    @contextmanager
    def sitting(self) -> Iterator[Self]:
        """Give one call its pipeline; its traces in the networks go when the block is left."""
        with (
            self.finder.sitting() as finder,
            self.parts.sitting() as parts,
            self.filler.sitting() as filler,
        ):
            mine = copy.copy(self)
            mine.finder, mine.parts, mine.filler = finder, parts, filler
            yield mine

    def dancer(
        self, pixels: Pixels, wish: Wish, size: tuple[int, int], field: str, arena: Arena
    ) -> Dancer:
        """Find the person of a photo and make a puppet of them.

        Args:
            pixels: HxWx3 uint8 RGB.
            wish: whom, and before what.
            size: rows and columns of the clip; the photo is scaled and cut to it.
            field: path of the photo in error details.

        Raises:
            InvalidRequestError: nobody is there.
        """
        photo, person = self._framed(pixels, wish, size, arena)
        if person is None:
            raise InvalidRequestError(
                Reason.PERSON_NOT_FOUND, "no person was found in the photo", field=field
            )
        mask = arena.array(photo.shape[:2], np.uint8)
        self.finder.add_to_mask(person, photo, mask, arena)
        top, left = crop_window(person, photo.shape[:2], size)
        part = slice(top, top + size[0]), slice(left, left + size[1])
        landmarks = person.landmarks - np.array([left, top, 0, 0], np.float32)

        def look(desk: Arena) -> Silhouette:
            found = self.parts.parts(photo, person, desk, mask)
            return Silhouette(mask=mask[part], body=found.body[part], wear=found.wear[part])

        cut = np.ascontiguousarray(photo[part]), np.ascontiguousarray(mask[part])
        return self._puppet(*cut, landmarks, look, wish, arena)

    def puppet(
        self,
        photo: Pixels,
        seen: Silhouette,
        landmarks: NDArray[np.float32],
        wish: Wish,
        arena: Arena,
    ) -> Dancer:
        """Make a puppet of a person who was found.

        Args:
            photo: HxWx3 uint8 RGB, of the clip's size.
            seen: the person in it.
            landmarks: 33x4 in pixels of the photo.
            wish: before what the person dances.
        """
        return self._puppet(photo, seen.mask, landmarks, lambda _: seen, wish, arena)

    def _puppet(
        self,
        photo: Pixels,
        mask: Mask,
        landmarks: NDArray[np.float32],
        look: Callable[[Arena], Silhouette],
        wish: Wish,
        arena: Arena,
    ) -> Dancer:
        """Look at a person closely and cut the puppet while the plate is filled."""
        size = (photo.shape[0], photo.shape[1])
        skeleton = read_skeleton(landmarks, size)

        def carve(desk: Arena) -> tuple[Silhouette, Cut]:
            seen = look(desk)
            return seen, cut_out(photo, seen, skeleton)

        with arena.beside() as desk, ThreadPoolExecutor(1, thread_name_prefix="cut") as beside:
            carving = beside.submit(copy_context().run, carve, desk)
            filled = self._filled(photo, mask, skeleton, wish, arena)
            seen, cut = carving.result()
            rig = make_rig(skeleton, cut, seen, arena)
        home = home_of(skeleton, size)
        rest = pose_of(skeleton, home)
        return Dancer(rig=rig, home=home, rest=rest, photo=photo, filled=filled, size=size)

    def _filled(
        self, photo: Pixels, mask: Mask, skeleton: Skeleton, wish: Wish, arena: Arena
    ) -> Pixels | None:
        """Return the photo without the person, None where nobody will see it."""
        if wish.background not in (Background.KEEP, Background.BLUR):
            return None
        hole = grow(mask, HOLE_SHARE * skeleton.torso)
        for trace in (cast_shadow, held_things):
            np.maximum(hole, trace(photo, mask, skeleton), out=hole)
        return self.filler.fill(photo, hole, arena)

    def _framed(
        self, pixels: Pixels, wish: Wish, size: tuple[int, int], arena: Arena
    ) -> tuple[Pixels, Person | None]:
        """Scale a photo so that it covers the clip, and choose the person."""
        scale = max(size[0] / pixels.shape[0], size[1] / pixels.shape[1])
        covering = tuple(
            max(least, round(extent * scale))
            for least, extent in zip(size, pixels.shape[:2], strict=True)
        )
        photo = pixels
        if covering != pixels.shape[:2]:
            photo = arena.array((*covering, 3), np.uint8)
            self._raster.resize(pixels, photo)
        # A photo that was enlarged shows no more, and things that look like people more often.
        searched = pixels if scale > 1 else photo
        people = self.finder.people(searched, arena)
        person = people[0] if people else None
        if wish.person is not None:
            x, y = wish.person
            person = person_at(people, x * searched.shape[1], y * searched.shape[0])
        return photo, person and person.scaled(photo.shape[1] / searched.shape[1])

    def accompaniment(
        self, sound: Sound | None, wish: Wish, clip: ClipFormat, field: str
    ) -> Accompaniment:
        """Find the beats of the music, or count some.

        Args:
            sound: the uploaded music, None for silence.
            field: path of the music in error details.

        Raises:
            InvalidRequestError: the music is silent or too short.
        """
        if sound is None:
            grid = counted_beats(wish.beats_per_minute or TEMPO_DEFAULT, clip.seconds)
            return Accompaniment(grid=grid, sound=None)
        grid = beats_of(
            sound.samples, SAMPLES_PER_SECOND, clip.seconds, wish.beats_per_minute, field
        )
        return Accompaniment(grid=grid, sound=sound)

    def motion(self, data: memoryview, field: str) -> Capture:
        """Read an uploaded motion file; see `bvh.read_bvh`."""
        return read_bvh(data, field)

    def driving(
        self,
        data: memoryview,
        media_type: str,
        seconds: float,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Capture:
        """Read how the person of a driving video moves; see `driving.read_driving`."""
        return read_driving(data, media_type, seconds, self.finder, arena, cancelled)

    def moves(self, names: Sequence[str]) -> tuple[Move, ...]:
        """Return the moves that were named, or some that suit everybody.

        Raises:
            InvalidRequestError: a name that is not known; the metadata names those that are.
        """
        return tuple(
            self.book.move(name, f"options.moves[{place}]")
            for place, name in enumerate(names or MOVES_DEFAULT)
        )

    def frames(
        self,
        dancer: Dancer,
        accompaniment: Accompaniment,
        capture: Capture | None,
        wish: Wish,
        clip: ClipFormat,
        arena: Arena,
    ) -> Iterator[Pixels]:
        """Draw a clip.

        Args:
            capture: the movement, None to dance the moves.
            arena: where plate and canvases go; they are used until the last frame.

        Yields:
            HxWx3 uint8 RGB, or HxWx4 with a transparent background; see `render.frames`.
        """
        skeleton, home = dancer.rig.skeleton, dancer.home
        standing = not skeleton.missing & set(LEGS)
        scene = Scene(
            rig=dancer.rig,
            plate=make_plate(wish.background, dancer.filled, wish.colour, dancer.size, arena),
            shadow=make_shadow(skeleton, home.feet) if wish.shadow and standing else None,
            push=wish.camera_push,
            focus=(float(home.pelvis[0]), float(skeleton.neck[1])),
            transparent=wish.background is Background.TRANSPARENT,
        )
        stances = self.stances(dancer, accompaniment, capture, wish, clip)
        yield from frames(scene, stances, clip.frame_count, arena)

    def stances(
        self,
        dancer: Dancer,
        accompaniment: Accompaniment,
        capture: Capture | None,
        wish: Wish,
        clip: ClipFormat,
    ) -> Iterator[tuple[Stance, Stance]]:
        """Pose a dancer: for each frame of a clip the body then, and a moment before."""
        times = np.arange(clip.frame_count) / clip.frames_per_second
        if capture is None:
            moves = self.moves(wish.moves)
            dance = Choreography(moves, accompaniment.grid, wish.intensity, wish.seed, dancer.rest)
            now, before = dance.poses(times), dance.poses(np.maximum(times - LATE_SECONDS, 0.0))
        else:
            now, before = (
                set_out(capture, each, wish.intensity, dancer.rest)
                for each in (times, np.maximum(times - LATE_SECONDS, 0.0))
            )
        skeleton = dancer.rig.skeleton
        for pose, late in zip(fitted(now, dancer), fitted(before, dancer), strict=True):
            stance = stand(skeleton, dancer.home, pose)
            yield stance, stand(skeleton, dancer.home, late) if dancer.rig.trails else stance


def crop_window(person: Person, photo: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int]:
    """Return the first row and column of the part of a photo that a clip shows."""
    box = person.box
    top = round((box.top + box.bottom - size[0]) / 2)
    left = round((box.left + box.right - size[1]) / 2)
    return min(max(top, 0), photo[0] - size[0]), min(max(left, 0), photo[1] - size[1])


def set_out(capture: Capture, times: NDArray[np.float64], intensity: float, rest: Pose) -> Pose:
    """Return captured poses that set out from the photo's."""
    poses = capture.at(times, intensity, rest)
    early = times < SET_OUT_SECONDS
    start = np.tile(rest, (int(early.sum()), 1))
    poses[early] = blended(start, poses[early], times[early] / SET_OUT_SECONDS)
    return poses


def fitted(poses: Pose, dancer: Dancer) -> Pose:
    """Keep a dance inside of its picture: no head above its border, no trunk without its legs.

    A person whose legs the photo cuts off sways about where they are cut.
    """
    skeleton = dancer.rig.skeleton
    poses = poses.copy()
    if skeleton.missing & set(LEGS):
        poses[:, Channel.SHIFT] *= CUT_SHARE
        poses[:, Channel.DROP] = 0.0
        poses[:, Channel.SWAY] *= CUT_SHARE
        return poses
    crown = dancer.home.pelvis[1] - skeleton.torso - 2.3 * skeleton.head_radius
    room = max(0.0, crown - HEADROOM * skeleton.head_radius) / skeleton.leg
    np.maximum(poses[:, Channel.DROP], -room, out=poses[:, Channel.DROP])
    return poses
