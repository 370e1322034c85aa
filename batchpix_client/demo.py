"""The demonstration: sample pictures through a private mesh, every named style at least once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

from batchpix_client.channels import configuration_error
from batchpix_client.client import Client
from batchpix_client.errors import BatchpixError
from batchpix_client.jobs.stylize import Region
from batchpix_client.results import FailedPicture, StylizedPicture

SAMPLE_FOLDERS = ("scenes", "people", "garments")
MASK_FOLDER = "truth"
MASK_ENDING = "_person.png"
DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One call: pictures, and what is done with all of them.

    Attributes:
        caption: what is done, in words.
        pictures: files to send.
        options: keyword arguments of `Client.stylize`, the style among them.
    """

    caption: str
    pictures: tuple[Path, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture beside what became of it.

    Attributes:
        source: the file that was sent.
        caption: what was done, in words.
        result: what came back.
    """

    source: Path
    caption: str
    result: StylizedPicture


def find_samples(root: Path) -> list[Path]:
    """List the sample pictures: scenes, then people, then garments.

    Raises:
        BatchpixError: there are none.
    """
    samples = [path for name in SAMPLE_FOLDERS for path in sorted((root / name).glob("*.jpg"))]
    if not samples:
        raise configuration_error(f"no sample pictures under {root}", "samples")
    return samples


def plan_demo(samples: Sequence[Path], styles: Sequence[str], truth: Path) -> list[Plan]:
    """Share the samples out among the styles, and add one call for each further option.

    Args:
        samples: pictures to send, the richest first; each is sent once or more.
        styles: names of styles, paintings first: they show best on rich pictures, and what is left
            of the samples goes to the last styles. Each is used once or more.
        truth: folder with masks of people, `<picture>_person.png`.
    """
    count = max(len(samples), len(styles))
    order = chain(styles, cycle(reversed(styles)))
    pairs = list(zip(islice(cycle(samples), count), islice(order, count), strict=True))
    named = [
        Plan(
            caption=of_words(style),
            pictures=tuple(picture for picture, chosen in pairs if chosen == style),
            options={"style": style},
        )
        for style in styles
    ]
    return named + plan_options(samples, styles, truth)


def plan_options(samples: Sequence[Path], styles: Sequence[str], truth: Path) -> list[Plan]:
    """Plan a mix, kept colours, half strength, another stroke size, a style picture and a mask."""
    first, second = styles[0], styles[len(styles) // 3]
    portrait, view, manner = samples[len(samples) // 2], samples[0], samples[1 % len(samples)]
    names = of_words(f"{first} and {second}")
    options: list[tuple[str, Path, dict[str, Any]]] = [
        (f"{names}, mixed", view, {"style": [first, second]}),
        ("colours kept", view, {"style": first, "preserve_colour": True}),
        ("half strength", portrait, {"style": first, "strength": 0.5}),
        ("large strokes", portrait, {"style": first, "style_scale": 2.0}),
        (f"in the manner of {of_words(manner.stem)}", view, {"style": manner}),
    ]
    masks = {picture: truth / f"{picture.stem}{MASK_ENDING}" for picture in samples}
    masked = [picture for picture, mask in masks.items() if mask.is_file()]
    for picture in masked[:1]:
        mask = {"style": second, "masks": [masks[picture]]}
        options.append(("the person only, by a mask", picture, mask))
    for picture in masked[1:2]:
        region = {"style": second, "region": Region.BACKGROUND}
        options.append(("all but the person", picture, region))
    return [
        Plan(caption=caption, pictures=(picture,), options=chosen)
        for caption, picture, chosen in options
    ]


def of_words(name: str) -> str:
    """Write a name of lower_snake_case as words."""
    return name.replace("_", " ")


def run_plan(
    client: Client, plan: Plan, trusted_keys: Sequence[str], advance: Callable[[str], None]
) -> list[Shown]:
    """Make one call, verify its receipt and return the results in the order of the pictures.

    Args:
        client: connected to the gateway.
        plan: what to do.
        trusted_keys: public keys (PEM) that the receipt must be signed with one of.
        advance: told the caption as each picture arrives.

    Raises:
        BatchpixError: the call or one of its pictures failed, or the receipt does not hold.
    """
    shown = []
    with client.stylize(plan.pictures, deadline_seconds=DEADLINE_SECONDS, **plan.options) as call:
        for result in call:
            source = plan.pictures[result.index]
            if isinstance(result, FailedPicture):
                message = f"{source.name}, {plan.caption}: {result.message}"
                raise BatchpixError("INTERNAL", result.reason, message, field=result.field)
            shown.append(Shown(source=source, caption=plan.caption, result=result))
            advance(plan.caption)
    if call.receipt is None:
        raise BatchpixError("DATA_LOSS", "RECEIPT_MISSING", "a call ended without a receipt")
    call.receipt.verify(*trusted_keys)
    return sorted(shown, key=lambda each: each.result.index)
