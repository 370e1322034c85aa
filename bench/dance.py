"""How well people dance: `python -m bench.dance [--data FOLDER]`.

Every move is danced by six sample people. Pose is found again in the frames by two estimators: the
one that the service itself uses, and, with --data, BodyPix, which had no part in the dance. Speed
is told as a ratio to playback, on this machine as busy as it is.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from bench.bodypix import BodyPix
from gateway.certs import make_development_certificates
from services.chassis.media.clip import ClipFormat
from services.chassis.media.movie import MovieFormat, open_movie
from services.chassis.media.sound import decode_sound
from services.chassis.memory.arena import Arena, Budget
from services.chassis.settings import Settings
from services.dance.assembly import make_pipeline
from services.dance.pipeline import Accompaniment, DancePipeline, Dancer
from services.dance.rig import neck_place, turn_about
from services.dance.skeleton import ARMS, LEGS
from services.dance.stage import Background
from services.dance.stance import Stance
from services.dance.wish import Wish

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = ("amara", "anna_teal", "kofi", "lars", "mei", "priya")
HEIGHT = 640
SECONDS = 4.0
RATE = 12.0
# Frames that pose is found again in, evenly over a clip after it has set out from the photo.
FRAMES = 3
NEAR_SHARE = 0.1
# Moves that the background is compared in: one that goes far aside, one that leaves the ground.
EXACT_MOVES = ("two_step", "jump")
LANDMARKS = ((11, 13, 15), (12, 14, 16), (23, 25, 27), (24, 26, 28))
JOINT_NAMES = (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
SONGS = ("Karissa_Hobbs_-_Lets_Go_Fishin.ogg", "Kevin_MacLeod_-_Vibe_Ace.ogg")
ACCENT_SECONDS = 0.06

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip with what it was drawn from."""

    dancer: Dancer
    stances: list[Stance]
    frames: list[Pixels]


