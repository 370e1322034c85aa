"""What the demonstration asks of tryon: people in a top, in trousers, in a dress, in an outfit."""

from pathlib import Path

from batchpix_client.demo.plan import DEADLINE_SECONDS, Plan, Samples, of_words
from batchpix_client.jobs.tryon import TryOnJob

PEOPLE = 3
# One garment of each kind, by the beginnings of their files' names.
KINDS = ("upper", "lower", "dress")


def plan_tryon(samples: Samples) -> list[Plan]:
    """Plan each of some people with each of some garments, and one of them with an outfit."""
    people, garments = wearers(samples), wardrobe(samples)
    plans = [dressed(person, (garment,)) for person in people for garment in garments]
    outfit = tuple(garments[:2])
    return plans + [dressed(person, outfit) for person in people[-1:] if len(outfit) > 1]


def dressed(person: Path, garments: tuple[Path, ...]) -> Plan:
    """Plan one person with garments."""
    return Plan(
        caption=" and ".join(of_words(garment.stem) for garment in garments),
        photos=(person,),
        job=TryOnJob(garments, deadline_seconds=DEADLINE_SECONDS),
        beside=garments,
    )


def wearers(samples: Samples) -> tuple[Path, ...]:
    """Choose people, spread over all that there are, others than dance where there are enough."""
    step = max(len(samples.people) // PEOPLE, 1)
    return (samples.people[1::step] or samples.people)[:PEOPLE]


def wardrobe(samples: Samples) -> list[Path]:
    """Choose a garment of each kind; of another naming, the first few."""
    of_kinds = [
        next((path for path in samples.garments if path.stem.startswith(kind)), None)
        for kind in KINDS
    ]
    return [path for path in of_kinds if path] or list(samples.garments[: len(KINDS)])
