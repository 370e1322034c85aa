"""A video pipeline on pictures whose depth is known, and the service around it."""

from collections.abc import AsyncIterator, Iterator

import grpc
import pytest

from batchpix.video.v1 import video_pb2_grpc
from gateway.certs import CertificatePaths
from services.chassis.calls import CallDesk
from services.chassis.media.clip import FRAMES_MAX
from services.chassis.media.movie import Studio
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.video.pipeline import VideoPipeline
from services.video.servicer import VideoServicer
from tests.house import House, credentials_of, house_settings, open_house
from tests.video.scenes import KnownDepth

SERVICE = "batchpix.video.v1.VideoService"


@pytest.fixture
def arena() -> Iterator[Arena]:
    """Lease memory for one test."""
    with Budget(1 << 28).lease(0) as leased:
        yield leased


@pytest.fixture
def pipeline() -> VideoPipeline:
    """Make the pipeline with stand-ins for the networks."""
    return VideoPipeline(depth_finder=KnownDepth(), lens=CpuRaster(1))


@pytest.fixture
async def house(certificates: CertificatePaths, pipeline: VideoPipeline) -> AsyncIterator[House]:
    """Run the service."""
    studio = Studio(raster=CpuRaster(1), threads=1)

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = VideoServicer(desk, pipeline, studio)
        video_pb2_grpc.add_VideoServiceServicer_to_server(servicer, server)

    feature = Feature(
        name="video",
        service=SERVICE,
        engine="fake",
        register=register,
        warm_up=lambda: None,
        frames_max=FRAMES_MAX,
    )
    settings = house_settings(certificates.services["video"], stall_seconds_max=5.0)
    async with open_house(settings, feature) as running:
        yield running


@pytest.fixture
def stub(house: House, certificates: CertificatePaths) -> Iterator[video_pb2_grpc.VideoServiceStub]:
    """Call the service as the gateway does."""
    with grpc.secure_channel(house.address, credentials_of(certificates, "gateway")) as channel:
        yield video_pb2_grpc.VideoServiceStub(channel)