def main() -> None:
    """Print the tables, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.dance", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="folder with music/ and teachers/")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    pipeline = open_pipeline()
    figures = quality(pipeline, options.data)
    if options.data:
        figures |= beats(pipeline, options.data)
    figures |= speed(pipeline)
    for name, value in figures.items():
        print(f"{name:58} {value:10.4f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def open_pipeline() -> DancePipeline:
    """Open the networks."""
    with tempfile.TemporaryDirectory() as folder:
        paths = make_development_certificates(Path(folder), ("dance",)).services["dance"]
        settings = Settings(
            certificates=paths, receipt_key=paths / "receipt.key", allowed_callers=("spiffe://x/y",)
        )
    return make_pipeline(replace(settings, models=ROOT / "models", threads=2))


def quality(pipeline: DancePipeline, data: Path | None) -> dict[str, float]:
    """Measure pose, bones, faces, feet and background over all people and moves."""
    bodypix = BodyPix(data) if data else None
    own: dict[str, list[float]] = {}
    other: dict[str, list[float]] = {}
    bones, faces, slides, exact = [], [], [], []
    photos: dict[str, float] = {}
    by_joint: list[NDArray[np.float64]] = []
    errors: dict[str, list[NDArray[np.float64]]] = {}
    for person in PEOPLE:
        for clip, move in clips(pipeline, person):
            if bodypix and person not in photos:
                skeleton = clip.dancer.rig.skeleton
                joints, near = skeleton.limbs[:, :3], NEAR_SHARE * skeleton.torso
                photos[person] = agreement(bodypix.joints(clip.dancer.photo), joints, near)
            bones.append(bone_variation(clip))
            faces.append(min(face_likeness(clip)))
            slides.append(foot_slide(clip))
            if move in EXACT_MOVES:
                exact.append(background_exactness(pipeline, clip, move))
            for place in np.linspace(RATE, len(clip.frames) - 1, FRAMES).astype(int):
                frame, stance = clip.frames[place], clip.stances[place]
                joints = stance.limbs[:, :3]
                near = NEAR_SHARE * clip.dancer.rig.skeleton.torso
                joints = np.where(inside(joints, frame)[..., None], joints, np.nan)
                own.setdefault(move, []).append(agreement(found(pipeline, frame), joints, near))
                if bodypix:
                    seen = bodypix.joints(frame)
                    other.setdefault(move, []).append(agreement(seen, joints, near))
                    by_joint.append(hits(seen, joints, near))
                    errors.setdefault(person, []).append((seen - joints) / near)
    print(f"{'move':14} {'PCK@0.1':>8} {'BodyPix':>8}")
    for move, values in own.items():
        second = f"{np.mean(other[move]):8.3f}" if other else "       -"
        print(f"{move:14} {np.mean(values):8.3f} {second}")
    if by_joint:
        print_joints(np.nanmean(by_joint, axis=0))
    figures = {
        "PCK@0.1 of torso, pose network": mean_of(own),
        "bone length variation, worst": max(bones),
        "face correlation, worst": min(faces),
        "face correlation, mean of worst in clip": float(np.mean(faces)),
        "planted foot slide over body height, worst": max(slides),
        "background pixels changed outside of figure and shadow": max(exact),
    }
    if other:
        figures["PCK@0.1 of torso, BodyPix"] = mean_of(other)
        figures["PCK@0.1 of torso, BodyPix, joints as it defines them"] = redefined(errors)
        figures["PCK@0.1 of torso, BodyPix on the photos"] = float(np.mean([*photos.values()]))
    return figures


def print_joints(found: NDArray[np.float64]) -> None:
    """Print how often BodyPix found each of 4x3 joints."""
    print(f"{'BodyPix':14} {'left':>8} {'right':>8}")
    for pair, names in enumerate(JOINT_NAMES):
        for number, name in enumerate(names):
            left, right = found[2 * pair : 2 * pair + 2, number]
            print(f"{name:14} {left:8.3f} {right:8.3f}")


def redefined(errors: dict[str, list[NDArray[np.float64]]]) -> float:
    """Return the share of joints found where two estimators' ideas of a joint are told apart.

    What BodyPix calls a hip lies above what the pose network calls one, by the same way in every
    frame of a person: the median of that way is taken off.

    Args:
        errors: of each person, for each frame 4x3x2, over what still is near.
    """
    found = []
    for person in errors.values():
        ways = np.stack(person)
        away = np.linalg.norm(ways - np.nanmedian(ways, axis=0), axis=-1)
        found.append(np.where(np.isfinite(away), away < 1.0, np.nan))
    return float(np.nanmean(np.concatenate(found)))


def mean_of(scores: dict[str, list[float]]) -> float:
    """Return the mean over moves."""
    return float(np.mean([np.mean(values) for values in scores.values()]))


def clips(pipeline: DancePipeline, person: str) -> Iterator[tuple[Clip, str]]:
    """Draw every move with one person."""
    (file,) = (ROOT / "samples" / "people").glob(f"{person}_*.jpg")
    photo = np.asarray(Image.open(file).convert("RGB"))
    wanted = ClipFormat(seconds=SECONDS, frames_per_second=RATE, height_pixels=HEIGHT)
    with Budget(1 << 31).lease(0) as arena:
        size = wanted.size_for(*photo.shape[:2])
        dancer = pipeline.dancer(photo, Wish(), size, "", arena)
        for move in pipeline.book.moves:
            with arena.scope():
                wish = Wish(moves=(move.name,))
                music = pipeline.accompaniment(None, wish, wanted, "")
                stances = [now for now, _ in pipeline.stances(dancer, music, None, wish, wanted)]
                frames = draw(pipeline, dancer, music, wish, wanted, arena)
                yield Clip(dancer=dancer, stances=stances, frames=frames), move.name


def draw(
    pipeline: DancePipeline,
    dancer: Dancer,
    music: Accompaniment,
    wish: Wish,
    wanted: ClipFormat,
    arena: Arena,
) -> list[Pixels]:
    """Draw a whole clip and keep its frames."""
    drawn = pipeline.frames(dancer, music, None, wish, wanted, arena)
    return [frame.copy() for frame in drawn]


def found(pipeline: DancePipeline, frame: Pixels) -> NDArray[np.float64] | None:
    """Find the joints of a frame's person, 4x3x2; None for nobody."""
    with Budget(1 << 30).lease(0) as arena:
        people = pipeline.finder.people(frame, arena)
        if not people:
            return None
        places = people[0].landmarks[:, :2].astype(np.float64)
    return np.stack([places[list(limb)] for limb in LANDMARKS])


