"""What the blocking and the awaiting client have in common: their options and their one call."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypedDict, TypeVar

from batchpix_client.channels import Pem, Token
from batchpix_client.jobs import DEADLINE_SECONDS, Region, Style, StylizeJob
from batchpix_client.pictures import Source

# What a client takes pictures from, and what it hands back for one call.
PicturesT = TypeVar("PicturesT")
CallT = TypeVar("CallT")


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


class ClientBase(ABC, Generic[PicturesT, CallT]):
    """The one call that both clients have; its transport is in each of them."""

    def stylize(  # noqa: PLR0913  # keywords with defaults, as the options of the protocol
        self,
        pictures: PicturesT,
        style: Style,
        *,
        strength: float | None = None,
        preserve_colour: bool = False,
        region: Region | str = Region.WHOLE,
        masks: Sequence[Source | None] = (),
        style_scale: float | None = None,
        seed: int = 0,
        format: str = "",  # noqa: A002  # the protocol's own word for it
        quality: int = 0,
        long_side_pixels_max: int = 0,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> CallT:
        """Stylise pictures; iterate over what is returned to send them and to get each result.

        Pictures are taken one by one while earlier results already come back, and none is taken
        before the service has let the call in. Results come in the order in which they are made.

        Args:
            pictures: paths, bytes or `Picture`s, as many as you like.
            style: a name, a picture, a mapping of names to weights, or a sequence to mix.
            strength: 0 (the photo) to 1 (the full style); None = 1.
            preserve_colour: keep the photo's own colours.
            region: "whole", "subject" (the people only) or "background" (all but them).
            masks: for the picture at the same position, a grey picture of its size that chooses
                (255) where it is changed; None for a picture without one.
            style_scale: size of the strokes, 0.25 to 4; None = 1.
            seed: chooses among equally good results.
            format: "jpeg", "png", "webp" or a media type; empty = as each picture came.
            quality: 1 to 100; 0 = the service's default.
            long_side_pixels_max: results are scaled down to this; 0 = the picture's own size.
            deadline_seconds: time for the whole call, retries included.
        """
        job = StylizeJob(
            style=style,
            strength=strength,
            preserve_colour=preserve_colour,
            region=region,
            masks=masks,
            style_scale=style_scale,
            seed=seed,
            format=format,
            quality=quality,
            long_side_pixels_max=long_side_pixels_max,
            deadline_seconds=deadline_seconds,
        )
        return self.begin(job, pictures)

    @abstractmethod
    def begin(self, job: StylizeJob, pictures: PicturesT) -> CallT:
        """Make the call's object for a job; it sends nothing before it is iterated over."""
