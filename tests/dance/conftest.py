"""The dance pipeline with its real networks, small photos, and the service around it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from batchpix.dance.v1 import dance_pb2_grpc
from gateway.certs import CertificatePaths
from services.chassis.errors import InternalError
from services.chassis.media.clip import ClipFormat
from services.chassis.memory.arena import Arena, Budget
from services.chassis.store import ModelStore
from services.dance.assembly import feature_of, make_pipeline
from services.dance.pipeline import DancePipeline, Dancer
from services.dance.wish import Wish
from tests.house import House, credentials_of, house_settings, open_house

Pixels: TypeAlias = NDArray[np.uint8]
Draw: TypeAlias = "Callable[..., list[Pixels]]"

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ROOT / "samples" / "people"
HEIGHT = 320


def photo(name: str, height: int = HEIGHT) -> Pixels:
    """Read a sample person, scaled to a height: HxWx3 uint8 RGB."""
    (file,) = PEOPLE.glob(f"{name}_*.jpg")
    image = Image.open(file).convert("RGB")
    return np.asarray(image.resize((round(image.width * height / image.height), height)))


@pytest.fixture(scope="session")
def pipeline(certificates: CertificatePaths) -> DancePipeline:
    """Open the networks; without the fetched ones the tests are skipped."""
    settings = house_settings(certificates.services["dance"], models=ROOT / "models", threads=2)
    try:
        ModelStore(settings.models).path("pose_landmarker")
    except InternalError as error:
        pytest.skip(f"the pose models are not fetched: {error.message}")
    return make_pipeline(settings)


@pytest.fixture
def arena() -> Iterator[Arena]:
    """Lease memory for one test."""
    with Budget(1 << 29).lease(0) as leased:
        yield leased


@pytest.fixture(scope="session")
def anna(pipeline: DancePipeline) -> Iterator[Dancer]:
    """Make a puppet of one sample person, for many tests."""
    with Budget(1 << 28).lease(0) as memory:
        pixels = photo("anna_teal")
        size = ClipFormat().size_for(*pixels.shape[:2])
        yield pipeline.dancer(pixels, Wish(), size, "media[0]", memory)


@pytest.fixture
def draw(pipeline: DancePipeline, arena: Arena) -> Draw:
    """Draw a short clip of a photo, or of a dancer: all frames, copied."""

    def drawn(subject: Pixels | Dancer, seconds: float = 1.0, **options: object) -> list[Pixels]:
        wish, clip = Wish(**options), ClipFormat(seconds=seconds, frames_per_second=12.0)  # type: ignore[arg-type]
        if not isinstance(subject, Dancer):
            size = clip.size_for(*subject.shape[:2])
            subject = pipeline.dancer(subject, wish, size, "media[0]", arena)
        music = pipeline.accompaniment(None, wish, clip, "")
        return [frame.copy() for frame in pipeline.frames(subject, music, None, wish, clip, arena)]

    return drawn


@pytest.fixture
async def house(certificates: CertificatePaths, pipeline: DancePipeline) -> AsyncIterator[House]:
    """Run the service."""
    settings = house_settings(certificates.services["dance"], stall_seconds_max=5.0)
    async with open_house(settings, feature_of(pipeline)) as running:
        yield running


@pytest.fixture
def stub(house: House, certificates: CertificatePaths) -> Iterator[dance_pb2_grpc.DanceServiceStub]:
    """Call the service as the gateway does."""
    with grpc.secure_channel(house.address, credentials_of(certificates, "gateway")) as channel:
        yield dance_pb2_grpc.DanceServiceStub(channel)
