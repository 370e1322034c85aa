"""The awaiting client: the blocking one's calls, off the event loop."""

import asyncio
from types import TracebackType
from typing import Never, Self, TypeVar

from batchpix_client.async_calls import AsyncCall, AsyncClipCall, Photos
from batchpix_client.catalogue import (
    NamedMove,
    NamedStyle,
    Policy,
    ask_moves,
    ask_policy,
    ask_styles,
)
from batchpix_client.interface import ClientBase, of_photo, of_photos
from batchpix_client.jobs.dance import DanceJob
from batchpix_client.jobs.job import Job
from batchpix_client.jobs.stylize import StylizeJob
from batchpix_client.jobs.tryon import TryOnJob
from batchpix_client.jobs.video import VideoJob
from batchpix_client.results import Figure, GarmentFound, Result, TryOnPart

ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")


class AsyncClient(ClientBase):
    """Calls the mesh and awaits; takes the arguments of `Client`. Use it with `async with`.

    Example:
        async with AsyncClient("localhost:8443", ca=Path("ca.crt"), token=token) as client:
            async for result in client.stylize([Path("photo.jpg")], "starry_night"):
                ...
            await client.video(Path("photo.jpg"), camera="orbit").save(Path("clip.mp4"))
    """

    stylize = of_photos(StylizeJob, AsyncCall[Result, Never])
    """As `Client.stylize`; pictures may come from an async iterable too."""
    video = of_photo(VideoJob, AsyncClipCall[Never])
    """As `Client.video`."""
    dance = of_photo(DanceJob, AsyncClipCall[Figure])
    """As `Client.dance`."""
    try_on = of_photo(TryOnJob, AsyncCall[TryOnPart, GarmentFound])
    """As `Client.try_on`."""

    def begin(self, job: Job[ResultT, FoundT], photos: Photos) -> AsyncCall[ResultT, FoundT]:
        """As `Client.begin`."""
        return AsyncCall(self._line, job, photos)

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
        await asyncio.to_thread(self._line.channel.close)

    async def styles(self) -> tuple[NamedStyle, ...]:
        """Name the styles that stylize knows.

        Raises:
            BatchpixError: the call failed.
        """
        return await asyncio.to_thread(ask_styles, self._line)

    async def moves(self) -> tuple[NamedMove, ...]:
        """Name the moves that dance knows.

        Raises:
            BatchpixError: the call failed.
        """
        return await asyncio.to_thread(ask_moves, self._line)

    async def policy(self) -> Policy:
        """Fetch the privacy policy in force, with the keys that receipts are signed with.

        Raises:
            BatchpixError: the call failed.
        """
        return await asyncio.to_thread(ask_policy, self._line)
