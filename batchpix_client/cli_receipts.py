"""The commands about trust: `verify-receipt` and `policy`."""

from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict

from batchpix.media.v1 import media_pb2
from batchpix_client.channels import configuration_error
from batchpix_client.cli_console import answer, answer_json
from batchpix_client.connection import Connection
from batchpix_client.receipts import Receipt

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("verify-receipt")(verify_receipt)
    app.command()(policy)


def verify_receipt(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Receipt that `--receipt` wrote.")],
    key: Annotated[
        list[Path] | None,
        typer.Option(help="Public key (PEM) to trust; may be repeated. Else the profile's."),
    ] = None,
    json: Json = False,
) -> None:
    """Check a receipt's signature and print what it states."""
    connection: Connection = context.obj
    keys = [path.read_bytes() for path in key or ()] or connection.receipt_keys()
    if not keys:
        raise configuration_error("no key to check with: give --key, or bring a mesh up", "key")
    statement = Receipt.from_json(file.read_text(encoding="utf-8")).verify(*keys)
    if json:
        answer_json({"verified": True, "statement": statement_document(statement)})
        return
    answer("The receipt holds.")
    for line in statement_lines(statement):
        answer(line)


def policy(context: typer.Context, json: Json = False) -> None:
    """Print the privacy policy in force."""
    connection: Connection = context.obj
    with connection.client() as client:
        found = client.policy()
    if json:
        answer_json(
            {
                "version": found.version,
                "effective": found.effective.isoformat(),
                "text": found.text,
                "feedback_address": found.feedback_address,
                "receipt_keys": list(found.receipt_keys_pem),
            }
        )
        return
    answer(f"Version {found.version}, in force since {found.effective:%Y-%m-%d}.")
    answer(f"Questions go to {found.feedback_address}.")
    answer("")
    answer(found.text)


def statement_document(statement: media_pb2.ErasureStatement) -> dict[str, object]:
    """Turn a statement into JSON, with every field that it has."""
    return MessageToDict(
        statement, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def statement_lines(statement: media_pb2.ErasureStatement) -> list[str]:
    """Say in words what a statement says."""
    guard = statement.guard
    host_memory = wiped_of(statement.host_bytes_wiped, statement.host_bytes_leased)
    device_memory = wiped_of(statement.device_bytes_wiped, statement.device_bytes_leased)
    missing = "; ".join(guard.missing) or "nothing"
    wipe_ms = statement.wipe_duration.ToMicroseconds() / 1000
    return [
        f"call          {statement.call_id} of {statement.feature}, ended {statement.outcome}",
        f"policy        {statement.policy_version}",
        f"build         {statement.build_digest}",
        f"host memory   {host_memory}",
        f"device memory {device_memory}",
        f"wiped in      {wipe_ms:.2f} ms",
        f"guard lacks   {missing}",
    ]


def wiped_of(wiped_bytes: int, leased_bytes: int) -> str:
    """Say how much of what was leased was wiped."""
    return f"{wiped_bytes:,} bytes wiped, at most {leased_bytes:,} leased at one time"
