"""What the blocking and the awaiting client have in common: their options and how calls begin."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypedDict, TypeVar, Unpack

from batchpix_client.channels import Endpoint, Line, Pem, Token, open_line
from batchpix_client.jobs.job import Job
from batchpix_client.media import Source

P = ParamSpec("P")
CallT = TypeVar("CallT")
PhotosT = TypeVar("PhotosT")
ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")


class ConnectionOptions(TypedDict, total=False):
    """How a client proves who it is, and what it believes; the fields are those of `Endpoint`."""

    ca: Pem | None
    """Authority (PEM) that signed the server's certificate; None = the system's."""
    token: Token | None
    """Bearer token for the gateway, or a function that fetches one for each call."""
    certificate: Pem | None
    """Own certificate chain (PEM) of an internal caller."""
    key: Pem | None
    """Private key (PEM) of `certificate`."""
    server_name: str
    """Name in the server's certificate where the address has another."""
    device: str
    """Coarse device model for the service's usage counts."""


class ClientBase:
    """A client that can begin calls; how it waits for them is up to what derives from it."""

    def __init__(self, address: str, **options: Unpack[ConnectionOptions]) -> None:
        """Set up; nothing is connected before the first call.

        Args:
            address: host and port, "localhost:8443".
            options: see `ConnectionOptions`.

        Raises:
            BatchpixError: a certificate without its key, or a file that cannot be read.
        """
        self._line: Line = open_line(Endpoint(address=address, **options))


def of_photos(
    job: Callable[P, Job[ResultT, FoundT]],
    call: Callable[[Line, Job[ResultT, FoundT], PhotosT], CallT],
) -> Callable[Concatenate[ClientBase, PhotosT, P], CallT]:
    """Make a client's method that begins calls on many photos.

    Args:
        job: makes the job of the method's arguments, which are the job's own fields.
        call: makes the call, which sends nothing before it is iterated over.
    """

    def begin(
        client: ClientBase, photos: PhotosT, /, *arguments: P.args, **options: P.kwargs
    ) -> CallT:
        return call(client._line, job(*arguments, **options), photos)  # noqa: SLF001  # a method

    begin.__doc__ = job.__doc__
    return begin


def of_photo(
    job: Callable[P, Job[ResultT, FoundT]],
    call: Callable[[Line, Job[ResultT, FoundT], list[Source]], CallT],
) -> Callable[Concatenate[ClientBase, Source, P], CallT]:
    """Make a client's method that begins calls on one photo; see `of_photos`."""

    def begin(
        client: ClientBase, photo: Source, /, *arguments: P.args, **options: P.kwargs
    ) -> CallT:
        return call(client._line, job(*arguments, **options), [photo])  # noqa: SLF001  # a method

    begin.__doc__ = job.__doc__
    return begin
