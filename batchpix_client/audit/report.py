"""The outcome of an audit as JSON and as a page."""

import html
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from batchpix_client.audit.clauses import Row
from batchpix_client.audit.evidence import Evidence
from batchpix_client.audit.memory import Findings

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1d2b36; background: #fff }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem;
  border-bottom: 1px solid #d7dfe5 }
.pass { color: #0b6b3a } .fail { color: #b3261e } .not { color: #6a5400 }
td:last-child { white-space: nowrap; font-weight: 600 }
"""


def to_json(evidence: Evidence, rows: Sequence[Row]) -> str:
    """Write all figures as one JSON document."""
    document = {
        "passed": not evidence.findings,
        "findings": evidence.findings,
        "calls": evidence.calls,
        "scans": evidence.scans,
        "canaries": evidence.needles,
        "forms": evidence.forms,
        "outcomes": {path: dict(codes) for path, codes in sorted(evidence.outcomes.items())},
        "services": figures(evidence.services),
        "control_running_call": figures(evidence.held),
        "control_without_guard": figures(evidence.unguarded),
        "gateway": figures(evidence.gateway),
        "files": {"read": evidence.files_read, **figures(evidence.files)},
        "receipts": evidence.receipts,
        "clauses": [asdict(row) for row in rows],
    }
    return json.dumps(document, indent=2) + "\n"


def to_html(evidence: Evidence, rows: Sequence[Row], made: datetime | None = None) -> str:
    """Write a page for people."""
    moment = (made or datetime.now(UTC)).strftime("%d %B %Y, %H:%M UTC")
    verdict = "failed" if evidence.findings else "passed"
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        f"<title>Retention audit: {verdict}</title><style>{STYLE}</style>",
        f"<h1>Retention audit: {verdict}</h1><p>{moment}. {summary(evidence)}</p>",
    ]
    if evidence.findings:
        items = "".join(f"<li>{html.escape(each)}</li>" for each in evidence.findings)
        parts.append(f"<h2>Findings</h2><ul>{items}</ul>")
    parts.append("<h2>Clauses</h2><table><tr><th>Clause<th>Promise<th>Kept by<th>Seen<th>Verdict")
    parts += [html_row(row) for row in rows]
    parts.append("</table><h2>Calls</h2><table><tr><th>Path<th>Ended with<th>Calls")
    for path, codes in sorted(evidence.outcomes.items()):
        for code, count in codes.items():
            parts.append(f"<tr><td>{html.escape(path)}<td>{code}<td>{count}")
    return "\n".join([*parts, "</table></html>", ""])


def summary(evidence: Evidence) -> str:
    """Say it in a sentence."""
    return (
        f"{evidence.calls} calls on {len(evidence.outcomes)} paths; {evidence.needles:,} canaries "
        f"in {evidence.forms} forms; {evidence.services.total} found in the services, "
        f"{evidence.held.total:,} and {evidence.unguarded.total:,} in the two controls."
    )


def html_row(row: Row) -> str:
    """Write a line of the table."""
    cells = (row.number, row.promise, row.mechanism, row.evidence)
    written = "".join(f"<td>{html.escape(cell)}" for cell in cells)
    return f"<tr>{written}<td class='{row.verdict.split()[0]}'>{row.verdict}"


def figures(findings: Findings) -> dict[str, object]:
    """Write what a scan found."""
    return {
        "scanned_bytes": findings.scanned_bytes,
        "found": findings.total,
        "by_form": dict(findings.by_form.most_common()),
        "by_place": dict(findings.by_place.most_common()),
        "calls": sorted(findings.calls),
    }
