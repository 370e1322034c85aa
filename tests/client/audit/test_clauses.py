"""The judgement of clauses."""

from collections import Counter
from pathlib import Path

import pytest

from batchpix_client.audit.clauses import Verdict, table
from batchpix_client.audit.evidence import Evidence
from batchpix_client.audit.memory import Findings
from batchpix_client.audit.report import to_html, to_json

ROOT = Path(__file__).parents[3]
POLICY = ROOT / "services" / "chassis" / "policy.md"
PAGE = ROOT / "docs" / "privacy.md"


def found(form: str = "input u8 RGB") -> Findings:
    """Make findings of one hit."""
    return Findings(by_form=Counter({form: 1}), calls={"cancel 0.1"})


def clean() -> Evidence:
    """Make the evidence of an audit that found nothing but what its controls had to find."""
    return Evidence(
        calls=1,
        outcomes={"cancel": Counter({"CANCELLED": 1})},
        held=found(),
        unguarded=found(),
        log_lines=1,
        receipts=1,
        policy_versions={"1"},
        policy_published=("1", "a page"),
        attempts=1,
        answers_equal=1,
    )


def broken(evidence: Evidence) -> set[str]:
    """Name the clauses that are broken."""
    return {row.number for row in table(evidence) if row.verdict is Verdict.BROKEN}


def test_a_clean_audit_keeps_every_clause() -> None:
    """Shows that nothing is held against a system that keeps its promises."""
    assert clean().findings == []
    assert broken(clean()) == set()


@pytest.mark.parametrize(
    ("change", "clauses"),
    [
        ({"services": found()}, {"1.2", "1.3", "3.2", "7.1", "7.2"}),
        ({"held": Findings()}, {"1.2", "1.3", "3.2"}),
        ({"unguarded": Findings()}, {"1.2", "1.3", "3.2"}),
        ({"files": found()}, {"1.1", "2.1", "3.1", "3.3", "5.1", "5.2"}),
        ({"open_files": ["/tmp/x"]}, {"3.1", "3.3"}),  # noqa: S108
        ({"storage_bytes": 1}, {"3.1", "3.3"}),
        ({"connections": ["192.0.2.1:443"]}, {"1.1", "2.1", "2.2", "4.1", "4.2"}),
        ({"surprises": ["peer"]}, {"5.1", "5.2"}),
        ({"refused": ["no token"]}, {"6.1", "6.3"}),
        ({"answers_mixed": 1}, {"6.2"}),
        ({"receipts_bad": ["RECEIPT_SIGNATURE_INVALID"]}, {"7.2"}),
        ({"leased_bytes": 1.0}, {"7.2"}),
        ({"guard_missing": {"writes_denied"}}, {"2.2", "4.1", "4.2"}),
        ({"policy_versions": {"1", "2"}}, {"8.1"}),
        ({"policy_published": ("1", "")}, {"9.1"}),
        ({"unexpected": ["jpeg: INTERNAL"]}, {"1.1", "2.1"}),
    ],
)
def test_each_finding_breaks_its_clauses(change: dict[str, object], clauses: set[str]) -> None:
    """Shows that no finding is lost on the way to the table."""
    evidence = clean()
    for name, value in change.items():
        setattr(evidence, name, value)

    assert broken(evidence) == clauses


def test_a_blind_audit_fails() -> None:
    """Shows that an audit whose controls found nothing is a failed one."""
    evidence = clean()
    evidence.held = Findings()

    assert evidence.findings == ["blind to a call that runs: 1"]


def test_the_table_has_every_clause_of_the_policy() -> None:
    """Shows that the policy promises nothing that is not judged."""
    promised = {line.split()[0] for line in POLICY.read_text().splitlines() if line[:1].isdigit()}

    assert {row.number for row in table(clean()) if row.number} == promised


def test_the_page_explains_every_clause() -> None:
    """Shows that docs/privacy.md has a row for each clause that is judged."""
    rows = {line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if "|" in line}

    assert {row.number for row in table(clean())} - {""} <= rows


def test_reports_tell_the_verdict() -> None:
    """Shows that both reports say that an audit failed, and escape what they quote."""
    evidence = clean()
    evidence.surprises = ["<script>"]
    rows = table(evidence)

    assert '"passed": false' in to_json(evidence, rows)
    assert "&lt;script&gt;" in to_html(evidence, rows)
