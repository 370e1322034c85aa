"""Findings as text, as JSON, and as SARIF for code hosts."""

import json
from collections.abc import Sequence

from gateway.lint.rule import Finding, Rule

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "envoy-config-lint"


def as_text(findings: Sequence[Finding]) -> str:
    """Write one block per finding: place, rule, what, why and how to mend."""
    lines = []
    for finding in findings:
        rule = finding.rule
        lines += [
            f"{_place(finding)}: {rule.severity}: {rule.id} {finding.problem.message}",
            f"    why:  {rule.why}",
            f"    mend: {rule.mend}",
        ]
    return "\n".join([*lines, _summary(findings)]) + "\n"


def as_json(findings: Sequence[Finding]) -> str:
    """Write a list of objects, one per finding."""
    return json.dumps([_record(finding) for finding in findings], indent=2) + "\n"


def as_sarif(findings: Sequence[Finding], rules: Sequence[Rule]) -> str:
    """Write a SARIF 2.1.0 log with the rules that were looked for."""
    driver = {"name": TOOL, "rules": [_sarif_rule(rule) for rule in rules]}
    run = {"tool": {"driver": driver}, "results": [_sarif_result(finding) for finding in findings]}
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def rule_list(rules: Sequence[Rule]) -> str:
    """Write the rules as a table of Markdown."""
    rows = [f"| {rule.id} | {rule.severity} | {rule.title} | {rule.mend} |" for rule in rules]
    return "\n".join(["| rule | severity | demands | mend |", "|---|---|---|---|", *rows]) + "\n"


def _place(finding: Finding) -> str:
    position = finding.problem.position
    return f"{finding.file}:{position.line}:{position.column}"


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "nothing found"
    rules = len({finding.rule.id for finding in findings})
    return f"{len(findings)} found by {rules} rules"


def _record(finding: Finding) -> dict[str, object]:
    return {
        "file": finding.file,
        "line": finding.problem.position.line,
        "column": finding.problem.position.column,
        "rule": finding.rule.id,
        "severity": finding.rule.severity.value,
        "message": finding.problem.message,
        "why": finding.rule.why,
        "mend": finding.rule.mend,
    }


def _sarif_rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _sarif_result(finding: Finding) -> dict[str, object]:
    position = finding.problem.position
    region = {"startLine": position.line, "startColumn": position.column}
    location = {"artifactLocation": {"uri": finding.file}, "region": region}
    return {
        "ruleId": finding.rule.id,
        "level": finding.rule.severity.value,
        "message": {"text": finding.problem.message},
        "locations": [{"physicalLocation": location}],
    }
