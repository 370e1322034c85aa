"""Scenarios for Locust: `python -m loadtest scenarios`, a class of users for each feature."""

import random
import time
from argparse import Namespace
from itertools import count
from pathlib import Path
from typing import ClassVar

import grpc.experimental.gevent
from locust import User, between, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from loadtest.callers import Caller
from loadtest.loads import loads_of
from loadtest.target import Target

FIRST_FRAME = "first frame"

# As gRPC asks: after Locust has patched the standard library, before the first channel.
grpc.experimental.gevent.init_gevent()


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # Locust's
def add_arguments(parser: LocustArgumentParser) -> None:
    """Ask for what a caller needs besides `--host`."""
    parser.add_argument("--ca", type=Path, required=True, help="authority of the gateway, PEM")
    parser.add_argument("--token-file", type=Path, required=True, help="a token in each line")


class UnexpectedEndingError(Exception):
    """A call did not end as its scenario asks; says how it ended."""


class Person(User):
    """Someone who makes calls to one feature, with pauses."""

    abstract = True
    wait_time = between(0.1, 0.5)
    numbers = count()
    feature: ClassVar[str]

    def on_start(self) -> None:
        """Connect."""
        options: Namespace = self.environment.parsed_options
        tokens = options.token_file.read_text(encoding="utf-8").split()
        target = Target(
            address=self.host or "",
            authority=options.ca.read_bytes(),
            tokens=tuple(tokens),
            features=(self.feature,),
        )
        self.caller = Caller(target, next(self.numbers) % len(tokens))
        self.loads = loads_of(self.feature, self.caller.names(target.features))

    def on_stop(self) -> None:
        """Disconnect."""
        self.caller.__exit__(None, None, None)

    @task
    def call(self) -> None:
        """Make one of the feature's calls and tell Locust how it went."""
        (load,) = random.choices(self.loads, [load.share for load in self.loads])  # noqa: S311
        started = time.monotonic()
        ending = self.caller.call(load)
        error = None if ending.code == load.ending else UnexpectedEndingError(ending.code)
        seconds, received = ending.end - started, ending.received_bytes
        tell(self.environment, self.feature, load.name, seconds, received, error)
        if ending.first_byte is not None:
            kind = f"{self.feature}, {FIRST_FRAME}"
            tell(self.environment, kind, load.name, ending.first_byte - started, 0, None)


class Stylize(Person):
    """Someone who has photos painted."""

    feature = "stylize"


class Video(Person):
    """Someone who has clips made of photos."""

    feature = "video"


class Dance(Person):
    """Someone who lets people dance."""

    feature = "dance"


class Tryon(Person):
    """Someone who tries clothes on."""

    feature = "tryon"


def tell(  # what Locust's event asks for
    environment: Environment,
    kind: str,
    name: str,
    seconds: float,
    received_bytes: int,
    error: Exception | None,
) -> None:
    """Hand one measurement to Locust's statistics."""
    environment.events.request.fire(  # type: ignore[no-untyped-call]  # Locust's
        request_type=kind,
        name=name,
        response_time=seconds * 1000,
        response_length=received_bytes,
        exception=error,
        context={},
    )
