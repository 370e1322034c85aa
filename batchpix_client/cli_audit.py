"""The command `audit`: a private mesh, pictures that can be recognised, and a look everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from batchpix_client.audit.clauses import table
from batchpix_client.audit.inspection import inspect
from batchpix_client.audit.report import summary, to_html, to_json
from batchpix_client.cli_console import answer, answer_table, say
from batchpix_client.cli_mesh import ending_signals

CALLS = 500
SEED = 2026


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    calls: Annotated[int, typer.Option(min=1, help="At least, in rounds of all paths.")] = CALLS,
    seed: Annotated[int, typer.Option(help="Of all pictures, texts and moments.")] = SEED,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file.")] = None,
) -> None:
    """Send canaries on every path, look for them everywhere, and judge each clause.

    Status 1 if anything was found, or if the audit was blind. Needs root: a service's memory can
    be read by nobody else.
    """
    with ending_signals():
        evidence = inspect(calls, seed, say)
    rows = table(evidence)
    answer_table(
        ("clause", "promise", "evidence", "verdict"),
        [(row.number, row.promise, row.evidence, row.verdict) for row in rows],
    )
    answer(summary(evidence))
    if json:
        json.write_text(to_json(evidence, rows), encoding="utf-8")
    if html:
        html.write_text(to_html(evidence, rows), encoding="utf-8")
    for finding in evidence.findings:
        say(f"FOUND  {finding}")
    if evidence.findings:
        raise typer.Exit(1)
