"""What the demonstration asks of stylize: every named style at least once, and each option."""

from collections.abc import Sequence
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path

from batchpix_client.demo.plan import DEADLINE_SECONDS, Plan, Samples, of_words
from batchpix_client.jobs.stylize import Region, StylizeJob

MASK_ENDING = "_person.png"
make_job = partial(StylizeJob, deadline_seconds=DEADLINE_SECONDS)


def plan_stylize(samples: Samples, styles: Sequence[str]) -> list[Plan]:
    """Share the samples out among the styles, and add one call for each further option.

    Args:
        samples: what to send; each picture is sent once or more.
        styles: names of styles, paintings first: they show best on rich pictures, and what is left
            of the samples goes to the last styles. Each is used once or more.
    """
    pictures = samples.pictures
    count = max(len(pictures), len(styles))
    order = chain(styles, cycle(reversed(styles)))
    pairs = list(zip(islice(cycle(pictures), count), islice(order, count), strict=True))
    named = [
        Plan(
            caption=of_words(style),
            photos=tuple(picture for picture, chosen in pairs if chosen == style),
            job=make_job(style),
        )
        for style in styles
    ]
    return named + plan_options(pictures, styles) + plan_regions(samples, styles)


def plan_options(pictures: Sequence[Path], styles: Sequence[str]) -> list[Plan]:
    """Plan a mix, kept colours, half strength, another stroke size and a style picture."""
    first, second = styles[0], styles[len(styles) // 3]
    portrait, view, manner = pictures[len(pictures) // 2], pictures[0], pictures[1 % len(pictures)]
    names = of_words(f"{first} and {second}")
    options = [
        (f"{names}, mixed", view, make_job([first, second])),
        ("colours kept", view, make_job(first, preserve_colour=True)),
        ("half strength", portrait, make_job(first, strength=0.5)),
        ("large strokes", portrait, make_job(first, style_scale=2.0)),
        (f"in the manner of {of_words(manner.stem)}", view, make_job(manner)),
    ]
    return [Plan(caption=caption, photos=(photo,), job=job) for caption, photo, job in options]


def plan_regions(samples: Samples, styles: Sequence[str]) -> list[Plan]:
    """Plan a person alone, by a mask, and all but a person, where samples have masks."""
    style = styles[len(styles) // 3]
    masks = {photo: samples.truth / f"{photo.stem}{MASK_ENDING}" for photo in samples.people}
    masked = [photo for photo, mask in masks.items() if mask.is_file()]
    plans = [
        Plan(
            caption="the person only, by a mask",
            photos=(photo,),
            job=make_job(style, masks=[masks[photo]]),
        )
        for photo in masked[:1]
    ]
    return plans + [
        Plan(
            caption="all but the person",
            photos=(photo,),
            job=make_job(style, region=Region.BACKGROUND),
        )
        for photo in masked[1:2]
    ]
