"""What a Prometheus query asks for."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

# Grafana fills these in; any value of their kind will do to read a query.
GRAFANA_VALUES = {"$__rate_interval": "5m", "$app": "stylize"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One series that a query reads: its name, and label -> wanted value, regular or not."""

    metric: str
    labels: dict[str, str]


def selectors(query: str) -> list[Selector]:
    """List the series that a query reads.

    Raises:
        ValueError: the query is not PromQL.
    """
    for variable, value in GRAFANA_VALUES.items():
        query = query.replace(variable, value)
    found: list[Selector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            labels = {matcher.name: matcher.value for matcher in node.matchers.matchers}
            found.append(Selector(metric=str(node.name), labels=labels))
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def alternatives(pattern: str) -> Iterator[str]:
    """Split `a|b` into what it matches; our queries use no other regular expression."""
    yield from pattern.split("|")
