"""One typical call of each feature, as the benches make it through the SDK."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from batchpix_client import BatchpixError, Client, FailedPicture, Receipt
from batchpix_client.mesh import LocalMesh, has_service
from bench.pictures import GARMENT, PERSON, SAMPLES, jpeg
from bench.processes import Household

STYLE, QUALITY = "starry_night", 90
CLIP_SECONDS, FRAMES_PER_SECOND = 2.0, 24.0
CLIP_SIDE = 512
PERSON_SIZE = (512, 768)


class Call(Protocol):
    """A call of the SDK's that is under way."""

    @property
    def receipt(self) -> Receipt | None:
        """What was wiped, once it has ended."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


Begin: TypeAlias = Callable[[Client], Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one call took.

    Attributes:
        seconds: to the end, receipt included.
        first_seconds: to the first result, or to the first piece of a clip.
        result_seconds: to the last of them.
        leased_bytes: most call memory at a time, as the receipt states.
        sent_bytes: bytes of all results.
    """

    seconds: float
    first_seconds: float
    result_seconds: float
    leased_bytes: int
    sent_bytes: int


def take(client: Client, begin: Begin) -> Taken:
    """Make a call and see it through.

    Raises:
        BatchpixError: it failed, or one of its pictures did.
    """
    started = time.perf_counter()
    first = last = 0.0
    sent_bytes = 0
    call = begin(client)
    for part in call:
        if isinstance(part, FailedPicture):
            raise BatchpixError("INVALID_ARGUMENT", part.reason, part.message)
        last = time.perf_counter() - started
        first = first or last
        sent_bytes += len(part.data)
    receipt = call.receipt
    return Taken(
        seconds=time.perf_counter() - started,
        first_seconds=first,
        result_seconds=last,
        leased_bytes=receipt.statement.host_bytes_leased if receipt else 0,
        sent_bytes=sent_bytes,
    )


def stylize_call(width: int, height: int, count: int = 1) -> Begin:
    """Paint photos of a size in one call."""
    photos = [jpeg(SAMPLES[place % len(SAMPLES)], width, height) for place in range(count)]
    return lambda client: client.stylize(photos, STYLE, quality=QUALITY)


def video_call(seconds: float, side: int = CLIP_SIDE) -> Begin:
    """Make a clip of a photo."""
    photo = jpeg(SAMPLES[0], side, side)
    return lambda client: client.video(
        photo, camera="orbit", seconds=seconds, frames_per_second=FRAMES_PER_SECOND
    )


def dance_call(seconds: float, size: tuple[int, int] = PERSON_SIZE) -> Begin:
    """Let a person dance the first of the moves."""
    photo = jpeg(PERSON, *size)
    moves: list[str] = []

    def begin(client: Client) -> Call:
        if not moves:
            # Asked once, since the question is a call too.
            moves.append(client.moves()[0].name)
        return client.dance(
            photo, moves=moves, seconds=seconds, frames_per_second=FRAMES_PER_SECOND
        )

    return begin


def tryon_call(width: int, height: int) -> Begin:
    """Dress a person in another top."""
    photo, garment = jpeg(PERSON, width, height), GARMENT.read_bytes()
    return lambda client: client.try_on(photo, [garment], quality=QUALITY)


TYPICAL: dict[str, Begin] = {
    "stylize": stylize_call(1024, 1024),
    "video": video_call(CLIP_SECONDS),
    "dance": dance_call(CLIP_SECONDS),
    "tryon": tryon_call(*PERSON_SIZE),
}


def built() -> list[str]:
    """List the features that can be measured here."""
    return [feature for feature in TYPICAL if has_service(feature)]


def household(mesh: LocalMesh, feature: str) -> Household:
    """Find the processes of a feature's services."""
    ids = mesh.process_ids
    return Household([ids[name] for name in ids if name.partition("-")[0] == feature])