def inside(joints: NDArray[np.float64], frame: Pixels) -> NDArray[np.bool_]:
    """Tell which joints the picture shows: arms that are spread may go beyond its border."""
    return np.asarray(((joints >= 0) & (joints < frame.shape[1::-1])).all(axis=-1))


def agreement(seen: NDArray[np.float64] | None, joints: NDArray[np.float64], near: float) -> float:
    """Return the share of joints that were found near where they were driven to.

    Args:
        seen: 4x3x2, None for nobody.
        joints: the same, not a number where none can be seen.
        near: pixels.
    """
    if seen is None:
        return 0.0
    return float(np.nanmean(hits(seen, joints, near)))


def hits(
    seen: NDArray[np.float64], joints: NDArray[np.float64], near: float
) -> NDArray[np.float64]:
    """Return for each of 4x3 joints 1 for found near, 0 for not, not a number for out of sight."""
    away = np.linalg.norm(seen - joints, axis=-1)
    return np.where(np.isfinite(away), away < near, np.nan)


def bone_variation(clip: Clip) -> float:
    """Return how much bones change in length, depth counted, over their length."""
    worst = 0.0
    for limb in (*ARMS, *LEGS):
        flat = np.stack([np.diff(stance.limbs[limb, :3], axis=0) for stance in clip.stances])
        deep = np.stack([np.diff(stance.nearness[limb], prepend=0.0) for stance in clip.stances])
        long = np.sqrt((flat**2).sum(axis=-1) + deep**2)
        worst = max(worst, float((np.ptp(long, axis=0) / long.mean(axis=0)).max()))
    return worst


def face_likeness(clip: Clip) -> Iterator[float]:
    """Correlate the face of each frame, turned back, with the photo's."""
    rig = clip.dancer.rig
    x, y = rig.skeleton.head
    radius = 0.7 * rig.skeleton.head_radius
    left, top, right, bottom = (round(v) for v in (x - radius, y - radius, x + radius, y + radius))
    face = cv2.cvtColor(clip.dancer.photo, cv2.COLOR_RGB2GRAY)[top:bottom, left:right]
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    for frame, stance in zip(clip.frames, clip.stances, strict=True):
        turns = np.full(3, stance.head_turn)
        origin, across, down = turn_about(corners, rig.neck, turns, neck_place(rig, stance))
        matrix = np.array([across - origin, down - origin, origin]).T
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        back = cv2.warpAffine(frame, matrix, (frame.shape[1], frame.shape[0]), flags=flags)
        shown = cv2.cvtColor(back, cv2.COLOR_RGB2GRAY)[top:bottom, left:right]
        yield float(np.corrcoef(shown.ravel(), face.ravel())[0, 1])


def foot_slide(clip: Clip) -> float:
    """Return how far a planted foot goes from frame to frame, over the body's height."""
    worst = 0.0
    for before, after in zip(clip.stances, clip.stances[1:], strict=False):
        for number, limb in enumerate(LEGS):
            if before.planted[number] and after.planted[number]:
                slid = np.hypot(*(after.limbs[limb, 2] - before.limbs[limb, 2]))
                worst = max(worst, float(slid) / clip.dancer.rig.skeleton.height)
    return worst


def background_exactness(pipeline: DancePipeline, clip: Clip, move: str) -> float:
    """Return the share of pixels that change although nothing was drawn on them."""
    wanted = ClipFormat(seconds=SECONDS, frames_per_second=RATE)
    wish = Wish(moves=(move,), background=Background.TRANSPARENT)
    music = pipeline.accompaniment(None, wish, wanted, "")
    changed, plate = 0.0, clip.dancer.filled
    if plate is None:
        raise LookupError("the clip kept no background")
    with Budget(1 << 30).lease(0) as arena:
        covers = pipeline.frames(clip.dancer, music, None, wish, wanted, arena)
        for frame, cover in zip(clip.frames, covers, strict=True):
            bare = cover[:, :, 3] == 0
            changed += float((frame[bare] != plate[bare]).any(axis=1).sum())
    return changed / float(len(clip.frames) * plate.shape[0] * plate.shape[1])


