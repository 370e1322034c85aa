"""A stylize service in the test's own process, with a network that paints negatives."""

from collections.abc import AsyncIterator, Iterator

import grpc
import numpy as np
import pytest

from batchpix.stylize.v1 import stylize_pb2_grpc
from gateway.certs import CertificatePaths
from services.chassis.engine.fake import averaging_encoder, inverting_painter
from services.chassis.memory.arena import Arena
from services.chassis.raster.cpu import CpuRaster
from services.stylize.assembly import feature_of
from services.stylize.painter import Painter, Reach
from services.stylize.pipeline import STYLE_PICTURE_SIDE, Mask, Pixels, StylizePipeline
from services.stylize.styles import Style, StyleBook
from tests.house import House, channel_to, credentials_of, house_settings, open_house

CODE_SIZE = 4
SMALL_TILES = Reach(
    stride=16, margin=16, tile_side_max=128, tile_pixels_max=128 * 128, size_step=16
)


class LeftHalf:
    """A subject finder for which people stand in the left half."""

    def mask(self, pixels: Pixels, arena: Arena) -> Mask:
        """Choose the left half."""
        mask = arena.array(pixels.shape[:2], np.uint8)
        mask[:, : pixels.shape[1] // 2] = 255
        return mask


def style(name: str, first: float) -> Style:
    """Make a style whose code starts with a number."""
    code = np.array([first, 0.0, 0.0, 0.0], np.float32)
    return Style(name=name, title=name.title(), painter="", year=0, code=code)


@pytest.fixture
def pipeline() -> StylizePipeline:
    """Make the pipeline of two styles: `plain` paints the negative, `light` a brighter one."""
    raster = CpuRaster(1)
    return StylizePipeline(
        painter=Painter(inverting_painter(CODE_SIZE), raster, SMALL_TILES),
        style_encoder=averaging_encoder(STYLE_PICTURE_SIDE, CODE_SIZE),
        subject_finder=LeftHalf(),
        book=StyleBook([style("light", 40.0), style("plain", 0.0)]),
        raster=raster,
    )


@pytest.fixture
async def house(certificates: CertificatePaths, pipeline: StylizePipeline) -> AsyncIterator[House]:
    """Run the service with limits small enough to be reached."""
    settings = house_settings(
        certificates.services["stylize"],
        medium_bytes_max=1 << 20,
        call_bytes_max=2 << 20,
        pixels_max=1_000_000,
        media_max=4,
        deadline_seconds_max=60.0,
        stall_seconds_max=2.0,
    )
    async with open_house(settings, feature_of(pipeline)) as running:
        yield running


@pytest.fixture
def stub(
    house: House, certificates: CertificatePaths
) -> Iterator[stylize_pb2_grpc.StylizeServiceStub]:
    """Call the service as the gateway does."""
    with grpc.secure_channel(house.address, credentials_of(certificates, "gateway")) as channel:
        yield stylize_pb2_grpc.StylizeServiceStub(channel)


@pytest.fixture
async def awaiting_stub(
    house: House, certificates: CertificatePaths
) -> "AsyncIterator[stylize_pb2_grpc.StylizeServiceAsyncStub]":
    """Call the service as the gateway does, step by step from the test's own loop."""
    async with channel_to(house.address, certificates, "gateway") as channel:
        yield stylize_pb2_grpc.StylizeServiceStub(channel)


@pytest.fixture
def stranger(house: House, certificates: CertificatePaths) -> Iterator[grpc.Channel]:
    """Call the service with a good certificate that is not on its list."""
    with grpc.secure_channel(house.address, credentials_of(certificates, "developer")) as channel:
        yield channel
