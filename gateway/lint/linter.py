"""Apply rules to the text of one configuration."""

from collections.abc import Sequence

from gateway.lint.document import parse
from gateway.lint.rule import Finding, Rule
from gateway.lint.schema import read


def lint(text: str, file: str, rules: Sequence[Rule]) -> list[Finding]:
    """Find all that the rules object to, in the order of the file.

    Args:
        text: a bootstrap as YAML or JSON.
        file: what findings call it.
        rules: those to apply.

    Raises:
        DocumentError: the text is neither YAML nor JSON.
    """
    reading = read(parse(text))
    findings = [
        Finding(file=file, rule=rule, problem=problem)
        for rule in rules
        for problem in rule.check(reading)
    ]
    return sorted(findings, key=lambda finding: (finding.problem.position, finding.rule.id))