def beats(pipeline: DancePipeline, data: Path) -> dict[str, float]:
    """Measure how many accents of dances to real songs are on a beat."""
    figures = {}
    wanted = ClipFormat(seconds=30.0, frames_per_second=60.0, height_pixels=HEIGHT)
    (file,) = (ROOT / "samples" / "people").glob("kofi_*.jpg")
    photo = np.asarray(Image.open(file).convert("RGB"))
    wish = Wish(
        moves=tuple(move.name for move in pipeline.book.moves), background=Background.COLOUR
    )
    with Budget(1 << 31).lease(0) as arena:
        dancer = pipeline.dancer(photo, wish, wanted.size_for(*photo.shape[:2]), "", arena)
        for song in SONGS:
            encoded = memoryview((data / "music" / song).read_bytes())
            music = pipeline.accompaniment(decode_sound(encoded, "", 33.0, arena), wish, wanted, "")
            stances = [now for now, _ in pipeline.stances(dancer, music, None, wish, wanted)]
            accents = rests(stances, wanted.frames_per_second)
            accents = accents[accents > 2 * music.grid.beat_seconds]
            away = np.abs(accents[:, None] - music.grid.times).min(axis=1)
            name = song.partition("_-_")[2].removesuffix(".ogg")
            figures[f"accents on a beat, {name}"] = float((away < ACCENT_SECONDS).mean())
            figures[f"accents, {name}"] = float(len(accents))
    return figures


def rests(stances: list[Stance], rate: float) -> NDArray[np.float64]:
    """Return when the body comes to rest for a moment: its accents, in seconds."""
    joints = np.stack([stance.limbs.reshape(-1, 2) for stance in stances])
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(axis=1)
    least = (speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:])
    calm = speed[1:-1] < 0.5 * np.median(speed)
    return np.asarray((np.flatnonzero(least & calm) + 1.5) / rate)


def speed(pipeline: DancePipeline) -> dict[str, float]:
    """Measure 720x1280 at 30 frames a second, H.264 included, and memory over the clip's length."""
    (file,) = (ROOT / "samples" / "people").glob("kofi_*.jpg")
    photo = np.asarray(Image.open(file).convert("RGB"))
    make_film(pipeline, photo, 1.0)
    films = {seconds: make_film(pipeline, photo, seconds) for seconds in (10.0, 60.0)}
    return {
        "playback over making, 720x1280": 60.0 / films[60.0][0],
        "first fragment, seconds after the upload": films[10.0][1],
        "memory of the call, 60 s over 10 s": films[60.0][2] / films[10.0][2],
        "resident memory, 60 s over 10 s": films[60.0][3] / films[10.0][3],
    }


def make_film(
    pipeline: DancePipeline, photo: Pixels, seconds: float
) -> tuple[float, float, float, float]:
    """Make a film: seconds for all frames, to the first fragment, call and resident bytes."""
    wanted = ClipFormat(seconds=seconds, width_pixels=720, height_pixels=1280)
    wish, first, peak = Wish(), 0.0, 0.0
    with Budget(1 << 31).lease(0) as arena:
        started = time.perf_counter()
        dancer = pipeline.dancer(photo, wish, (1280, 720), "", arena)
        music = pipeline.accompaniment(None, wish, wanted, "")
        film = MovieFormat(height=1280, width=720, frames_per_second=30.0, quality=75)
        drawing = time.perf_counter()
        with open_movie(film, pipeline.studio, arena) as writer:
            for frame in pipeline.frames(dancer, music, None, wish, wanted, arena):
                writer.frame(frame)
                if writer.take() and not first:
                    first = time.perf_counter() - started
                peak = max(peak, float(psutil.Process().memory_info().rss))
            writer.finish()
        return time.perf_counter() - drawing, first, float(arena.leased_bytes), peak


if __name__ == "__main__":
    main()
