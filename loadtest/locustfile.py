"""Scenarios for Locust: `locust -f loadtest/locustfile.py`, or `python -m loadtest scenarios`."""

import time
from argparse import Namespace
from itertools import count
from pathlib import Path

import grpc.experimental.gevent
from locust import User, between, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from loadtest.callers import OK, Caller, photo
from loadtest.target import Target

KIND = "stylize"
FIRST_BYTE = "first byte"
SMALL, LARGE = (512, 512), (1920, 1080)
BATCH_PICTURES = 4

# As gRPC asks: after Locust has patched the standard library, before the first channel.
grpc.experimental.gevent.init_gevent()


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # Locust's
def add_arguments(parser: LocustArgumentParser) -> None:
    """Ask for what a caller needs besides `--host`."""
    parser.add_argument("--ca", type=Path, required=True, help="authority of the gateway, PEM")
    parser.add_argument("--token-file", type=Path, required=True, help="a token in each line")


class UnexpectedEndingError(Exception):
    """A call did not end as its scenario asks; says how it ended."""


class Photographer(User):
    """Someone who lists styles once and then has pictures painted, with pauses."""

    wait_time = between(0.1, 0.5)
    numbers = count()

    def on_start(self) -> None:
        """Connect."""
        options: Namespace = self.environment.parsed_options
        target = Target(
            address=self.host or "",
            authority=options.ca.read_bytes(),
            tokens=tuple(options.token_file.read_text(encoding="utf-8").split()),
        )
        self.caller = Caller(target, next(self.numbers) % len(target.tokens))
        self.styles = self.caller.styles()
        self.small, self.large = photo(*SMALL), photo(*LARGE)

    def on_stop(self) -> None:
        """Disconnect."""
        self.caller.__exit__(None, None, None)

    @task(6)
    def small_photo(self) -> None:
        """One photo of 512x512."""
        self.stylize("one of 512x512", [self.small])

    @task(2)
    def large_photo(self) -> None:
        """One photo of 1920x1080."""
        self.stylize("one of 1920x1080", [self.large])

    @task(1)
    def batch(self) -> None:
        """Four photos in one call."""
        self.stylize("four of 512x512", [self.small] * BATCH_PICTURES)

    @task(1)
    def unreadable(self) -> None:
        """A file that is no picture, which must be refused."""
        self.stylize("no picture", [b"no picture"], "INVALID_ARGUMENT MEDIA_UNREADABLE")

    def stylize(self, name: str, pictures: list[bytes], expected: str = OK) -> None:
        """Make a call and tell Locust how it went."""
        started = time.monotonic()
        ending = self.caller.stylize(pictures, self.styles[0])
        error = None if ending.code == expected else UnexpectedEndingError(ending.code)
        tell(self.environment, KIND, name, ending.end - started, ending.received_bytes, error)
        if ending.first_byte is not None:
            tell(self.environment, FIRST_BYTE, name, ending.first_byte - started, 0, None)


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
