"""The stylize service with networks that paint negatives, quick enough for thousands of calls."""

import grpc
import numpy as np

from batchpix.stylize.v1 import stylize_pb2_grpc
from services.chassis.calls import CallDesk
from services.chassis.engine.fake import averaging_encoder, inverting_painter
from services.chassis.media import image
from services.chassis.memory.arena import Arena
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.stylize.painter import Painter, Reach
from services.stylize.pipeline import STYLE_PICTURE_SIDE, Mask, Pixels, StylizePipeline
from services.stylize.servicer import StylizeServicer
from services.stylize.styles import Style, StyleBook

SERVICE = "batchpix.stylize.v1.StylizeService"
STYLE = "plain"
CODE_SIZE = 4
REACH = Reach(stride=16, margin=16, tile_side_max=128, tile_pixels_max=128 * 128, size_step=16)


class Nobody:
    """A subject finder for which no picture has people."""

    def mask(self, pixels: Pixels, arena: Arena) -> Mask:
        """Choose nothing."""
        return arena.array(pixels.shape[:2], np.uint8)


def make_pipeline(threads: int) -> StylizePipeline:
    """Make a pipeline that knows one style."""
    raster = CpuRaster(threads)
    code = np.zeros(CODE_SIZE, np.float32)
    return StylizePipeline(
        painter=Painter(inverting_painter(CODE_SIZE), raster, REACH),
        style_encoder=averaging_encoder(STYLE_PICTURE_SIDE, CODE_SIZE),
        subject_finder=Nobody(),
        book=StyleBook([Style(name=STYLE, title="Plain", painter="", year=0, code=code)]),
        raster=raster,
    )


def assemble(threads: int) -> Feature:
    """Wire the feature."""
    pipeline = make_pipeline(threads)

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = StylizeServicer(desk, pipeline)
        stylize_pb2_grpc.add_StylizeServiceServicer_to_server(servicer, server)

    return Feature(
        name="stylize", service=SERVICE, engine="fake", register=register, warm_up=image.warm_up
    )
