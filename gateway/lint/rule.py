"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.lint.document import Position
from gateway.lint.schema import Reading


class Severity(StrEnum):
    """How bad a finding is, in the words of SARIF."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One place where a rule is not met."""

    position: Position
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a configuration has to get right."""

    id: str
    title: str
    severity: Severity
    why: str
    """What happens otherwise."""
    mend: str
    """What to write."""
    check: Callable[[Reading], Iterator[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem of a rule in a file."""

    file: str
    rule: Rule
    problem: Problem
