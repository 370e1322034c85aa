"""The commands about the local mesh: `up`, `down`, `status`, `token` and `version`."""

import importlib.metadata
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from batchpix_client.background import LOG_FOLDER, Starter, file_log, start_in_background
from batchpix_client.channels import configuration_error
from batchpix_client.cli_console import answer, answer_json, answer_table, say
from batchpix_client.connection import Connection
from batchpix_client.errors import BatchpixError
from batchpix_client.mesh import END_SECONDS_MAX, LocalMesh, default_gateway_port, is_serving
from batchpix_client.metrics import engine_of
from batchpix_client.profile import Profile, load_profile
from batchpix_client.supervisor import find_supervisor, stop_supervisor, supervising
from gateway.settings import SERVICES
from gateway.tokens import LIFETIME_SECONDS, load_or_make_key, make_token

DISTRIBUTION = "batchpix-mesh"
# The gateway's drain and then the services', each with its own bound.
DOWN_SECONDS_MAX = 2 * END_SECONDS_MAX + 4.0
EXAMPLES = {
    "stylize": "          batchpix stylize photo.jpg --style NAME -o out/",
    "video": "          batchpix video photo.jpg --camera orbit --loop -o clip.mp4",
    "dance": "          batchpix dance person.jpg --move floss --music song.mp3 -o clip.mp4",
    "tryon": "          batchpix tryon person.jpg garment.jpg -o dressed.png",
}
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status, token, version):
        app.command()(command)


def up(
    context: typer.Context,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the mesh is up; logs go to files.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Gateway's port; 0 = any free one.")
    ] = None,
    ready_descriptor: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start the services and the gateway, and keep them up until Ctrl-C or `down`."""
    connection: Connection = context.obj
    home = connection.home
    if detach:
        start_in_background(home, port)
        announce(home)
        return
    with ending_signals(), Starter(ready_descriptor) as starter, supervising(home):
        log_line = file_log(home) if starter.is_watched else print_line
        gateway_port = default_gateway_port() if port is None else port or None
        with LocalMesh(home, gateway_port=gateway_port, log_line=log_line) as mesh:
            mesh.profile.save(home)
            starter.ready()
            try:
                announce(home)
                mesh.wait()
            except KeyboardInterrupt:
                say("stopping")


def down(context: typer.Context) -> None:
    """Stop the mesh that `up` started."""
    connection: Connection = context.obj
    if not stop_supervisor(connection.home, DOWN_SECONDS_MAX):
        say("no mesh is up")


def status(context: typer.Context, json: Json = False) -> None:
    """Tell whether the mesh is up, each part of it well, and on what; status 1 if not."""
    connection: Connection = context.obj
    supervisor = find_supervisor(connection.home)
    profile = load_profile(connection.home) if supervisor else None
    parts = part_states(connection, profile) if profile else {}
    metrics = profile.metrics if profile else {}
    engines = {name: engine_of(address) for name, address in metrics.items()}
    is_well = bool(parts) and all(parts.values())
    if json:
        document = {
            "up": is_well,
            "pid": supervisor.pid if supervisor else None,
            "address": profile.address if profile else None,
            "parts": {name: "serving" if well else "failing" for name, well in parts.items()},
            "engines": engines,
        }
        answer_json(document)
    elif not profile:
        answer("no mesh is up" if supervisor is None else "the mesh is starting")
    else:
        rows = [
            (name, "serving" if well else "failing", engines.get(name, ""))
            for name, well in parts.items()
        ]
        answer_table((f"mesh at {profile.address}", "state", "networks run on"), rows)
    if not is_well:
        raise typer.Exit(1)


def token(
    context: typer.Context,
    subject: Annotated[str, typer.Option(help="Who the token is for.")] = "developer",
    scope: Annotated[list[str] | None, typer.Option(help="A feature; default all.")] = None,
    seconds: Annotated[int, typer.Option(min=1, help="Lifetime.")] = LIFETIME_SECONDS,
) -> None:
    """Print a development token for the local mesh."""
    connection: Connection = context.obj
    if unknown := sorted(set(scope or ()) - set(SERVICES)):
        known = ", ".join(SERVICES)
        raise configuration_error(f"unknown {', '.join(unknown)}; known are {known}", "scope")
    key = load_or_make_key(connection.home / "tokens")
    answer(make_token(key, subject, scope or list(SERVICES), seconds))


def version(json: Json = False) -> None:
    """Print the version."""
    number = importlib.metadata.version(DISTRIBUTION)
    if json:
        answer_json({"version": number})
    else:
        answer(f"batchpix {number}")


def announce(home: Path) -> None:
    """Say where the mesh is and how to call it."""
    profile = load_profile(home)
    if profile is None:
        return
    say(f"The mesh is up at {profile.address} (TLS; authority {profile.ca}).")
    say(f"Token: {profile.token_file}   Logs: {home / LOG_FOLDER} when detached")
    for line in ("Call it:  batchpix styles", *(EXAMPLES[name] for name in profile.internal)):
        say(line)
    say("Stop it:  Ctrl-C, or batchpix down")


def part_states(connection: Connection, profile: Profile) -> dict[str, bool]:
    """Ask each service's health check, and the gateway through its door."""
    states = {name: is_serving(address) for name, address in profile.health.items()}
    own = Connection(home=connection.home)
    try:
        with own.client() as client:
            states["gateway"] = bool(client.policy().version)
    except BatchpixError:
        states["gateway"] = False
    return states


def print_line(name: str, line: str) -> None:
    """Pass on a line that a process of the mesh wrote."""
    say(f"{name:8} {line}")


@contextmanager
def ending_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the command as Ctrl-C does, so that it ends in order."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {
        number: signal.signal(number, interrupt)
        # SIGINT too: a shell starts what it puts in the background with SIGINT ignored.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
