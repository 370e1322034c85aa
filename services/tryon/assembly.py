"""Puts the try-on service together: store, engines, pipeline, servicer."""

import threading
from contextlib import suppress

import grpc

from batchpix.tryon.v1 import tryon_pb2_grpc
from services.chassis.calls import CallDesk
from services.chassis.engine.choice import load_engines, tell_fallback
from services.chassis.errors import MeshError
from services.chassis.media import image
from services.chassis.media.image import Picture
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.chassis.settings import Settings
from services.chassis.store import ModelStore
from services.tryon import figure
from services.tryon.cloth import cut_out
from services.tryon.garment import GARMENT, GarmentCategory, GarmentReader
from services.tryon.networks import NETWORKS
from services.tryon.outfit import Hint, Tuck, Worn
from services.tryon.pipeline import TryonPipeline
from services.tryon.servicer import TryonServicer
from services.vision.inpaint import Inpainter
from services.vision.loading import load_person_finder
from services.vision.networks import INPAINT
from services.vision.parts import PARTS, PartsFinder

SERVICE = "batchpix.tryon.v1.TryonService"
WARM_UP_BYTES = 1 << 30
WARM_UP = (
    (GarmentCategory.TOP_SHORT_SLEEVE, Tuck.IN),
    (GarmentCategory.OUTERWEAR, Tuck.OVER),
    (GarmentCategory.SKIRT, Tuck.OVER),
    (GarmentCategory.TROUSERS, Tuck.OVER),
    (GarmentCategory.DRESS, Tuck.OVER),
)


def assemble(settings: Settings) -> Feature:
    """Load the networks and wire the feature."""
    pipeline = make_pipeline(settings)

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = TryonServicer(desk, pipeline)
        tryon_pb2_grpc.add_TryonServiceServicer_to_server(servicer, server)

    return Feature(
        name="tryon",
        service=SERVICE,
        engine=pipeline.engine,
        register=register,
        warm_up=lambda: warm_up(pipeline),
    )


def make_pipeline(settings: Settings) -> TryonPipeline:
    """Load the networks that see people, their parts and garments."""
    store, raster = ModelStore(settings.models), CpuRaster(settings.threads)
    engines = load_engines(settings, store, NETWORKS, tell_fallback("tryon"))
    return TryonPipeline(
        people=load_person_finder(engines, raster),
        parts=PartsFinder(engines[PARTS], raster),
        garments=GarmentReader(engines[GARMENT], raster),
        filler=Inpainter(raster, engines[INPAINT]),
        raster=raster,
        engine=engines[PARTS].description,
    )


def warm_up(pipeline: TryonPipeline) -> None:
    """Run every path once: codecs, all networks, each way of laying a garment on a body."""
    image.warm_up()
    drawn = figure.wearer()
    with Budget(WARM_UP_BYTES).lease(0) as arena, pipeline.sitting() as mine:
        mine.look(drawn.pixels, figure.person(), arena)
        # What the networks make of drawings does not matter.
        with suppress(MeshError):
            mine.read_garment(figure.garment(WARM_UP[0][0])[0], Hint(), arena)
        for category, tuck in WARM_UP:
            with arena.scope():
                worn = Worn(cloth=cut_out(*figure.garment(category)), tuck=tuck, field="")
                mine.dress(drawn, [worn], 0, arena, threading.Event())
        with suppress(MeshError):
            photo = Picture(pixels=drawn.pixels, alpha=None)
            seen = mine.see(photo.pixels, None, arena)
            mine.try_on(photo, seen, [worn], 0, arena, threading.Event())
