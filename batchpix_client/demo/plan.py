"""A call of the demonstration, and what is shown of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchpix_client.channels import configuration_error
from batchpix_client.client import Client
from batchpix_client.clips import collect_clip
from batchpix_client.errors import BatchpixError
from batchpix_client.jobs.job import AnyJob
from batchpix_client.results import (
    ClipPart,
    EditMask,
    FailedPicture,
    FinishedPicture,
    Piece,
    StylizedPicture,
)

SCENE_FOLDER, PERSON_FOLDER, GARMENT_FOLDER = "scenes", "people", "garments"
DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Pictures to send.

    Attributes:
        scenes: landscapes and the like.
        people: whole persons.
        garments: one garment each, by itself.
        truth: folder of masks that belong to them.
    """

    scenes: tuple[Path, ...]
    people: tuple[Path, ...]
    garments: tuple[Path, ...]
    truth: Path

    @property
    def pictures(self) -> tuple[Path, ...]:
        """All of them, the richest first."""
        return (*self.scenes, *self.people, *self.garments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One call.

    Attributes:
        caption: what is done, in words.
        job: what is wanted.
        photos: what it is wanted of.
        beside: further inputs to show.
    """

    caption: str
    job: AnyJob
    photos: tuple[Path, ...]
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Inputs beside what became of them.

    Attributes:
        feature: which one made it.
        inputs: the photo, then what went with it.
        caption: what was done, in words.
        data: the encoded result.
        media_type: what it is.
        width_pixels: of the result.
        height_pixels: of the result.
        first_seconds: from the start of the photo's upload to the first bytes that can be shown.
        elapsed_seconds: the same to the last.
    """

    feature: str
    inputs: tuple[Path, ...]
    caption: str
    data: bytes
    media_type: str
    width_pixels: int
    height_pixels: int
    first_seconds: float
    elapsed_seconds: float

    @property
    def is_clip(self) -> bool:
        """Whether it moves."""
        return self.media_type.startswith("video/")


def find_samples(root: Path) -> Samples:
    """List the sample pictures.

    Raises:
        BatchpixError: there are none.
    """
    scenes, people, garments = (
        tuple(sorted((root / name).glob("*.jpg")))
        for name in (SCENE_FOLDER, PERSON_FOLDER, GARMENT_FOLDER)
    )
    samples = Samples(scenes=scenes, people=people, garments=garments, truth=root / "truth")
    if not samples.pictures:
        raise configuration_error(f"no sample pictures under {root}", "samples")
    return samples


def of_words(name: str) -> str:
    """Write a name of lower_snake_case as words."""
    return name.replace("_", " ")


def run_plan(
    client: Client, plan: Plan, trusted_keys: Sequence[str], advance: Callable[[str], None]
) -> list[Shown]:
    """Make one call, verify its receipt and return the results in the order of the photos.

    Args:
        client: connected to the gateway.
        plan: what to do.
        trusted_keys: public keys (PEM) that the receipt must be signed with one of.
        advance: told the caption as each result arrives.

    Raises:
        BatchpixError: the call or one of its pictures failed, or the receipt does not hold.
    """
    with client.begin(plan.job, plan.photos) as call:
        shown = show(plan, call.to_the_end(), lambda: advance(plan.caption))
    if call.receipt is None:
        raise BatchpixError("DATA_LOSS", "RECEIPT_MISSING", "a call ended without a receipt")
    call.receipt.verify(*trusted_keys)
    return shown


def show(
    plan: Plan,
    parts: Iterable[ClipPart | FinishedPicture | FailedPicture],
    advance: Callable[[], None],
) -> list[Shown]:
    """Take what arrives.

    Raises:
        BatchpixError: a picture failed.
    """
    pieces: list[ClipPart] = []
    pictures: list[tuple[int, Shown]] = []
    for part in parts:
        if isinstance(part, FailedPicture):
            message = f"{plan.photos[part.index].name}, {plan.caption}: {part.message}"
            raise BatchpixError("INTERNAL", part.reason, message, field=part.field)
        if isinstance(part, Piece):
            pieces.append(part)
        elif not isinstance(part, EditMask):
            index = part.index if isinstance(part, StylizedPicture) else 0
            pictures.append((index, shown_picture(plan, plan.photos[index], part)))
            advance()
    if pieces:
        advance()
        return [shown_clip(plan, pieces)]
    return [each for _, each in sorted(pictures, key=lambda numbered: numbered[0])]


def shown_picture(plan: Plan, photo: Path, picture: FinishedPicture) -> Shown:
    """Show a finished picture."""
    return Shown(
        feature=plan.job.wire.feature,
        inputs=(photo, *plan.beside),
        caption=plan.caption,
        data=picture.data,
        media_type=picture.media_type,
        width_pixels=picture.width_pixels,
        height_pixels=picture.height_pixels,
        first_seconds=picture.elapsed_seconds,
        elapsed_seconds=picture.elapsed_seconds,
    )


def shown_clip(plan: Plan, pieces: Iterable[ClipPart]) -> Shown:
    """Show a finished clip."""
    clip = collect_clip(pieces)
    return Shown(
        feature=plan.job.wire.feature,
        inputs=(plan.photos[0], *plan.beside),
        caption=plan.caption,
        data=clip.data,
        media_type=clip.facts.media_type,
        width_pixels=clip.facts.width_pixels,
        height_pixels=clip.facts.height_pixels,
        first_seconds=clip.first_seconds,
        elapsed_seconds=clip.elapsed_seconds,
    )
