"""The SDK of the mesh: a blocking and an awaiting client, and what they hand back."""

from batchpix_client.async_client import AsyncClient
from batchpix_client.client import Client
from batchpix_client.clips import Clip, SavedClip
from batchpix_client.errors import BatchpixError
from batchpix_client.jobs.clip import Container
from batchpix_client.jobs.dance import Background, DanceJob
from batchpix_client.jobs.stylize import Region, StylizeJob, WeightedStyle
from batchpix_client.jobs.tryon import Category, Garment, TryOnJob, Tuck
from batchpix_client.jobs.video import Camera, Easing, KeyFrame, LivingRegion, VideoJob
from batchpix_client.media import Medium
from batchpix_client.receipts import Receipt
from batchpix_client.results import (
    ClipFacts,
    ClipPart,
    DressedPicture,
    EditMask,
    FailedPicture,
    Figure,
    Frame,
    GarmentFound,
    Piece,
    Progress,
    Result,
    StylizedPicture,
    TryOnPart,
)

__all__ = [
    "AsyncClient",
    "Background",
    "BatchpixError",
    "Camera",
    "Category",
    "Client",
    "Clip",
    "ClipFacts",
    "ClipPart",
    "Container",
    "DanceJob",
    "DressedPicture",
    "Easing",
    "EditMask",
    "FailedPicture",
    "Figure",
    "Frame",
    "Garment",
    "GarmentFound",
    "KeyFrame",
    "LivingRegion",
    "Medium",
    "Piece",
    "Progress",
    "Receipt",
    "Region",
    "Result",
    "SavedClip",
    "StylizeJob",
    "StylizedPicture",
    "TryOnJob",
    "TryOnPart",
    "Tuck",
    "VideoJob",
    "WeightedStyle",
]
