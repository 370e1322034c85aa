"""The awaiting client: the blocking one, off the event loop."""

import asyncio
from types import TracebackType
from typing import Self, Unpack

from batchpix_client.async_stylization import AsyncStylization, Pictures
from batchpix_client.catalogue import NamedStyle, Policy
from batchpix_client.client import Client
from batchpix_client.interface import ClientBase, ConnectionOptions
from batchpix_client.jobs import StylizeJob


class AsyncClient(ClientBase[Pictures, AsyncStylization]):
    """Calls the mesh and awaits; takes the arguments of `Client`. Use it with `async with`.

    Example:
        async with AsyncClient("localhost:8443", ca=Path("ca.crt"), token=token) as client:
            async for result in client.stylize([Path("photo.jpg")], "starry_night"):
                ...
    """

    def __init__(self, address: str, **options: Unpack[ConnectionOptions]) -> None:
        """Set up; nothing is connected before the first call."""
        self._client = Client(address, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect; calls that still run are cancelled."""
        await asyncio.to_thread(self._client.close)

    async def styles(self) -> tuple[NamedStyle, ...]:
        """Name the styles that the service knows.

        Raises:
            BatchpixError: the call failed.
        """
        return await asyncio.to_thread(self._client.styles)

    async def policy(self) -> Policy:
        """Fetch the privacy policy in force, with the keys that receipts are signed with.

        Raises:
            BatchpixError: the call failed.
        """
        return await asyncio.to_thread(self._client.policy)

    def begin(self, job: StylizeJob, pictures: Pictures) -> AsyncStylization:
        """Make the call's object for a job; it sends nothing before it is iterated over."""
        return AsyncStylization(lambda sent: self._client.begin(job, sent), pictures)
