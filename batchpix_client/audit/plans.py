"""What a call of the audit sends, and how it is broken off."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix_client.audit import forms
from batchpix_client.audit.canaries import Aviary, Canary
from batchpix_client.audit.conversation import DEADLINE_SECONDS, Metadata, Request
from batchpix_client.audit.needles import Needle
from batchpix_client.jobs.job import AnyJob
from batchpix_client.media import Medium
from batchpix_client.mesh import LocalMesh
from batchpix_client.uploads import Upload
from batchpix_client.wire import STYLIZE, Wire

PNG = media_pb2.PictureFormat(media_type="image/png")
JPEG_TYPE = "image/jpeg"


@dataclass(slots=True, kw_only=True)
class Plan:
    """What one call sends, and how it is broken off.

    Attributes:
        requests: the caller's half of the stream.
        wire: the feature that is called.
        needles: pieces of all that is sent.
        outcomes: status codes that the path may end with.
        deadline_seconds: of the call.
        cancel_seconds: when it is cancelled; None = never.
        metadata: headers beside the token.
    """

    requests: Sequence[Message]
    needles: Sequence[Needle]
    wire: Wire = STYLIZE
    outcomes: Sequence[str] = ("OK",)
    deadline_seconds: float = DEADLINE_SECONDS
    cancel_seconds: float | None = None
    metadata: Metadata = ()

    @property
    def is_broken_off(self) -> bool:
        """Whether the call ends before its results are all there."""
        return self.cancel_seconds is not None or self.deadline_seconds < DEADLINE_SECONDS


@dataclass(slots=True, kw_only=True)
class Maker:
    """What plans are made of.

    Attributes:
        aviary: source of canaries.
        style: a style that stylize knows, empty if it does not run.
        move: a move that dance knows, empty if it does not run.
        call: label of the call that is being planned.
    """

    aviary: Aviary
    style: str = ""
    move: str = ""
    call: str = ""
    needles: list[Needle] = field(default_factory=list)

    def keep(self, canary: Canary) -> Canary:
        """Remember what to look for."""
        self.needles += canary.needles
        return canary

    def word(self, form: str) -> str:
        """Make a text and remember it."""
        text = self.aviary.text()
        self.needles += forms.of_text(text, form, self.call)
        return text

    def picture(self, media_type: str = JPEG_TYPE, side: int = 512) -> Canary:
        """Make a picture and remember it."""
        return self.keep(self.aviary.picture(self.call, media_type, side))

    def plan(self, *parts: Request | Iterator[Request], outcomes: Sequence[str] = ("OK",)) -> Plan:
        """Put messages together to a plan."""
        whole = chain.from_iterable([part] if isinstance(part, Request) else part for part in parts)
        return Plan(requests=list(whole), needles=self.needles, outcomes=outcomes)

    def job(self, job: AnyJob, photo: Canary, outcomes: Sequence[str] = ("OK",)) -> Plan:
        """Put together what the SDK would send for a job."""
        upload = Upload(job)
        return Plan(
            requests=[upload.opening(), *upload.media([as_sent(photo)])],
            needles=self.needles,
            wire=job.wire,
            outcomes=outcomes,
        )


def maker_of(mesh: LocalMesh, aviary: Aviary) -> Maker:
    """Make a maker for the features that run in a mesh.

    Raises:
        BatchpixError: the mesh does not answer.
    """
    running = mesh.profile.internal
    with mesh.client() as client:
        return Maker(
            aviary=aviary,
            style=client.styles()[0].name if "stylize" in running else "",
            move=client.moves()[0].name if "dance" in running else "",
        )


def as_sent(canary: Canary) -> Medium:
    """Send a canary with the SDK."""
    return Medium(source=canary.content, media_type=canary.media_type)


Path = Callable[[Maker], Plan]
