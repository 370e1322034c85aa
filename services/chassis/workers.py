"""Worker threads of a process, apart by what they wait for."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from services.chassis.telemetry import Stage

# Endings mostly wait for another call's run to be over, and hold no processor while they do.
ENDINGS_AT_ONCE = 8
CODEC_STAGES = frozenset({Stage.DECODE, Stage.ENCODE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Threads for the blocking work of calls, first come, first served in each room.

    One room for all would stand still together: while a thread waits for a network's turn, or for
    the run that goes over an ended call's traces, nobody would decode the next picture, the
    network would find nobody waiting, and rinse instead of working on.

    Attributes:
        makers: run networks and draw frames.
        codecs: read and write media.
        enders: do what calls put off to their end.
    """

    makers: Executor
    codecs: Executor
    enders: Executor

    @classmethod
    def of_one(cls, executor: Executor) -> "Workers":
        """Have one executor do everything."""
        return cls(makers=executor, codecs=executor, enders=executor)

    def room(self, stage: Stage) -> Executor:
        """Find whose work a stage is."""
        return self.codecs if stage in CODEC_STAGES else self.makers


@contextmanager
def working(threads: int) -> Iterator[Workers]:
    """Keep workers around the block, so many makers and as many codecs; leaving waits for them."""
    with (
        ThreadPoolExecutor(threads, thread_name_prefix="make") as makers,
        ThreadPoolExecutor(threads, thread_name_prefix="code") as codecs,
        ThreadPoolExecutor(ENDINGS_AT_ONCE, thread_name_prefix="end") as enders,
    ):
        yield Workers(makers=makers, codecs=codecs, enders=enders)
