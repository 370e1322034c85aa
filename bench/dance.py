"""How well people dance: `python -m bench.dance [--data FOLDER]`.

Every move is danced by six sample people. Pose is found again in the frames by two estimators: the
one that the service itself uses, and, with --data, BodyPix, which had no part in the dance. What
BodyPix finds is read twice: against the driven joints as they are, and against where it would mark
them, since it has another idea of what a hip is (`joints` tells how that is measured, on untouched
photos alone). Its figures on those photos, and on rendered people whose joints are exact, tell how
far the judge itself is to be believed. A joint hidden by the body counts as one to be found.

Speed is told as a ratio to playback, on this machine as busy as it is.
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
from bench.joints import NEAR_SHARE
from bench.poses import Sighting, pose_figures
from gateway.certs import make_development_certificates
from services.chassis.media.clip import ClipFormat
from services.chassis.media.movie import MovieFormat, open_movie
from services.chassis.media.sound import decode_sound
from services.chassis.memory.arena import Arena, Budget
from services.chassis.settings import Settings
from services.dance.assembly import make_pipeline
from services.dance.pipeline import Accompaniment, DancePipeline, Dancer
from services.dance.rig import neck_place, turn_about
from services.dance.skeleton import ARMS, LEGS, Points
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
# Moves that the background is compared in: one that goes far aside, one that leaves the ground.
EXACT_MOVES = ("two_step", "jump")
LANDMARKS = ((11, 13, 15), (12, 14, 16), (23, 25, 27), (24, 26, 28))
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
    parser.add_argument("--data", type=Path, help="folder with music/, teachers/ and people/")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    pipeline = open_pipeline()
    figures = quality(pipeline, options.data)
    if options.data:
        figures |= beats(pipeline, options.data)
    figures |= speed(pipeline)
    figures["load average of the machine"] = psutil.getloadavg()[0]
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
    seen: list[Sighting] = []
    bones, faces, slides, exact = [], [], [], []
    for person in PEOPLE:
        for clip, move in clips(pipeline, person):
            if move == pipeline.book.moves[0].name:
                joints = clip.dancer.rig.skeleton.limbs[:, :3]
                seen.append(look(pipeline, bodypix, clip, clip.dancer.photo, joints, ""))
            bones.append(bone_variation(clip))
            faces.append(min(face_likeness(clip)))
            slides.append(foot_slide(clip))
            if move in EXACT_MOVES:
                exact.append(background_exactness(pipeline, clip, move))
            for place in np.linspace(RATE, len(clip.frames) - 1, FRAMES).astype(int):
                joints = clip.stances[place].limbs[:, :3]
                seen.append(look(pipeline, bodypix, clip, clip.frames[place], joints, move))
    return pose_figures(seen, bodypix, data or Path()) | {
        "bone length variation, worst": max(bones),
        "face correlation, worst": min(faces),
        "face correlation, mean of worst in clip": float(np.mean(faces)),
        "planted foot slide over body height, worst": max(slides),
        "background pixels changed outside of figure and shadow": max(exact),
    }


def look(
    pipeline: DancePipeline,
    bodypix: BodyPix | None,
    clip: Clip,
    frame: Pixels,
    joints: Points,
    move: str,
) -> Sighting:
    """Let both estimators look for a pose in a frame."""
    return Sighting(
        move=move,
        joints=joints,
        near=NEAR_SHARE * clip.dancer.rig.skeleton.torso,
        size=frame.shape,
        own=found(pipeline, frame),
        other=bodypix.joints(frame) if bodypix else None,
    )


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
