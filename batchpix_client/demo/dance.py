"""What the demonstration asks of dance: people with moves, with music, and after a film."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from batchpix_client.demo.music import make_music
from batchpix_client.demo.plan import DEADLINE_SECONDS, Plan, Samples, of_words
from batchpix_client.jobs.dance import DanceJob

PEOPLE = 3
SECONDS = 4.0
BEATS_PER_MINUTE = 110.0
# Those that show most, if the service knows them.
MOVES = ("floss", "disco_point", "running_man")


def plan_dance(samples: Samples, moves: Sequence[str]) -> list[Plan]:
    """Plan a dance for each of some people, each with another move, the first to music."""
    chosen = [move for move in MOVES if move in moves] or list(moves)
    plans = []
    for number, (photo, move) in enumerate(zip(dancers(samples), cycle(chosen), strict=False)):
        music = make_music(BEATS_PER_MINUTE, SECONDS) if number == 0 else None
        plans.append(
            Plan(
                caption=f"{of_words(move)}, to music" if music else of_words(move),
                photos=(photo,),
                job=DanceJob(
                    moves=[move],
                    music=music,
                    seconds=SECONDS,
                    deadline_seconds=DEADLINE_SECONDS,
                ),
            )
        )
    return plans


def plan_driven(samples: Samples, film: bytes) -> Plan:
    """Plan a dance of the last of these people after the film of another's dance."""
    return Plan(
        caption="after the film of the first dance",
        photos=(dancers(samples)[-1],),
        job=DanceJob(driving_video=film, seconds=SECONDS, deadline_seconds=DEADLINE_SECONDS),
    )


def dancers(samples: Samples) -> tuple[Path, ...]:
    """Choose people, spread over all that there are."""
    step = max(len(samples.people) // PEOPLE, 1)
    return samples.people[::step][:PEOPLE]
