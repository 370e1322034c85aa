"""What the commands that call a service share: options, receipts, and results on the console."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from batchpix_client.calls import Call
from batchpix_client.cli_console import answer_json, say
from batchpix_client.cli_mesh import ending_signals
from batchpix_client.connection import Connection
from batchpix_client.receipts import Receipt

ResultT = TypeVar("ResultT")
FoundT = TypeVar("FoundT")

Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]
Seed = Annotated[int, typer.Option(help="Chooses among equally good results.")]
Deadline = Annotated[float, typer.Option(help="Seconds for the call.")]
ReceiptFile = Annotated[Path | None, typer.Option(help="Write the erasure receipt here.")]
Format = Annotated[str, typer.Option(help="jpeg, png or webp; else as each picture came.")]
Quality = Annotated[int, typer.Option(help="1 to 100; 0 = the service's default.")]
LongSide = Annotated[int, typer.Option(help="Scale down to this many pixels.")]


@contextmanager
def accounted(
    call: Call[ResultT, FoundT], connection: Connection, receipt: Path | None
) -> Iterator[Call[ResultT, FoundT]]:
    """Make a call in the block; keep its receipt whatever happens, and check it at the end.

    Raises:
        BatchpixError: the receipt does not hold.
    """
    with ending_signals(), call:
        try:
            yield call
        finally:
            keep_receipt(call.receipt, receipt)
    check_receipt(call.receipt, connection)


def keep_receipt(receipt: Receipt | None, path: Path | None) -> None:
    """Write the receipt where it is wanted; a call that was never let in has none."""
    if receipt and path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(receipt.to_json(), encoding="utf-8")


def check_receipt(receipt: Receipt | None, connection: Connection) -> None:
    """Verify the receipt where the keys of the mesh are known.

    Raises:
        BatchpixError: it does not hold.
    """
    keys = connection.receipt_keys()
    if receipt and keys:
        receipt.verify(*keys)


def tell(document: Mapping[str, object], line: str, *, json: bool) -> None:
    """Say what came back: one JSON document for scripts, or one line for people."""
    if json:
        answer_json(document)
    else:
        say(line)


def parse_point(text: str | None) -> tuple[float, float] | None:
    """Read X,Y.

    Raises:
        typer.BadParameter: it is no point.
    """
    if text is None:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        message = "a point is X,Y, each 0 to 1 from the left and from the top"
        raise typer.BadParameter(message) from None
    return x, y
