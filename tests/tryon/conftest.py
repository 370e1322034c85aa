"""A try-on pipeline whose networks know a drawn figure and drawn garments, and its service."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from batchpix.tryon.v1 import tryon_pb2_grpc
from gateway.certs import CertificatePaths
from services.chassis.calls import CallDesk
from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.server import Feature
from services.tryon import canvas, figure
from services.tryon.body import Wearer
from services.tryon.garment import Garment, GarmentCategory
from services.tryon.pipeline import TryonPipeline
from services.tryon.servicer import TryonServicer
from services.vision.frame import Window
from services.vision.parts import PartMap
from services.vision.person import Person
from tests.house import House, credentials_of, house_settings, open_house

Pixels = NDArray[np.uint8]

SERVICE = "batchpix.tryon.v1.TryonService"
# Ground of drawn pictures that show something else than they should.
EMPTY = (0, 0, 0)


class FigureFinder:
    """Finds the drawn figure in any picture that is not black."""

    def sitting(self) -> AbstractContextManager["FigureFinder"]:
        """Leave nothing anywhere."""
        return nullcontext(self)

    def people(
        self,
        pixels: Pixels,
        arena: Arena,  # noqa: ARG002
        *,
        in_parts: bool = True,  # noqa: ARG002
    ) -> tuple[Person, ...]:
        """See `PersonFinder`."""
        return (figure.person(),) if pixels.any() else ()


class FigureParts:
    """Knows the parts of the drawn figure, in the window that the pipeline looks at."""

    def sitting(self) -> AbstractContextManager["FigureParts"]:
        """Leave nothing anywhere."""
        return nullcontext(self)

    def parts(self, pixels: Pixels, person: Person, arena: Arena) -> PartMap:  # noqa: ARG002
        """See `PartsFinder`."""
        drawn = figure.wearer()
        top, left = (round(float(shift)) for shift in shift_of(person))
        part = slice(top, top + pixels.shape[0]), slice(left, left + pixels.shape[1])
        return PartMap(
            body=drawn.body[part].copy(),
            wear=drawn.wear[part].copy(),
            person=(drawn.body[part] > 0).astype(np.uint8) * np.uint8(255),
            window=Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1]),
            shares=np.zeros((7, 1, 1), np.uint8),
            lens=CpuRaster(1),
        )


def shift_of(person: Person) -> tuple[float, float]:
    """Return the row and column of the figure that a window starts at."""
    apart = figure.landmarks()[0] - person.landmarks[0]
    return float(apart[1]), float(apart[0])


class DrawnGarments:
    """Reads drawn garments: their kind is told by the picture's first pixel."""

    def sitting(self) -> AbstractContextManager["DrawnGarments"]:
        """Leave nothing anywhere."""
        return nullcontext(self)

    def read(
        self,
        pixels: Pixels,
        arena: Arena,  # noqa: ARG002
        category: GarmentCategory | None = None,
    ) -> Garment:
        """See `GarmentReader`."""
        number = int(pixels[0, 0, 0]) - 200
        kinds = list(GarmentCategory)
        if not 0 <= number < len(kinds):
            raise InvalidRequestError(Reason.GARMENT_NOT_FOUND, "the picture shows no garment")
        garment = figure.garment(kinds[number])[1]
        return replace(garment, category=category or garment.category)


class MirrorFiller:
    """Fills holes with what is nearest."""

    def sitting(self) -> AbstractContextManager["MirrorFiller"]:
        """Leave nothing anywhere."""
        return nullcontext(self)

    def fill(self, pixels: Pixels, hole: NDArray[np.uint8], arena: Arena) -> Pixels:  # noqa: ARG002
        """See `Inpainter`."""
        return canvas.mirrored_out(pixels, hole == 0)


def garment_picture(category: GarmentCategory) -> Pixels:
    """Draw a garment whose first pixel tells `DrawnGarments` what it is."""
    pixels = figure.garment(category)[0].copy()
    pixels[0, 0] = 200 + list(GarmentCategory).index(category)
    return pixels


@pytest.fixture
def arena() -> Iterator[Arena]:
    """Lease memory for one test."""
    with Budget(1 << 28).lease(0) as leased:
        yield leased


@pytest.fixture
def wearer() -> Wearer:
    """Draw the figure."""
    return figure.wearer()


@pytest.fixture
def pipeline() -> TryonPipeline:
    """Make the pipeline around the figure."""
    return TryonPipeline(
        people=FigureFinder(),
        parts=FigureParts(),
        garments=DrawnGarments(),
        filler=MirrorFiller(),
        raster=CpuRaster(1),
    )


@pytest.fixture
async def house(certificates: CertificatePaths, pipeline: TryonPipeline) -> AsyncIterator[House]:
    """Run the service."""

    def register(server: grpc.aio.Server, desk: CallDesk) -> None:
        servicer = TryonServicer(desk, pipeline)
        tryon_pb2_grpc.add_TryonServiceServicer_to_server(servicer, server)

    feature = Feature(
        name="tryon", service=SERVICE, engine="fake", register=register, warm_up=lambda: None
    )
    settings = house_settings(
        certificates.services["tryon"], pixels_max=1_000_000, stall_seconds_max=5.0
    )
    async with open_house(settings, feature) as running:
        yield running


@pytest.fixture
def stub(house: House, certificates: CertificatePaths) -> Iterator[tryon_pb2_grpc.TryonServiceStub]:
    """Call the service as the gateway does."""
    with grpc.secure_channel(house.address, credentials_of(certificates, "gateway")) as channel:
        yield tryon_pb2_grpc.TryonServiceStub(channel)
