"""The blocking client."""

from collections.abc import Iterable
from types import TracebackType
from typing import Never, Self, TypeVar

from batchpix_client.calls import Call, ClipCall
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
from batchpix_client.media import Source
from batchpix_client.results import Figure, GarmentFound, Result, TryOnPart

ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")


class Client(ClientBase):
    """Calls the mesh and blocks; may be shared by threads. Use it with `with`, or close it.

    What the calls take is described at their jobs: `StylizeJob`, `VideoJob`, `DanceJob` and
    `TryOnJob`. A call sends nothing before it is iterated over.

    Example:
        with Client("localhost:8443", ca=Path("ca.crt"), token=token) as client:
            for result in client.stylize([Path("photo.jpg")], "starry_night"):
                ...
            client.video(Path("photo.jpg"), camera="orbit", seconds=4).save(Path("clip.mp4"))
    """

    stylize = of_photos(StylizeJob, Call[Result, Never])
    """Stylise pictures: `client.stylize(pictures, style, strength=0.8, ...)`."""
    video = of_photo(VideoJob, ClipCall[Never])
    """Make a clip of one photo: `client.video(photo, camera="orbit", loop=True, ...)`."""
    dance = of_photo(DanceJob, ClipCall[Figure])
    """Let a person dance: `client.dance(photo, moves=["floss"], music=song, ...)`."""
    try_on = of_photo(TryOnJob, Call[TryOnPart, GarmentFound])
    """Dress a person: `client.try_on(photo, garments, mask_wanted=True, ...)`."""

    def begin(self, job: Job[ResultT, FoundT], photos: Iterable[Source]) -> Call[ResultT, FoundT]:
        """Make the call of any job; it sends nothing before it is iterated over."""
        return Call(self._line, job, photos)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; calls that still run are cancelled."""
        self._line.channel.close()

    def styles(self) -> tuple[NamedStyle, ...]:
        """Name the styles that stylize knows.

        Raises:
            BatchpixError: the call failed.
        """
        return ask_styles(self._line)

    def moves(self) -> tuple[NamedMove, ...]:
        """Name the moves that dance knows.

        Raises:
            BatchpixError: the call failed.
        """
        return ask_moves(self._line)

    def policy(self) -> Policy:
        """Fetch the privacy policy in force, with the keys that receipts are signed with.

        Raises:
            BatchpixError: the call failed.
        """
        return ask_policy(self._line)
