"""The command `batchpix`: what all of its commands share, and where they are gathered."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from batchpix_client import (
    cli_audit,
    cli_dance,
    cli_demo,
    cli_mesh,
    cli_receipts,
    cli_stylize,
    cli_tryon,
    cli_video,
)
from batchpix_client.cli_console import complain
from batchpix_client.connection import Connection
from batchpix_client.errors import BatchpixError

INTERRUPTED = 130  # status of a command that Ctrl-C ended, as shells have it


class OneLineErrors(TyperGroup):
    """Ends a command that failed with one line on standard error and status 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own class
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BatchpixError as error:
            complain(error)
        except OSError as error:
            complain(f"{error.strerror}: {error.filename}" if error.filename else error)
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(1)


app = typer.Typer(
    name="batchpix",
    cls=OneLineErrors,
    help="Privacy-first AI picture services: run the mesh, call it, check what it says.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for register in (
    cli_stylize.register,
    cli_video.register,
    cli_dance.register,
    cli_tryon.register,
    cli_receipts.register,
    cli_mesh.register,
    cli_demo.register,
    cli_audit.register,
):
    register(app)


@app.callback()
def connect(
    context: typer.Context,
    home: Annotated[
        Path, typer.Option(envvar="BATCHPIX_HOME", help="Profile, keys and logs of a local mesh.")
    ] = Path("~/.local/state/batchpix"),
    address: Annotated[
        str, typer.Option(envvar="BATCHPIX_ADDRESS", help="Host and port of the gateway.")
    ] = "",
    ca: Annotated[
        Path | None, typer.Option(envvar="BATCHPIX_CA", help="Authority of its certificate (PEM).")
    ] = None,
    token: Annotated[str, typer.Option(envvar="BATCHPIX_TOKEN", help="Bearer token.")] = "",
    token_file: Annotated[
        Path | None, typer.Option(envvar="BATCHPIX_TOKEN_FILE", help="File with the token.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(envvar="BATCHPIX_CERTIFICATE", help="Own certificate, to call a service."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(envvar="BATCHPIX_KEY", help="Private key of the certificate.")
    ] = None,
) -> None:
    """Take the options that say where to call; what is left out comes from the profile."""
    context.obj = Connection(
        home=home.expanduser(),
        address=address,
        ca=ca,
        token=token,
        token_file=token_file,
        certificate=certificate,
        key=key,
    )


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
