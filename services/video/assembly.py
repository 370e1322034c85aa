"""Puts the video service together: store, engines, pipeline, studio, servicer."""

import threading
from typing import Final

import grpc
import numpy as np

from batchpix.video.v1 import video_pb2_grpc
from services.chassis.calls import CallDesk
from services.chassis.engine.choice import load_engines, tell_fallback
from services.chassis.media import clip, image, movie
from services.chassis.media.clip import ClipFormat
from services.chassis.media.movie import Studio
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.chassis.settings import Settings
from services.chassis.store import ModelStore
from services.video.camera import CameraPath
from services.video.networks import NETWORKS
from services.video.pipeline import VideoPipeline
from services.video.servicer import VideoServicer
from services.video.shot import LivingRegion, Shot
from services.vision.depth import DepthFinder
from services.vision.loading import load_person_finder
from services.vision.networks import DEPTH

SERVICE: Final = "batchpix.video.v1.VideoService"
# Of the proportions that the depth network has a shape for; how large does not matter.
WARM_UP_SIZES: Final = ((144, 256), (256, 144), (192, 192), (192, 256), (256, 192))
WARM_UP_BYTES: Final = 1 << 28


def assemble(settings: Settings) -> Feature:
    """Load the networks and wire the feature."""
    pipeline = make_pipeline(settings)
    studio = Studio(raster=CpuRaster(settings.threads), threads=settings.threads)

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = VideoServicer(desk, pipeline, studio)
        video_pb2_grpc.add_VideoServiceServicer_to_server(servicer, server)

    return Feature(
        name="video",
        service=SERVICE,
        engine=pipeline.engine,
        register=register,
        warm_up=lambda: warm_up(pipeline, studio),
        frames_max=clip.FRAMES_MAX,
    )


def make_pipeline(settings: Settings) -> VideoPipeline:
    """Load the networks that see depth and people."""
    store, raster = ModelStore(settings.models), CpuRaster(settings.threads)
    engines = load_engines(settings, store, NETWORKS, tell_fallback("video"))
    people = load_person_finder(engines, raster)
    return VideoPipeline(
        depth_finder=DepthFinder(engine=engines[DEPTH], people=people, lens=raster),
        lens=raster,
    )


def warm_up(pipeline: VideoPipeline, studio: Studio) -> None:
    """Run every path once: codecs, photos of all proportions, blur, a flow, a depth map."""
    image.warm_up()
    movie.warm_up(studio)
    for size in WARM_UP_SIZES:
        warm_up_at(size, pipeline)


def warm_up_at(size: tuple[int, int], pipeline: VideoPipeline) -> None:
    """Make two frames of a picture with a square in it, with the depth found and with its own."""
    region = LivingRegion(mask_index=0, direction_degrees=0.0, speed=0.1)
    shot = Shot(path=CameraPath.DOLLY_ZOOM, depth_of_field=0.5, living_regions=(region,))
    with Budget(WARM_UP_BYTES).lease(0) as arena:
        picture, mask = arena.array((*size, 3), np.uint8), arena.array(size, np.uint8)
        mask[size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2] = 255
        picture[:] = mask[:, :, None]
        for depth_map in (None, mask):
            film = pipeline.prepare(
                picture, depth_map, [mask], shot, ClipFormat(), arena, threading.Event()
            )
            for _ in zip(range(2), film.frames(), strict=False):
                pass
