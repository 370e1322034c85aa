"""The SDK of the mesh: a blocking and an awaiting client, and what they hand back."""

from batchpix_client.answers import FailedPicture, Progress, Result, StylizedPicture
from batchpix_client.async_client import AsyncClient
from batchpix_client.client import Client
from batchpix_client.errors import BatchpixError
from batchpix_client.jobs import Region, WeightedStyle
from batchpix_client.pictures import Picture
from batchpix_client.receipts import Receipt

__all__ = [
    "AsyncClient",
    "BatchpixError",
    "Client",
    "FailedPicture",
    "Picture",
    "Progress",
    "Receipt",
    "Region",
    "Result",
    "StylizedPicture",
    "WeightedStyle",
]
