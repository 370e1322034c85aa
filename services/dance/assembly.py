"""Puts the dance service together: store, networks, moves, pipeline, servicer."""

import threading
from contextlib import suppress

import grpc
import numpy as np
from numpy.typing import NDArray

from batchpix.dance.v1 import dance_pb2_grpc
from services.chassis.calls import CallDesk
from services.chassis.engine.choice import load_engines, tell_fallback
from services.chassis.errors import InvalidRequestError
from services.chassis.media import image, movie
from services.chassis.media.clip import FRAMES_MAX, ClipFormat
from services.chassis.media.movie import Studio
from services.chassis.media.sound import SAMPLES_PER_SECOND, Sound, decode_sound
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.chassis.settings import Settings
from services.chassis.store import ModelStore
from services.dance.moves import load_moves
from services.dance.networks import NETWORKS
from services.dance.outline import Silhouette
from services.dance.pipeline import DancePipeline
from services.dance.servicer import DanceServicer
from services.dance.wish import Wish
from services.vision.frame import Frame, Window
from services.vision.inpaint import Inpainter
from services.vision.landmarker import CELLS, LANDMARKS
from services.vision.loading import load_person_finder
from services.vision.networks import INPAINT
from services.vision.parts import PARTS, BodyPart, PartsFinder, Wear
from services.vision.person import Person

SERVICE = "batchpix.dance.v1.DanceService"
WARM_UP_BYTES = 1 << 30
WARM_UP_SIZE = (480, 320)
# A stick figure to warm up with: the head, then left limbs, x and y in pixels.
HEAD = (160, 60)
LEFT = {11: (190, 110), 13: (200, 165), 15: (205, 215), 17: (206, 228), 19: (206, 228)}
LEFT |= {23: (178, 230), 25: (180, 325), 27: (182, 415), 29: (180, 425), 31: (186, 432)}


def assemble(settings: Settings) -> Feature:
    """Load networks and moves and wire the feature."""
    return feature_of(make_pipeline(settings))


def feature_of(pipeline: DancePipeline) -> Feature:
    """Wire the feature around its pipeline."""

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = DanceServicer(desk, pipeline)
        dance_pb2_grpc.add_DanceServiceServicer_to_server(servicer, server)

    return Feature(
        name="dance",
        service=SERVICE,
        engine=pipeline.engine,
        register=register,
        warm_up=lambda: warm_up(pipeline),
        frames_max=FRAMES_MAX,
    )


def make_pipeline(settings: Settings) -> DancePipeline:
    """Load networks and moves."""
    store, raster = ModelStore(settings.models), CpuRaster(settings.threads)
    engines = load_engines(settings, store, NETWORKS, tell_fallback("dance"))
    return DancePipeline(
        finder=load_person_finder(engines, raster),
        parts=PartsFinder(engines[PARTS], raster),
        filler=Inpainter(raster, engines[INPAINT]),
        book=load_moves(),
        raster=raster,
        studio=Studio(raster=raster, threads=settings.threads),
        engine=engines[PARTS].description,
    )


def warm_up(pipeline: DancePipeline) -> None:
    """Run every path once: codecs, networks, beats, moves, a film and every frame's work."""
    image.warm_up()
    film = movie.warm_up(pipeline.studio)
    with Budget(WARM_UP_BYTES).lease(0) as arena:
        clip = ClipFormat(seconds=1.0)
        click = arena.array((2, 4 * SAMPLES_PER_SECOND), np.float32)
        click[:, :: SAMPLES_PER_SECOND // 2] = 1.0
        music = pipeline.accompaniment(Sound(samples=click), Wish(), clip, "")
        decode_sound(memoryview(film), movie.MP4, 1.0, arena)
        pixels = arena.array((*WARM_UP_SIZE, 3), np.uint8)
        pixels[:] = 128
        with suppress(InvalidRequestError):
            # The film is grey: reading it is warmed up, and that nobody is in it.
            pipeline.driving(memoryview(film), movie.MP4, 1.0, arena, threading.Event())
        landmarks, seen = stick_figure(arena)
        look_once(pipeline, pixels, landmarks, arena)
        dancer = pipeline.puppet(pixels, seen, landmarks, Wish(), arena)
        for _ in pipeline.frames(dancer, music, None, Wish(camera_push=0.1), clip, arena):
            pass


def look_once(
    pipeline: DancePipeline, pixels: NDArray[np.uint8], landmarks: NDArray[np.float32], arena: Arena
) -> None:
    """Run every network once in the shape that it has in calls."""
    height, width = pixels.shape[:2]
    person = Person(
        score=1.0,
        frame=Frame(centre=(width / 2, height / 2), side=1.1 * height, turn=0.0),
        box=Window(top=40, left=110, bottom=440, right=210),
        landmarks=landmarks,
        silhouette=np.full((CELLS, CELLS), 255, np.uint8),
    )
    with arena.scope(), pipeline.sitting() as mine:
        mine.finder.people(pixels, arena)
        mine.finder.landmarker.read(arena.array((CELLS, CELLS, 3), np.uint8), arena)
        mine.parts.parts(pixels, person, arena)


def stick_figure(arena: Arena) -> tuple[NDArray[np.float32], Silhouette]:
    """Return landmarks and silhouette of somebody who stands there."""
    landmarks = np.ones((LANDMARKS, 4), np.float32)
    landmarks[:, :3] = (*HEAD, 0.0)
    for number, (x, y) in LEFT.items():
        landmarks[number, :2] = x, y
        landmarks[number + 1, :2] = 2 * HEAD[0] - x, y
    mask = arena.array(WARM_UP_SIZE, np.uint8)
    mask[40:440, 120:210] = 255
    body, wear = mask // 255 * BodyPart.TORSO, mask // 255 * Wear.UPPER
    return landmarks, Silhouette(mask=mask, body=body, wear=wear)
