"""Puts the stylize service together: store, engines, pipeline, servicer."""

import threading

import grpc
import numpy as np

from batchpix.stylize.v1 import stylize_pb2_grpc
from services.chassis.calls import CallDesk
from services.chassis.engine.choice import load_engines, tell_fallback
from services.chassis.media import image
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore
from services.stylize.manner import Manner, Region
from services.stylize.networks import GPU_REACH, NETWORKS, PAINTER, STYLE_ENCODER
from services.stylize.painter import Painter, Reach
from services.stylize.pipeline import StylizePipeline
from services.stylize.servicer import StylizeServicer
from services.stylize.styles import StyleBook
from services.vision.loading import load_person_finder

SERVICE = "batchpix.stylize.v1.StylizeService"
WARM_UP_SIZES = ((512, 512), (1080, 1920))


def assemble(settings: Settings) -> Feature:
    """Load networks and styles and wire the feature."""
    return feature_of(make_pipeline(settings))


def feature_of(pipeline: StylizePipeline) -> Feature:
    """Wire the feature around its pipeline."""

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = StylizeServicer(desk, pipeline)
        stylize_pb2_grpc.add_StylizeServiceServicer_to_server(servicer, server)

    return Feature(
        name="stylize",
        service=SERVICE,
        engine=pipeline.engine,
        register=register,
        warm_up=lambda: warm_up(pipeline),
    )


def make_pipeline(settings: Settings) -> StylizePipeline:
    """Load networks and styles."""
    store, raster = ModelStore(settings.models), CpuRaster(settings.threads)
    engines = load_engines(settings, store, NETWORKS, tell_fallback("stylize"))
    reach = GPU_REACH if engines.device is Device.CUDA else Reach()
    return StylizePipeline(
        painter=Painter(engines[PAINTER], raster, reach),
        style_encoder=engines[STYLE_ENCODER],
        subject_finder=load_person_finder(engines, raster),
        book=StyleBook.from_json(store.open("styles")),
        raster=raster,
    )


def warm_up(pipeline: StylizePipeline) -> None:
    """Run every path once: codecs, the usual sizes, a style picture, all knobs."""
    image.warm_up()
    with Budget(1 << 30).lease(0) as arena:
        for size in WARM_UP_SIZES:
            with arena.scope():
                paint_grey(pipeline, size, arena)


def paint_grey(pipeline: StylizePipeline, size: tuple[int, int], arena: Arena) -> None:
    """Paint a grey picture in a grey style."""
    pixels = arena.array((*size, 3), np.uint8)
    pixels[:] = 128
    mask = arena.array(size, np.uint8)
    code = pipeline.style_code(pixels, arena)
    manner = Manner(strength=0.5, preserve_colour=True, seed=1)
    pipeline.region_mask(pixels, mask, Region.SUBJECT, arena)
    with pipeline.sitting() as sitting:
        pipeline.stylise(sitting, pixels, mask, code, manner, arena, threading.Event())
